use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::block::BatchEntry;
use super::super::cache::BlockCache;
use super::super::check::Verdict;
use super::super::clock::Hour;
use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::key::{BatchKey, RawKey};
use super::super::pending::Pending;
use super::super::run::{BatchScan, Layout, MessageScan, Run, RunWriter, summarize};
use super::{SMALL, key, keys, mark, memory_store, write_run};
use crate::error::Kind;

async fn contains(run: &Run, key: &RawKey) -> Option<Hour> {
    let candidate = run.probe(key)?;
    run.find(&[candidate], &BlockCache::new(0)).await.unwrap()[0]
}

#[tokio::test]
async fn an_opened_run_is_the_written_one() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    for (store, count) in
        [1, 3, 4, 5, 16, 17, 333].map(|count| (memory_store(), count)).into_iter().chain([(local, 333)])
    {
        let path = Path::from(format!("runs/{count}"));
        let mut writer = RunWriter::new(Arc::clone(&store), path.clone(), mark(9, 70), SMALL);
        let mut sorted = keys(0..count);
        sorted.sort_unstable();
        for (at, key) in (0..).zip(&sorted) {
            writer.push_message(key.raw(), Hour(20 + at)).await.unwrap();
        }
        let batch = BatchEntry { key: BatchKey::of("a").raw(), hour: Hour(19), result: vec![b'r'; 50].into() };
        writer.push_batch(batch.clone()).await.unwrap();
        let written = Arc::new(writer.finish().await.unwrap());
        let opened = Arc::new(Run::open(Arc::clone(&store), path.clone()).await.unwrap());
        let summary = summarize(&store, &path).await.unwrap();
        assert_eq!((summary.messages, summary.batches, summary.mark), (count, 1, mark(9, 70)));
        assert_eq!((summary.oldest, summary.newest), (Hour(19), Hour(19 + count as u32)));
        assert!(summary.bytes.abs_diff(opened.bytes() as u64) < 100 + opened.bytes() as u64 / 2);
        for run in [&written, &opened] {
            run.verify().await.unwrap();
            assert_eq!((run.messages(), run.batches(), run.mark()), (count, 1, mark(9, 70)));
            for (at, key) in (0..).zip(&sorted) {
                assert_eq!(contains(run, &key.raw()).await, Some(Hour(20 + at)));
            }
            let mut scan = MessageScan::new(Arc::clone(run));
            for (at, key) in (0..).zip(&sorted) {
                assert_eq!(scan.next().await.unwrap(), Some((key.raw(), Hour(20 + at))));
            }
            assert_eq!(scan.next().await.unwrap(), None);
            assert_eq!(BatchScan::new(Arc::clone(run)).next().await.unwrap(), Some(batch.clone()));
            assert_eq!(run.find_batch(&batch.key).await.unwrap(), Some(batch.clone()));
            assert_eq!(run.find_batch(&key(1).raw()).await.unwrap(), None);
        }
        assert_eq!(written.bytes(), opened.bytes());
    }
}

/// A key that the filter lets through is looked up, and is new when the run does not have it.
#[tokio::test]
async fn a_hit_of_the_filter_is_no_duplicate() {
    let store = memory_store();
    let run = Arc::new(write_run(&store, "run", &keys(0..500), 1000).await);
    let hits: Vec<_> = (500..20_000).map(key).filter(|key| run.probe(&key.raw()).is_some()).collect();
    assert!(hits.len() > 20, "only {} keys hit", hits.len());
    let mut batch = hits.clone();
    batch.extend(keys(0..500));
    for cache_bytes in [0, 1 << 20] {
        let settings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes };
        let index = DedupeIndex::from_runs(settings, vec![Arc::clone(&run)]);
        // The second time the blocks are in the cache.
        for _ in 0..2 {
            let decision = index.check(&batch, &Pending::default()).resolve().await.unwrap();
            let (others, own) = decision.verdicts().split_at(hits.len());
            assert!(others.iter().all(|verdict| *verdict == Verdict::New));
            assert!(own.iter().all(|verdict| *verdict == Verdict::Duplicate));
        }
    }
}

/// Two keys may agree in the eight bytes that the filter sees, on both sides of a block's end.
#[tokio::test]
async fn keys_of_one_prefix_are_told_apart() {
    let store = memory_store();
    let raw = |number: u128| (7_u128 << 64 | number).to_be_bytes();
    let mut writer = RunWriter::new(Arc::clone(&store), Path::from("run"), mark(1, 5), SMALL);
    for number in (0..100).step_by(2) {
        writer.push_message(raw(number), Hour(5)).await.unwrap();
    }
    let run = writer.finish().await.unwrap();
    for number in 0..100 {
        assert_eq!(contains(&run, &raw(number)).await.is_some(), number % 2 == 0, "key {number}");
    }
}

#[tokio::test]
async fn a_taken_path_is_a_conflict() {
    let store = memory_store();
    for (path, part_bytes) in [("small", 1 << 20), ("in parts", 100)] {
        let layout = Layout { part_bytes, ..SMALL };
        store.put(&Path::from(path), vec![1, 2, 3].into()).await.unwrap();
        let mut writer = RunWriter::new(Arc::clone(&store), Path::from(path), mark(1, 5), layout);
        let mut outcome = Ok(());
        for number in 0..50_u128 {
            outcome = outcome.and(writer.push_message(number.to_be_bytes(), Hour(5)).await);
        }
        let error = match outcome {
            Err(error) => error,
            Ok(()) => writer.finish().await.unwrap_err(),
        };
        assert_eq!(error.kind(), Kind::Conflict, "{path}: {error}");
        let there = store.get(&Path::from(path)).await.unwrap().bytes().await.unwrap();
        assert_eq!(&there[..], [1, 2, 3], "{path}");
    }
}

#[tokio::test]
async fn keys_out_of_order_are_refused() {
    let store = memory_store();
    let mut writer = RunWriter::new(Arc::clone(&store), Path::from("run"), mark(1, 5), SMALL);
    writer.push_message([2; 16], Hour(5)).await.unwrap();
    assert!(writer.push_message([2; 16], Hour(5)).await.is_err());
    let batch = BatchEntry { key: [1; 16], hour: Hour(5), result: Vec::new().into() };
    writer.push_batch(batch.clone()).await.unwrap();
    assert!(writer.push_batch(batch).await.is_err());
    assert!(writer.push_message([3; 16], Hour(5)).await.is_err());
}
