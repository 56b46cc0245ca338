use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::take::is_due;
use super::*;
use crate::error::{Error, Kind};
use crate::identity::tests::{Event, add, event};
use crate::identity::{IdentityGraph, IdentitySnapshot};
use crate::store::delta::LiveFiles;
use crate::store::events::{CommitRecord, LoadRecord};
use crate::store::objects;
use crate::workspace::{Commits, Snapshot};

/// A graph that grows by one load at a time, and its checkpoints, of three rows an object.
struct Growing {
    checkpoints: Checkpoints,
    graph: IdentityGraph,
    commits: Commits,
}

impl Growing {
    fn new() -> Self {
        let mut checkpoints = Checkpoints::new(Arc::new(InMemory::new()), Clock::default(), Uuid::from_u128(1));
        checkpoints.part_rows = 3;
        Self { checkpoints, graph: IdentityGraph::default(), commits: Commits::default() }
    }

    /// Ten identifiers of five persons more.
    fn grow(&mut self, load: usize) -> IdentitySnapshot {
        let graph = &mut self.graph;
        let of_person = |person: usize| event(&[(0, &format!("u{load}-{person}")), (7, &format!("c{load}-{person}"))]);
        add(graph, &(0..5).map(of_person).collect::<Vec<Event>>());
        graph.finish_batch();
        graph.snapshot()
    }

    /// Ten identifiers of five persons, then a checkpoint.
    async fn load_and_write(&mut self) -> Checkpoint {
        let load = self.commits.len();
        let identity = self.grow(load);
        let record = LoadRecord {
            number: load as u32 + 1,
            source: "test".into(),
            content_hash: load.to_string(),
            file_hash: None,
            token_source: None,
            repetition: 0,
            kept: 5,
            duplicate: 0,
            rejected: 0,
        };
        let position = load as u64 + 1;
        self.commits.push(Arc::new(CommitRecord { position, loads: vec![record], ..Default::default() }));
        let version = self.commits.len() as u64;
        let events = LiveFiles { version, ..Default::default() };
        let commits = self.commits.clone();
        let snapshot = Snapshot { events, identity, commits, ..Default::default() };
        let written = Arc::<AtomicU64>::default();
        let checkpoint = self.checkpoints.write(&snapshot, &written, ready(Ok(()))).await.unwrap();
        assert_eq!(written.load(Ordering::Relaxed), version * (10 + 10 + 5 + 1), "nodes twice, births, commits");
        self.checkpoints.remove_older().await.unwrap();
        checkpoint
    }

    async fn restore(&self, version: u64) -> Option<(u64, usize, usize)> {
        let restored = self.checkpoints.restore(version, IdentityGraph::default).await?;
        Some((restored.version, restored.graph.nodes(), restored.commits.len()))
    }

    async fn objects(&self) -> Vec<Path> {
        let found = self.checkpoints.store.list(None).map_ok(|object| object.location);
        found.try_collect().await.unwrap()
    }

