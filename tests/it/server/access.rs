use std::time::Duration;

use arrow_flight::{FlightInfo, HandshakeRequest, Ticket};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convoke::auth::Role;
use convoke::ids::WorkspaceName;
use futures::TryStreamExt;
use tonic::{Code, Request, Status};

use super::{Client, Served, query, rows, served, status, ticket, within};

async fn handshake(served: &Served, password: &str) -> Result<(), Status> {
    let mut request = Request::new(futures::stream::iter([HandshakeRequest::default()]));
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{password}")));
    request.metadata_mut().insert("authorization", basic.parse().unwrap());
    served.raw().await.handshake(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_at_handshake() {
    within(async {
        let served = served().await;
        handshake(&served, &served.token).await.unwrap();
        let almost = format!("{}x", &served.token[..served.token.len() - 1]);
        let workspace = WorkspaceName::default();
        let expired = served.tokens.create(workspace, Role::Admin, "old", Some(Duration::ZERO)).await.unwrap();
        for wrong in ["", "wrong", almost.as_str(), expired.as_str()] {
            let status = handshake(&served, wrong).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
            assert!(status.message().contains("convoke token create"), "{status:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_needs_a_token() {
    within(async {
        let served = served().await;
        let mut client = served.client_of("cvk_wrong").await;
        assert_eq!(status(query(&mut client, "SELECT 1").await.unwrap_err()).code(), Code::Unauthenticated);
        let ticket = ticket(&served.client().await.execute("SELECT 1".into(), None).await.unwrap());
        let mut raw = served.raw().await;
        assert_eq!(raw.do_get(Request::new(ticket)).await.unwrap_err().code(), Code::Unauthenticated);
        let empty = arrow_flight::Empty {};
        assert_eq!(raw.list_actions(Request::new(empty)).await.unwrap_err().code(), Code::Unauthenticated);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_after_handshake_and_a_bare_token_both_work() {
    within(async {
        let served = served().await;
        for mut client in [served.client().await, served.session().await] {
            assert_eq!(rows(&mut client, "SELECT count(*) FROM events").await, ["4"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_bound_what_a_token_may() {
    within(async {
        let served = served().await;
        for (role, code) in [(Role::Analyst, None), (Role::Ingest, Some(Code::PermissionDenied))] {
            let mut client = served.client_of(&served.token_of(role).await).await;
            let outcome = query(&mut client, "SELECT 1").await;
            assert_eq!(outcome.err().map(|error| status(error).code()), code, "{role:?}");
        }
    })
    .await;
}

async fn redeem(client: &mut Client, ticket: Ticket) -> Result<usize, Status> {
    let stream = client.do_get(ticket).await.map_err(status)?;
    let batches: Vec<_> = stream.try_collect().await.map_err(status)?;
    Ok(batches.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_for_its_token_alone() {
    within(async {
        let served = served().await;
        let mut owner = served.client().await;
        let info = owner.execute("SELECT count(*) FROM events".into(), None).await.unwrap();
        // The other one has the same name and role.
        let mut other = served.client_of(&served.token_of(Role::Admin).await).await;
        let refused = redeem(&mut other, ticket(&info)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        assert!(refused.message().contains("another token"), "{refused:?}");
        // A connection more of the owner, and twice.
        let mut again = served.client().await;
        assert_eq!(redeem(&mut again, ticket(&info)).await.unwrap(), 1);
        assert_eq!(redeem(&mut owner, ticket(&info)).await.unwrap(), 1);

        let mut prepared = owner.prepare("SELECT 1".into(), None).await.unwrap();
        let info: FlightInfo = prepared.execute().await.unwrap();
        assert_eq!(redeem(&mut other, ticket(&info)).await.unwrap_err().code(), Code::Unauthenticated);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_ticket_is_refused_whatever_byte_was_changed() {
    within(async {
        let served = served().await;
        let mut client = served.client().await;
        let whole = ticket(&client.execute("SELECT count(*) FROM events".into(), None).await.unwrap()).ticket;
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 1;
            let refused = redeem(&mut client, Ticket::new(bytes)).await.expect_err("altered");
            // A changed name of the message is a command that is not known.
            assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "byte {at}: {refused:?}");
        }
        for bytes in [Vec::new(), b"x".to_vec(), whole[..whole.len() / 2].to_vec()] {
            let refused = redeem(&mut client, Ticket::new(bytes)).await.unwrap_err();
            assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "{refused:?}");
        }
        assert_eq!(redeem(&mut client, Ticket::new(whole)).await.unwrap(), 1);
    })
    .await;
}
