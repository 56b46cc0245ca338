use chrono_tz::Tz;
use object_store::memory::InMemory;
use object_store::{ObjectStore, PutPayload};

use super::*;
use crate::clock::Clock;
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::paths::WalPaths;
use crate::workspace::{Manifest, Workspaces};

#[test]
fn what_a_dropped_workspace_left_of_its_log_is_removed_and_the_own_log_is_not() {
    let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let kind = |folder: &str, id: Uuid, name: &str| kind_of(&Path::from(format!("{folder}/{id}/{name}")), None, own);
    for (folder, name) in [("wal", "00000000000000000007.log"), ("wal_trim", "00000000000000000002.mark")] {
        assert_eq!(kind(folder, other, name), Some("log object of a dropped workspace"));
        assert_eq!(kind(folder, own, name), None);
    }
    assert_eq!(kind_of(&Path::from("wal/00000000000000000001.log"), None, own), None, "as on a local disk");
}

/// All that a writer may put late which slept while its workspace was dropped, and another one of its name made: a record
/// beside which it finds its claim gone, the fence and the mark of an opening, and what a flush writes before its commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_a_writer_of_a_dropped_workspace_left_is_removed() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    // The store tells the time of this machine: all that is there is older than the retention.
    let clock = Clock::seeded(1, Clock::default().now() + TimeDelta::days(3));
    let workspaces = Workspaces::new(Root::in_shared_store(Arc::clone(&store)).unwrap().with_clock(clock));
    let workspace = workspaces.create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap();
    drop(workspace.writer().await.unwrap());
    let (store, id) = (workspace.store(), Uuid::from_u128(1));
    let (own, other) = (workspace.manifest().id, WalPaths::new(Path::default(), id));
    let left = [
        other.object(3),
        other.object(4),
        other.trim_mark(2),
        Path::from(format!("events/month=2024-03/part-{id}.0123456789abcdef.parquet")),
        paths::identity_in_workspace(id),
        paths::dead_letters_in_workspace(id),
        paths::dedupe_run_in_workspace(id),
    ];
    for path in &left {
        store.put(path, PutPayload::from_static(b"late")).await.unwrap();
    }
    let removed = Vacuum::new(Arc::clone(&workspace), 1).unwrap().run().await.unwrap();
    let mut expected = left.to_vec();
    expected.sort();
    assert_eq!(removed.into_iter().map(|object| object.path).collect::<Vec<_>>(), expected);
    assert!(store.head(&WalPaths::new(Path::default(), own).object(1)).await.is_ok(), "its own log stays");
}
