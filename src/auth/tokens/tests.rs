use chrono::DateTime;
use object_store::memory::InMemory;

use super::*;

fn tokens() -> (Arc<InMemory>, Tokens) {
    let store = Arc::new(InMemory::new());
    let tokens = elsewhere(&store);
    (store, tokens)
}

/// Those of the same root as another process sees them.
fn elsewhere(store: &Arc<InMemory>) -> Tokens {
    Tokens::new(&Root::in_store(Arc::clone(store) as Arc<dyn ObjectStore>).unwrap())
}

fn workspace(name: &str) -> WorkspaceName {
    WorkspaceName::new(name).unwrap()
}

#[tokio::test]
async fn a_created_token_authenticates_as_its_workspace_and_role() {
    let (_, tokens) = tokens();
    let secret = tokens.create(workspace("shop"), Role::Analyst, "bi", None).await.unwrap();
    assert!(secret.starts_with("cvk_") && secret.len() == 4 + 43, "{secret}");
    let caller = tokens.authenticate(&secret).await.unwrap();
    assert_eq!(caller.workspace, workspace("shop"));
    assert_eq!(caller.role, Role::Analyst);
    assert!(caller.principal.starts_with("bi#"), "{}", caller.principal);
}

#[tokio::test]
async fn the_store_never_holds_the_secret() {
    let (store, tokens) = tokens();
    let secret = tokens.create(workspace("shop"), Role::Admin, "a", None).await.unwrap();
    let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(objects.len(), 1);
    let body = store.get(&objects[0].location).await.unwrap().bytes().await.unwrap();
    let all = format!("{} {}", objects[0].location, String::from_utf8_lossy(&body));
    assert!(all.starts_with("_tokens/"), "{all}");
    assert!(!all.contains(&secret[4..]), "{all}");
}

#[tokio::test]
async fn unknown_and_expired_get_the_same_words() {
    let (_, tokens) = tokens();
    let expired = tokens.create(workspace("shop"), Role::Admin, "a", Some(Duration::ZERO)).await.unwrap();
    let unknown = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([7u8; 32]));
    for secret in [expired.as_str(), unknown.as_str(), "", "password"] {
        let error = tokens.authenticate(secret).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unauthenticated);
        assert_eq!(error.message(), REFUSED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_expires_by_the_clock_of_its_root() {
    let clock = Clock::seeded(7, DateTime::UNIX_EPOCH);
    let tokens = Tokens::new(&Root::open("memory://").unwrap().with_clock(clock));
    let minute = Duration::from_secs(60);
    let secret = tokens.create(workspace("shop"), Role::Admin, "a", Some(minute)).await.unwrap();
    let entry = tokens.list().await.unwrap().remove(0);
    assert_eq!((entry.created_at, entry.expires_at), (0, Some(60)));
    tokio::time::advance(Duration::from_secs(59)).await;
    tokens.authenticate(&secret).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(tokens.authenticate(&secret).await.unwrap_err().message(), REFUSED);
    assert_eq!(tokens.list().await.unwrap()[0].state, TokenState::Expired);
}

#[tokio::test]
async fn a_token_made_elsewhere_is_seen_within_a_second_and_a_removed_one_is_gone() {
    let (store, server) = tokens();
    let command_line = elsewhere(&store);
    let secret = command_line.create(workspace("shop"), Role::Admin, "a", None).await.unwrap();
    server.authenticate(&secret).await.unwrap();
    let id = server.list().await.unwrap()[0].id.clone();
    store.delete(&path(&id)).await.unwrap();
    tokio::time::sleep(CACHE_TIME + Duration::from_millis(50)).await;
    assert_eq!(server.authenticate(&secret).await.unwrap_err().kind(), Kind::Unauthenticated);
}

#[tokio::test]
async fn a_token_revoked_elsewhere_is_refused_within_a_second_and_stays_in_the_list() {
    let (store, server) = tokens();
    let command_line = elsewhere(&store);
    let secret = server.create(workspace("shop"), Role::Admin, "a", None).await.unwrap();
    server.authenticate(&secret).await.unwrap();
    let id = command_line.list().await.unwrap()[0].id.clone();
    command_line.revoke(&id).await.unwrap();
    command_line.revoke(&id).await.unwrap();
    tokio::time::sleep(CACHE_TIME + Duration::from_millis(50)).await;
    let error = server.authenticate(&secret).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Unauthenticated, REFUSED));
    assert_eq!(server.list().await.unwrap()[0].state, TokenState::Revoked);
    assert_eq!(server.revoke("0123").await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_token_for_a_source_sends_events_of_it() {
    let (_, tokens) = tokens();
    let secret = tokens.create_for_source(workspace("shop"), "a", None, "web").await.unwrap();
    let caller = tokens.authenticate(&secret).await.unwrap();
    assert_eq!((caller.role, caller.source.as_deref()), (Role::Ingest, Some("web")));
    let plain = tokens.create(workspace("shop"), Role::Ingest, "b", None).await.unwrap();
    assert_eq!(tokens.authenticate(&plain).await.unwrap().source, None);
    let padded = tokens.create_for_source(workspace("shop"), "c", None, " web#1\u{a0}").await.unwrap();
    assert_eq!(tokens.authenticate(&padded).await.unwrap().source.as_deref(), Some("web#1"));
    for source in [" ", "a\nb", &"x".repeat(201)] {
        let error = tokens.create_for_source(workspace("shop"), "a", None, source).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
    }
}

#[tokio::test]
async fn tokens_of_one_workspace_are_removed_and_others_stay() {
    let (_, tokens) = tokens();
    let gone = tokens.create(workspace("shop"), Role::Admin, "a", None).await.unwrap();
    let stays = tokens.create(workspace("shop2"), Role::Admin, "a", None).await.unwrap();
    assert_eq!(tokens.remove_all_of(&workspace("shop")).await.unwrap(), 1);
    assert_eq!(tokens.authenticate(&gone).await.unwrap_err().message(), REFUSED);
    assert_eq!(tokens.authenticate(&stays).await.unwrap().workspace, workspace("shop2"));
}

#[tokio::test]
async fn one_name_twice_is_two_principals() {
    let (_, tokens) = tokens();
    let first = tokens.create(workspace("shop"), Role::Admin, "same", None).await.unwrap();
    let second = tokens.create(workspace("shop"), Role::Admin, "same", None).await.unwrap();
    let first = tokens.authenticate(&first).await.unwrap().principal;
    let second = tokens.authenticate(&second).await.unwrap().principal;
    assert_ne!(first, second);
}

#[tokio::test]
async fn list_tells_all_but_the_secret() {
    let (_, tokens) = tokens();
    tokens.create(workspace("shop"), Role::Ingest, "web", Some(Duration::from_secs(60))).await.unwrap();
    let entries = tokens.list().await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].name.as_str(), entries[0].role), ("web", Role::Ingest));
    assert_eq!(entries[0].expires_at, Some(entries[0].created_at + 60));
}
