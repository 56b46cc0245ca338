use std::ops::Range;

use chrono_tz::Tz;
use futures::StreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::error::Kind;
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::workspace::hot::AppendResult;
use crate::workspace::tests::simulation::events::{Batch, Message};
use crate::workspace::{Manifest, Workspaces};

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Events of a flush.
const EVENTS: u32 = 100;

/// As one more process over the same bucket.
async fn process(store: &Arc<dyn ObjectStore>) -> Arc<Workspace> {
    let workspaces = Workspaces::new(Root::in_shared_store(Arc::clone(store)).unwrap());
    workspaces.get_or_create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await.unwrap()
}

async fn send(workspace: &Arc<Workspace>, numbers: Range<u32>) -> AppendResult {
    let messages = numbers.map(|number| Message::new(0, number)).collect();
    let batch = Batch { messages, rejected: Vec::new(), key: None };
    let events = batch.events(workspace.snapshot().rules.revision, workspace.clock().now_micros());
    // The process before ends its claim in the background.
    let writer = loop {
        match workspace.writer().await {
            Err(error) if error.kind() == Kind::Conflict => tokio::time::sleep(Duration::from_millis(5)).await,
            writer => break writer.unwrap(),
        }
    };
    writer.append(events).await.unwrap().remove(0)
}

fn numbers(batch: u32) -> Range<u32> {
    batch * EVENTS..(batch + 1) * EVENTS
}

/// A bucket with a flush of each of so many batches, and what runs there are.
async fn bucket(batches: u32) -> (Arc<dyn ObjectStore>, Vec<Path>) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let workspace = process(&store).await;
    for batch in 0..batches {
        assert_eq!(send(&workspace, numbers(batch)).await.kept, u64::from(EVENTS));
        workspace.flush(1 << 20).await.unwrap();
    }
    let runs = runs(&store).await;
    assert_eq!(runs.len(), batches as usize);
    (store, runs)
}

