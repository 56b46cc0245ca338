use super::*;
use crate::auth::Role;

fn caller(principal: &str) -> Caller {
    Caller::new(WorkspaceName::default(), principal, Role::Analyst)
}

fn zone(name: &str) -> SessionOptions {
    SessionOptions { time_zone: Some(name.into()), schema: None }
}

fn connection(port: u16) -> SessionClues {
    SessionClues { peer: Some(SocketAddr::from(([127, 0, 0, 1], port))), ..SessionClues::default() }
}

#[test]
fn asking_makes_no_session() {
    let sessions = Sessions::default();
    assert_eq!(sessions.options(&caller("a"), &connection(1)), SessionOptions::default());
    assert_eq!(sessions.len(), 0);
}

#[test]
fn a_client_without_cookies_keeps_its_session_by_connection() {
    let sessions = Sessions::default();
    assert!(sessions.set(&caller("a"), &connection(1), zone("Asia/Shanghai")).is_some());
    assert_eq!(sessions.options(&caller("a"), &connection(1)), zone("Asia/Shanghai"));
    assert_eq!(sessions.options(&caller("a"), &connection(2)), SessionOptions::default());
    assert_eq!(sessions.options(&caller("b"), &connection(1)), SessionOptions::default());
}

#[test]
fn a_client_with_cookies_keeps_its_session_across_connections() {
    let sessions = Sessions::default();
    let cookie = sessions.set(&caller("a"), &connection(1), zone("Asia/Shanghai"));
    let later = SessionClues { cookie, ..connection(9) };
    assert_eq!(sessions.options(&caller("a"), &later), zone("Asia/Shanghai"));
    assert_eq!(sessions.set(&caller("a"), &later, zone("UTC")), None);
    assert_eq!(sessions.options(&caller("a"), &later), zone("UTC"));
    assert_eq!(sessions.options(&caller("thief"), &later), SessionOptions::default());
}

#[test]
fn the_id_of_the_handshake_comes_first_and_needs_no_cookie() {
    let sessions = Sessions::default();
    let clues = SessionClues { token_suffix: Some(new_session_id()), cookie: Some("c".into()), ..connection(1) };
    assert_eq!(sessions.set(&caller("a"), &clues, zone("UTC")), None);
    let elsewhere = SessionClues { cookie: None, ..clues.clone() };
    assert_eq!(sessions.options(&caller("a"), &elsewhere), zone("UTC"));
    sessions.close(&caller("a"), &clues);
    sessions.close(&caller("a"), &clues);
    assert_eq!(sessions.options(&caller("a"), &elsewhere), SessionOptions::default());
}

#[test]
fn the_number_of_sessions_is_bounded() {
    let sessions = Sessions::default();
    for number in 0..MAX_SESSIONS + 5 {
        let clues = SessionClues { cookie: Some(format!("s{number}")), ..SessionClues::default() };
        sessions.set(&caller("a"), &clues, zone("UTC"));
    }
    assert_eq!(sessions.len(), MAX_SESSIONS);
}