    async fn replace(&self, path: &Path, bytes: Vec<u8>) {
        self.checkpoints.store.put(path, PutPayload::from(bytes)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_large_state_is_split_over_objects() {
    let mut growing = Growing::new();
    let checkpoint = growing.load_and_write().await;
    assert_eq!((checkpoint.nodes, checkpoint.persons, checkpoint.epoch), (10, 5, 1));
    assert_eq!(checkpoint.node_parts.len(), 4, "ten rows, three an object");
    assert_eq!(growing.restore(1).await, Some((1, 10, 1)));
    let manifest: serde_json::Value =
        objects::read_json(&growing.checkpoints.store, &checkpoint.published_manifest.as_str().into())
            .await
            .unwrap()
            .unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), 4);
    assert_eq!((&manifest["epoch"], &manifest["nodes"], &manifest["persons"]), (&1.into(), &10.into(), &5.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_newest_two_are_kept_and_foreign_files_left_alone() {
    let mut growing = Growing::new();
    let foreign = Path::from("open/persons/notes.txt");
    growing.replace(&foreign, b"mine".to_vec()).await;
    for _ in 0..4 {
        growing.load_and_write().await;
    }
    let objects = growing.objects().await;
    let manifests = |suffix: &str| objects.iter().filter(|path| path.as_ref().ends_with(suffix)).count();
    assert_eq!(manifests("checkpoint.json"), 2);
    assert_eq!(manifests(".json"), 4, "and two of published tables");
    for version in 1..=2 {
        let left = objects.iter().find(|path| path.as_ref().contains(&format!("/version={version}/")));
        assert_eq!(left, None);
    }
    assert!(objects.contains(&foreign));
    assert_eq!(growing.restore(4).await, Some((4, 40, 4)));
    assert_eq!(growing.restore(3).await, Some((3, 30, 3)), "not one of the future");
    assert_eq!(growing.restore(2).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn damage_of_any_object_is_seen_and_the_older_one_taken() {
    let mut growing = Growing::new();
    growing.load_and_write().await;
    let newest = growing.load_and_write().await;
    let all = growing.objects().await;
    let of_newest: Vec<_> =
        all.into_iter().filter(|path| path.as_ref().starts_with("identity/checkpoints/0000000002-")).collect();
    let parts = newest.node_parts.len() + newest.birth_parts.len() + newest.commit_parts.len();
    assert_eq!(of_newest.len(), parts + 1);
    for path in of_newest {
        let whole = objects::read(&growing.checkpoints.store, &path).await.unwrap().unwrap().to_vec();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        // A manifest with one changed letter may still be one; all else must be noticed.
        if !path.as_ref().ends_with(".json") {
            growing.replace(&path, flipped).await;
            assert_eq!(growing.restore(2).await, Some((1, 10, 1)), "a flipped bit of {path}");
        }
        growing.replace(&path, whole[..whole.len() / 2].to_vec()).await;
        assert_eq!(growing.restore(2).await, Some((1, 10, 1)), "half of {path}");
        growing.checkpoints.store.delete(&path).await.unwrap();
        assert_eq!(growing.restore(2).await, Some((1, 10, 1)), "without {path}");
        growing.replace(&path, whole).await;
        assert_eq!(growing.restore(2).await, Some((2, 20, 2)), "{path} is whole again");
    }
}

/// As one that a writer wrote which slept while its workspace was dropped, and another one of its name made.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_checkpoint_of_another_workspace_is_passed_over() {
    let mut growing = Growing::new();
    growing.load_and_write().await;
    assert_eq!(growing.restore(1).await, Some((1, 10, 1)));
    growing.checkpoints.workspace = Uuid::from_u128(2);
    assert_eq!(growing.restore(1).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_may_write_no_more_publishes_nothing() {
    let mut growing = Growing::new();
    let identity = growing.grow(0);
    let snapshot = Snapshot { identity, ..Default::default() };
    let refused = ready(Err(Error::conflict("taken over")));
    assert_eq!(
        growing.checkpoints.write(&snapshot, &Arc::default(), refused).await.unwrap_err().kind(),
        Kind::Conflict
    );
    let is_hidden =
        |path: &Path| path.as_ref().starts_with("identity/checkpoints/") && path.extension() == Some("parquet");
    let objects = growing.objects().await;
    assert!(!objects.is_empty() && objects.iter().all(is_hidden), "{objects:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_broken_off_attempt_left_is_replaced() {
    let mut growing = Growing::new();
    let first = growing.load_and_write().await;
    // As if the process had died before the last object: everything is there but the checkpoint's manifest.
    let objects = growing.objects().await;
    let last = objects.iter().find(|path| path.as_ref().ends_with("checkpoint.json")).unwrap();
    growing.checkpoints.store.delete(last).await.unwrap();
    assert_eq!(growing.restore(1).await, None);
    let snapshot = Snapshot {
        events: LiveFiles { version: 1, ..Default::default() },
        identity: growing.graph.snapshot(),
        commits: growing.commits.clone(),
        ..Default::default()
    };
    let written = Arc::<AtomicU64>::default();
    let again = growing.checkpoints.write(&snapshot, &written, ready(Ok(()))).await.unwrap();
    growing.checkpoints.remove_older().await.unwrap();
    assert_eq!(again.published_manifest, first.published_manifest);
    assert_eq!(growing.restore(1).await, Some((1, 10, 1)));
    assert_eq!(growing.objects().await.len(), objects.len(), "nothing of the first attempt is left");
    assert!(written.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn size_is_due_by_the_setting_and_by_growth() {
    let mut growing = Growing::new();
    let ten = growing.load_and_write().await;
    assert!(!is_due(None, 4, 5) && is_due(None, 5, 5));
    assert!(!is_due(Some(&ten), 14, 5) && is_due(Some(&ten), 15, 5));
    assert!(!is_due(None, 1_000, 0), "0 is never");
    let large = Checkpoint { nodes: 8_000, ..ten };
    assert!(!is_due(Some(&large), 8_999, 5) && is_due(Some(&large), 9_000, 5), "an eighth of 8000");
}
