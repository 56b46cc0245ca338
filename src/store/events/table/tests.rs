use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutPayload};

use super::*;
use crate::error::Kind;
use crate::store::delta::ChangeKind;

/// `commitInfo` of an OPTIMIZE: as delta-rs 1.6.6 (Python) wrote it, cut down, and with the keys of Delta Lake for Spark.
const FOREIGN: [&str; 2] = [
    r#"{"commitInfo":{"timestamp":1796056843262,"operation":"OPTIMIZE","operationParameters":{"predicate":"[]","targetSize":"104857600"},"readVersion":2,"engineInfo":"delta-rs:py-1.6.6","operationMetrics":{"numFilesAdded":1,"numFilesRemoved":3},"clientVersion":"delta-rs.py-1.6.6"}}"#,
    r#"{"commitInfo":{"timestamp":1796056843263,"operation":"OPTIMIZE","operationParameters":{"predicate":"[]"},"readVersion":3,"isolationLevel":"SnapshotIsolation","isBlindAppend":false,"engineInfo":"Apache-Spark/3.5.0 Delta-Lake/3.2.0"}}"#,
];

struct Events {
    table: EventsTable,
}

impl Events {
    async fn new() -> Self {
        Self::of(&Root::in_store(Arc::new(InMemory::new())).unwrap(), 1).await
    }

    /// Those of the workspace of this id.
    async fn of(root: &Root, id: u128) -> Self {
        let table = EventsTable::new(root, &WorkspaceName::default(), Uuid::from_u128(id)).unwrap();
        table.create().await.unwrap();
        Self { table }
    }

    async fn commit(&self, version: u64, position: u64) {
        let nothing = Change { removed: &[], added: &[], kind: ChangeKind::Append };
        let record = CommitRecord { position, identity: Some(format!("identity/{version}")), ..Default::default() };
        self.table.commit(version, nothing, &record).await.unwrap();
    }

    fn entry(version: u64) -> Path {
        paths::LogObject::entry_path(paths::EVENTS, version)
    }

    async fn commit_of_another_program(&self, version: u64) {
        let text = FOREIGN[version as usize % FOREIGN.len()];
        self.table.store.put(&Self::entry(version), PutPayload::from_static(text.as_bytes())).await.unwrap();
    }

    async fn position(&self, version: u64) -> u64 {
        self.table.position(version).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn commits_of_other_programs_keep_the_position() {
    let events = Events::new().await;
    events.commit_of_another_program(1).await;
    events.commit(2, 7).await;
    events.commit_of_another_program(3).await;
    events.commit_of_another_program(4).await;
    events.commit(5, 9).await;
    for (version, position) in [(0, 0), (1, 0), (2, 7), (3, 7), (4, 7), (5, 9)] {
        assert_eq!(events.position(version).await, position, "version {version}");
    }
    let loaded = events.table.commits(0, 5).await.unwrap();
    assert_eq!(loaded.iter().map(|record| record.position).collect::<Vec<_>>(), [7, 9]);
}

/// The entries of our commits may be gone by then: what they said is gathered.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_position_outlives_the_entries_that_told_it() {
    let events = Events::new().await;
    events.commit(1, 3).await;
    events.commit(2, 7).await;
    events.commit_of_another_program(3).await;
    events.table.checkpoint(3).await.unwrap();
    events.commit_of_another_program(4).await;
    for version in 0..=3 {
        events.table.store.delete(&Events::entry(version)).await.unwrap();
    }
    assert_eq!(events.position(4).await, 7);
}

/// By the times in the entries; compactions, message ids made anew and the commits of other programs bring no rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn when_rows_came_last_is_told_by_the_commit_that_brought_them() {
    let events = Events::new().await;
    let since = async |version| events.table.reach(version).await.unwrap().since;
    assert_eq!(since(0).await, None);
    let before = Utc::now() - chrono::Duration::seconds(1);
    events.commit(1, 3).await;
    let first = since(1).await.unwrap();
    assert!(first > before && first <= Utc::now(), "{first}");
    events.table.rewrite(2, Change { removed: &[], added: &[], kind: ChangeKind::Append }, 3).await.unwrap();
    events.commit_of_another_program(3).await;
    assert_eq!((since(2).await, since(3).await), (Some(first), Some(first)));
    let dedupe = RunChange { added: vec!["dedupe/new.run".to_owned()], removed: vec!["dedupe/lost.run".to_owned()] };
    let anew = CommitRecord { position: 3, dedupe, is_without_rows: true, ..CommitRecord::default() };
    let nothing = Change { removed: &[], added: &[], kind: ChangeKind::Append };
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    events.table.commit(4, nothing, &anew).await.unwrap();
    assert_eq!(since(4).await, Some(first));
    events.commit(5, 5).await;
    assert!(since(5).await.unwrap() > first);
    events.table.store.delete(&Events::entry(1)).await.unwrap();
    assert_eq!(since(3).await, None, "nothing tells it any more");
}

/// A writer that slept while its workspace was dropped, and another one of its name made, is past its last check.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_commit_of_a_dropped_workspace_is_none_of_the_next_one() {
    let root = Root::in_store(Arc::new(InMemory::new())).unwrap();
    let (slept, events) = (Events::of(&root, 1).await, Events::of(&root, 2).await);
    events.commit(1, 3).await;
    slept.commit(2, 1_000).await;
    let read = events.table.commits(0, 2).await.map(drop);
    for refused in [events.table.reach(2).await.map(drop), events.table.position(2).await.map(drop), read] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "{error}");
        assert!(error.what().contains(Events::entry(2).as_ref()), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("remove that object")), "{error}");
    }
    // As its help says.
    events.table.store.delete(&Events::entry(2)).await.unwrap();
    assert_eq!(events.position(1).await, 3);
}
