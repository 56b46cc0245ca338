//! The commit of a large load of which nobody can tell whether it landed: whatever comes next finds the load once or not
//! at all, and all that was acknowledged.

use object_store::memory::InMemory;

use super::*;
use crate::harness::over;
use crate::observed_store::ObservedStore;

/// Version 0 is the table without rows.
const COMMIT: &str = "/events/_delta_log/00000000000000000001.json";

const BEFORE: usize = 30;
const BEHIND: usize = 20;
const NUMBERS: &str = "SELECT user_id, person FROM events WHERE event = 'seen' AND user_id LIKE 'b%' ORDER BY user_id";

/// Events of so many persons, each with an id of its own.
fn named(name: &str, count: usize) -> RecordBatch {
    let names: Vec<String> = (0..count).map(|number| format!("{name}{number}")).collect();
    let rows: Vec<_> = names.iter().map(|name| event(name, name)).collect();
    batch(&rows)
}

async fn send_named(world: &World, name: &str, count: usize) -> (u64, u64, u64) {
    let sender = stream(world).await;
    let checked = sender.check(named(name, count), b"").await.unwrap();
    counts(&sender.send(checked).await.wait().await.remove(0).unwrap())
}

async fn load(world: &World) -> Result<LoadSummary> {
    world.load_in_log("load", vec![Ok(named("load", MORE_THAN_THE_LOG_TAKES))]).await
}

/// A world whose load has failed, behind rows that are in the log alone.
async fn in_doubt(applied: bool) -> (Arc<ObservedStore>, World) {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let world = over(&store).await;
    assert_eq!(send_named(&world, "before", BEFORE).await, (BEFORE as u64, 0, 0));
    store.doubt(COMMIT, applied);
    let error = load(&world).await.unwrap_err();
    assert_ne!(error.kind(), Kind::Conflict, "it is not known that another one has this place: {error}");
    store.answer();
    assert_eq!(world.row(COUNT).await, format!("{BEFORE} {BEFORE} {BEFORE}"));
    (store, world)
}

/// The load again, which is no news where it landed.
async fn load_again(world: &World, landed: bool) {
    let summary = load(world).await.unwrap();
    let kept = if landed { 0 } else { MORE_THAN_THE_LOG_TAKES as u64 };
    assert_eq!((summary.skipped, summary.kept, summary.duplicate), (landed, kept, 0));
}

async fn check(store: &Arc<ObservedStore>, world: World) {
    let all = BEFORE + MORE_THAN_THE_LOG_TAKES + BEHIND;
    let expected = format!("{all} {all} {all}");
    assert_eq!(world.row(COUNT).await, expected);
    let numbers = world.rows(NUMBERS).await;
    // A store in memory has no log that outlives its process.
    world.flush().await;
    drop(world);
    let world = over(store).await;
    assert_eq!(world.row(COUNT).await, expected);
    assert_eq!(world.rows(NUMBERS).await, numbers);
    for (name, count) in [("before", BEFORE), ("behind", BEHIND), ("load", 100)] {
        assert_eq!(send_named(&world, name, count).await, (0, count as u64, 0), "{name}");
    }
    assert_eq!(world.row(COUNT).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_behind_a_doubtful_commit_find_the_load_once_or_not_at_all() {
    for landed in [true, false] {
        let (store, world) = in_doubt(landed).await;
        let numbers = world.rows(NUMBERS).await;
        assert_eq!(send_named(&world, "behind", BEHIND).await, (BEHIND as u64, 0, 0));
        let stored = BEFORE + BEHIND + if landed { MORE_THAN_THE_LOG_TAKES } else { 0 };
        assert_eq!(world.row(COUNT).await, format!("{stored} {stored} {stored}"));
        assert_eq!(world.rows(NUMBERS).await[..BEFORE], numbers, "the numbers of before");
        load_again(&world, landed).await;
        check(&store, world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_behind_a_doubtful_commit_is_the_same_one_or_new() {
    for landed in [true, false] {
        let (store, world) = in_doubt(landed).await;
        load_again(&world, landed).await;
        assert_eq!(send_named(&world, "behind", BEHIND).await, (BEHIND as u64, 0, 0));
        check(&store, world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_behind_a_doubtful_commit_writes_each_row_once() {
    for landed in [true, false] {
        let (store, world) = in_doubt(landed).await;
        world.flush().await;
        let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
        let stored = BEFORE + if landed { MORE_THAN_THE_LOG_TAKES } else { 0 };
        assert_eq!((workspace.snapshot().hot.rows(), workspace.snapshot().events.rows()), (0, stored as u64));
        drop(workspace);
        assert_eq!(send_named(&world, "behind", BEHIND).await, (BEHIND as u64, 0, 0));
        world.flush().await;
        load_again(&world, landed).await;
        check(&store, world).await;
    }
}

/// It fails once more, and then nobody knows of either whether it landed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_doubt_behind_the_first_loses_nothing() {
    let (store, world) = in_doubt(false).await;
    assert_eq!(send_named(&world, "behind", BEHIND).await, (BEHIND as u64, 0, 0));
    store.doubt(COMMIT, true);
    load(&world).await.unwrap_err();
    store.answer();
    load_again(&world, true).await;
    check(&store, world).await;
}
