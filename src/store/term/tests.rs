use futures::{FutureExt, TryStreamExt};
use object_store::memory::InMemory;

use super::*;
use crate::ids::WorkspaceName;
use crate::store::tests::delete_all;
use crate::store::tests::faulty::{Fault, FaultyStore};

const LONG: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::ZERO;

fn paths() -> WorkspacePaths {
    WorkspacePaths::new(&Path::from("root"), &WorkspaceName::default())
}

async fn claim(store: &Arc<dyn ObjectStore>, stale_after: Duration) -> Result<Claim> {
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

/// Half a claim would keep everybody out, the process that made it too.
#[tokio::test]
async fn a_claim_that_nobody_waits_for_or_holds_is_ended() {
    for steps in 0..20 {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut claim = Box::pin(Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()));
        for _ in 0..steps {
            if claim.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(claim);
        let next = async {
            while let Err(error) = Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()).await {
                assert_eq!(error.kind(), Kind::Conflict, "{error}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(10), next).await.is_ok(), "given up behind step {steps}");
    }
}

#[tokio::test]
async fn a_claim_that_cannot_begin_is_ended() {
    // The claim, the proof that it is not to be had twice, the first heartbeat.
    let faults = [Fault::Nothing, Fault::Nothing, Fault::Lost];
    let store: Arc<dyn ObjectStore> = Arc::new(FaultyStore::with(&faults));
    let error = Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()).await.unwrap_err();
    assert_ne!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()).await.unwrap().number, 2);
}

#[tokio::test]
async fn a_silent_writer_is_taken_for_gone_and_notices() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let first = claim(&store, LONG).await.unwrap();
    first.check().await.unwrap();
    let second = claim(&store, AT_ONCE).await.unwrap();
    let refused = first.check().await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.message().ends_with("send again in a moment"), "{refused}");
    second.check().await.unwrap();
    // A late heartbeat of the first one must not look like a claim.
    first.heart.beat_if_claimed().await.unwrap();
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
    assert!(store.head(&paths().writer_claim(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_says_with_each_heartbeat_where_it_is() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let told = async || Holder::of(&store, &paths(), LONG).await.unwrap().and_then(|holder| holder.address);
    assert_eq!(told().await, None);
    let term = Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()).await.unwrap();
    assert_eq!(told().await, None);
    term.announce("http://127.0.0.1:8815").await.unwrap();
    let address = Some("http://127.0.0.1:8815".to_owned());
    assert_eq!(told().await, address);
    let heartbeat = paths().writer_heartbeat(1);
    let before = objects::read(&store, &heartbeat).await.unwrap();
    tokio::time::sleep(LONG).await;
    assert_ne!(objects::read(&store, &heartbeat).await.unwrap(), before);
    assert_eq!(told().await, address, "it goes on to say so");
    term.end().await.unwrap();
    assert_eq!(told().await, None);
}

/// Who waits for a writer to count as gone must notice that it lives, and must not take silence for life.
#[tokio::test]
async fn only_a_new_heartbeat_or_a_newer_term_is_a_sign_of_life() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let seen = async || Holder::of(&store, &paths(), LONG).await.unwrap().unwrap();
    let first = claim(&store, LONG).await.unwrap();
    let before = seen().await;
    // Another one's attempt asks the store for its time, and that is all.
    assert_eq!(claim(&store, LONG).await.unwrap_err().kind(), Kind::Conflict);
    let refused = seen().await;
    assert!(!before.lives_by(&refused) && refused.gone_in <= LONG);
    first.heart.beat_if_claimed().await.unwrap();
    let after_beat = seen().await;
    assert!(before.lives_by(&after_beat));
    let _second = claim(&store, AT_ONCE).await.unwrap();
    assert!(after_beat.lives_by(&seen().await));
}

/// `workspace drop` deletes the claims along with everything else, while their writer sleeps and counts as gone.
#[tokio::test(start_paused = true)]
async fn a_writer_whose_claim_is_gone_leaves_no_sign_of_life() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let slept = Term::claim(Arc::clone(&store), paths(), LONG, Clock::default()).await.unwrap();
    delete_all(&store).await;
    tokio::time::sleep(LONG).await;
    slept.announce("http://127.0.0.1:8815").await.unwrap();
    assert_eq!(slept.check().await.unwrap_err().kind(), Kind::Conflict);
    assert!(names(&store).await.is_empty());
    // The next workspace of the name begins with the same number.
    let next = claim(&store, LONG).await.unwrap();
    assert_eq!(next.number, slept.number);
    assert_eq!(slept.check().await.unwrap_err().kind(), Kind::Conflict);
    slept.end().await.unwrap();
    next.check().await.unwrap();
    assert_eq!(names(&store).await, ["1.heartbeat", "1.json"], "the other one goes on");
}

/// What a newer writer has read by then counts; what went to a workspace that was dropped does not.
#[tokio::test]
async fn a_commit_is_confirmed_beside_a_newer_term_and_not_without_its_own_claim() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let first = claim(&store, LONG).await.unwrap();
    let _second = claim(&store, AT_ONCE).await.unwrap();
    assert_eq!(first.check().await.unwrap_err().kind(), Kind::Conflict);
    first.confirm().await.unwrap();
    assert!(!first.own_claim().is_gone());
    delete_all(&store).await;
    // The next workspace of the name begins with the same numbers.
    let made_anew = claim(&store, LONG).await.unwrap();
    assert_eq!(made_anew.number, first.number);
    assert_eq!(first.confirm().await.unwrap_err().kind(), Kind::Conflict);
    assert!(first.own_claim().is_gone() && !made_anew.own_claim().is_gone());
}
