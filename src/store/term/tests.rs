use object_store::memory::InMemory;

use super::*;
use crate::ids::WorkspaceName;
use crate::store::tests::faulty::FaultyStore;

const LONG: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::ZERO;

fn paths() -> WorkspacePaths {
    WorkspacePaths::new(&Path::from("root"), &WorkspaceName::default())
}

async fn claim(store: &Arc<dyn ObjectStore>, stale_after: Duration) -> Result<Arc<Term>> {
    Term::claim(Arc::clone(store), paths(), stale_after, Clock::default()).await
}

async fn names(store: &Arc<dyn ObjectStore>) -> Vec<String> {
    let found: Vec<_> = store.list(None).try_collect().await.unwrap();
    let mut names: Vec<String> =
        found.iter().map(|object| object.location.filename().unwrap().trim_start_matches('0').to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_living_writer_keeps_others_out_until_it_ends() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let first = claim(&store, LONG).await.unwrap();
    let refused = claim(&store, LONG).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.message().contains("gone in"), "{refused}");
    first.end().await.unwrap();
    let second = claim(&store, LONG).await.unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    second.check().await.unwrap();
    assert_eq!(
        names(&store).await,
        ["1.json", "2.heartbeat", "2.json", "clock"],
        "the claim of the first writer stays for good"
    );
}

#[tokio::test]
async fn a_silent_writer_is_taken_for_gone_and_notices() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let first = claim(&store, LONG).await.unwrap();
    first.check().await.unwrap();
    let second = claim(&store, AT_ONCE).await.unwrap();
    assert_eq!(first.check().await.unwrap_err().kind(), Kind::Conflict);
    second.check().await.unwrap();
    // A late heartbeat of the first one must not look like a claim.
    beat(&store, &paths(), first.number, &Clock::default()).await.unwrap();
    second.check().await.unwrap();
}

#[tokio::test]
async fn many_claim_at_once_and_one_gets_it() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let claims = (0..20).map(|_| claim(&store, LONG));
    let outcomes = futures::future::join_all(claims).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_store_without_create_only_puts_is_refused() {
    let store: Arc<dyn ObjectStore> = Arc::new(FaultyStore { overwrites: true, ..FaultyStore::default() });
    let refused = claim(&store, LONG).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidInput);
    assert!(store.head(&paths().writer_term(1, CLAIM)).await.is_ok());
}