async fn runs(store: &Arc<dyn ObjectStore>) -> Vec<Path> {
    let listed = store.list(Some(&Path::from("convoke/dedupe")));
    let mut paths: Vec<Path> = listed.map(|object| object.unwrap().location).collect().await;
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_are_gone_from_a_bucket_are_written_anew_and_named() {
    let (store, before) = bucket(3).await;
    store.delete(&before[1]).await.unwrap();
    for turn in 0..2 {
        let next = process(&store).await;
        for batch in 0..3 {
            let result = send(&next, numbers(batch)).await;
            assert_eq!((result.kept, result.duplicate), (0, u64::from(EVENTS)), "batch {batch}, turn {turn}");
        }
        let state = next.snapshot();
        assert_eq!(state.events.rows(), u64::from(3 * EVENTS));
        // Each batch was flushed by a commit of its own, the last of which is version 3.
        let since = async |version| next.events().reach(version).await.unwrap().since.unwrap();
        assert_eq!(since(state.events.version).await, since(3).await, "it brought no rows");
        let named: Vec<Path> =
            state.dedupe_runs().into_iter().map(|run| Path::from(format!("convoke/{run}"))).collect();
        let (kept, new): (Vec<&Path>, Vec<&Path>) = named.iter().partition(|run| before.contains(run));
        assert_eq!((kept, new.len()), (vec![&before[0], &before[2]], 1), "all keys fit into one");
        assert!(runs(&store).await.contains(new[0]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_cannot_merge_runs_stands_and_they_are_written_anew() {
    // So many of like size are merged when they are in memory no more.
    let (store, before) = bucket(8).await;
    let damaged = &before[3];
    let mut bytes = store.get(damaged).await.unwrap().bytes().await.unwrap().to_vec();
    // In a block, behind the header.
    bytes[100] ^= 0x40;
    store.put(damaged, bytes.into()).await.unwrap();
    let next = process(&store).await;
    // One alone, that hardly is looked up in the damaged block.
    assert_eq!(send(&next, 8 * EVENTS..8 * EVENTS + 1).await.kept, 1);
    next.flush(1 << 20).await.unwrap();
    let state = next.snapshot();
    assert_eq!((state.events.rows(), state.hot.rows()), (u64::from(8 * EVENTS + 1), 0));
    assert!(!state.dedupe_runs().iter().any(|run| damaged.as_ref().ends_with(run)));
    for batch in 0..8 {
        assert_eq!(send(&next, numbers(batch)).await.duplicate, u64::from(EVENTS), "batch {batch}");
    }
}

/// All events are read for it, and many senders wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_ids_that_cannot_be_made_anew_are_not_tried_with_each_group() {
    let (store, runs) = bucket(1).await;
    store.delete(&runs[0]).await.unwrap();
    let listed: Vec<_> = store.list(Some(&Path::from("convoke/events"))).map(|object| object.unwrap()).collect().await;
    let file =
        listed.into_iter().map(|object| object.location).find(|path| path.extension() == Some("parquet")).unwrap();
    let whole = store.get(&file).await.unwrap().bytes().await.unwrap();
    store.put(&file, vec![0; whole.len()].into()).await.unwrap();
    let next = process(&store).await;
    let refusal = async || loop {
        match next.writer().await.err() {
            // The process before ends its claim in the background.
            Some(error) if error.kind() == Kind::Conflict => tokio::time::sleep(Duration::from_millis(5)).await,
            error => break error.map(|error| (error.kind(), error.to_string())),
        }
    };
    let first = refusal().await.expect("refused");
    assert_eq!(first.0, Kind::Corrupt, "{}", first.1);
    // Whoever only reads, or puts files in place of others, does without them.
    next.writer_of_files().await.unwrap();
    assert_eq!(next.snapshot().events.rows(), u64::from(EVENTS));
    // Had the file been read once more, it would be found whole.
    store.put(&file, whole.into()).await.unwrap();
    assert_eq!(refusal().await, Some(first));
    // As when its time has passed.
    next.turn().await.keys_failure = None;
    assert_eq!(send(&next, numbers(0)).await.duplicate, u64::from(EVENTS));
}

/// Another program's commit takes the place: no version names what was written, and each try would leave more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_whose_commit_is_refused_are_removed() {
    let (store, before) = bucket(2).await;
    let next = process(&store).await;
    assert_eq!(send(&next, numbers(0)).await.duplicate, u64::from(EVENTS));
    let mut writer = next.writer().await.unwrap();
    store.delete(&before[0]).await.unwrap();
    let version = next.snapshot().events.version + 1;
    let commit = Path::from(format!("convoke/events/_delta_log/{version:020}.json"));
    // PROTOCOL.md of Delta: the information of a commit is free.
    store.put(&commit, r#"{"commitInfo":{"operation":"OPTIMIZE"}}"#.into()).await.unwrap();
    let error = writer.make_keys_anew(&Error::corrupt("a run is gone")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(runs(&store).await, before[1..]);
    drop(writer);
    assert_eq!(send(&next, numbers(0)).await.duplicate, u64::from(EVENTS));
    assert_eq!(next.snapshot().events.version, version + 1);
}

/// `None` where the log has no bounds.
fn file(name: &str, hours: Option<(i64, i64)>) -> Arc<DataFile> {
    let place = schema::stored().index_of(RECEIVED_AT).unwrap();
    let mut bounds = vec![None; place + 1];
    bounds[place] = hours.map(|(first, last)| (first * MICROS_PER_HOUR, last * MICROS_PER_HOUR));
    let (null_counts, path) = (vec![None; place + 1], name.to_owned());
    Arc::new(DataFile { path, bytes: 1, rows: 1, modified: 0, partition: None, null_counts, bounds })
}

#[test]
fn files_that_no_row_of_the_window_can_be_in_are_not_read() {
    // Ten hours each, one after the other up to hour 1299.
    let mut files: Vec<_> = (0..30).map(|at| file("of ten hours", Some((1000 + at * 10, 1009 + at * 10)))).collect();
    files.push(file("without bounds", None));
    let firsts = |files: &[Arc<DataFile>]| -> Vec<Option<i64>> {
        let within = files_of_window(files, 48);
        within.iter().map(|file| Some(schema::received_of(file)?.0 / MICROS_PER_HOUR)).collect()
    };
    // 48 hours of the window, 48 of the reserve: from hour 1203 on.
    let expected: Vec<Option<i64>> = (20..30).map(|at| Some(1000 + at * 10)).chain([None]).collect();
    assert_eq!(firsts(&files), expected);
    // One from a clock that was far ahead takes a day, not all of it.
    files.push(file("far ahead", Some((9_000_000, 9_000_000))));
    let expected: Vec<Option<i64>> = (22..30).map(|at| Some(1000 + at * 10)).chain([None, Some(9_000_000)]).collect();
    assert_eq!(firsts(&files), expected);
}
