//! A damaged run is refused by name, or answers as if it were whole.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::check::Verdict;
use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::key::{BatchKey, MessageKey};
use super::super::pending::Pending;
use super::super::run::Run;
use super::{SMALL, at_hour, keys, memory_store};
use crate::error::{Error, Kind, Result};

const PATH: &str = "dedupe/some.run";
const MESSAGES: u64 = 45;
const BATCHES: u64 = 9;
const SETTINGS: DedupeSettings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes: 0 };

fn batch(number: u64) -> (BatchKey, Bytes) {
    (BatchKey::of(&format!("batch-{number}")), Bytes::from(format!("result of batch {number}")))
}

async fn written_bytes() -> Bytes {
    let store = memory_store();
    let mut index = DedupeIndex::new(SETTINGS).with_layout(SMALL);
    index.add(keys(0..MESSAGES), at_hour(1000));
    for (key, result) in (0..BATCHES).map(batch) {
        index.add_batch(key, result, at_hour(1001));
    }
    index.seal(1).unwrap().write(&store, &Path::from(PATH)).await.unwrap();
    store.get(&Path::from(PATH)).await.unwrap().bytes().await.unwrap()
}

async fn store_of(bytes: Vec<u8>) -> Arc<dyn ObjectStore> {
    let store = memory_store();
    store.put(&Path::from(PATH), bytes.into()).await.unwrap();
    store
}

/// All answers that the run gives for keys in it and others.
async fn answers(run: Arc<Run>) -> Vec<Result<(Vec<Verdict>, Vec<Option<Bytes>>)>> {
    let index = DedupeIndex::from_runs(SETTINGS, vec![run]);
    let asked: Vec<MessageKey> = keys(0..4 * MESSAGES);
    let mut answers = Vec::new();
    // Few keys at a time: one damaged block must not hide the others.
    for (at, some) in (0..).zip(asked.chunks(30)) {
        let decided = index.check(some, &Pending::default()).resolve().await;
        let result = index.batch_result(batch(at % (2 * BATCHES)).0).await;
        answers.push(decided.and_then(|decision| Ok((decision.verdicts().to_vec(), vec![result?]))));
    }
    answers
}

fn assert_names_the_run(error: &Error, what: &str) {
    assert_eq!(error.kind(), Kind::Corrupt, "{what}: {error}");
    assert!(error.message().contains(PATH), "{what}: {error}");
}

#[tokio::test]
async fn each_byte_that_changes_is_noticed_or_changes_nothing() {
    let whole = written_bytes().await;
    let store = store_of(whole.to_vec()).await;
    let run = Arc::new(Run::open(store, Path::from(PATH)).await.unwrap());
    run.verify().await.unwrap();
    let expected: Vec<_> = answers(run).await.into_iter().map(|answer| answer.unwrap()).collect();
    let (mut refused, mut answered) = (0, 0);
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let what = format!("byte {at} of {} changed by {mask:#x}", whole.len());
            let mut bytes = whole.to_vec();
            bytes[at] ^= mask;
            let run = match Run::open(store_of(bytes).await, Path::from(PATH)).await {
                Ok(run) => Arc::new(run),
                Err(error) => {
                    assert_names_the_run(&error, &what);
                    refused += 1;
                    continue;
                }
            };
            assert_names_the_run(&run.verify().await.unwrap_err(), &what);
            for (answer, expected) in answers(run).await.into_iter().zip(&expected) {
                match answer {
                    Ok(answer) => assert_eq!(answer, *expected, "{what}"),
                    Err(error) => assert_names_the_run(&error, &what),
                }
            }
            answered += 1;
        }
    }
    assert!(refused > 100 && answered > 100, "{refused} refused, {answered} opened");
}

#[tokio::test]
async fn a_run_that_was_cut_is_refused() {
    let whole = written_bytes().await;
    for end in 0..whole.len() {
        let store = store_of(whole[..end].to_vec()).await;
        let error = Run::open(store, Path::from(PATH)).await.unwrap_err();
        assert_names_the_run(&error, &format!("cut at {end}"));
    }
}

#[tokio::test]
async fn a_missing_run_is_damage() {
    let error = Run::open(memory_store(), Path::from(PATH)).await.unwrap_err();
    assert_names_the_run(&error, "missing");
    // Gone after it was opened: it does not turn into "new".
    let store = store_of(written_bytes().await.to_vec()).await;
    let run = Arc::new(Run::open(Arc::clone(&store), Path::from(PATH)).await.unwrap());
    store.delete(&Path::from(PATH)).await.unwrap();
    let index = DedupeIndex::from_runs(SETTINGS, vec![run]);
    let error = index.check(&keys(0..MESSAGES), &Pending::default()).resolve().await.unwrap_err();
    assert_names_the_run(&error, "gone");
}

/// Whole blocks in the wrong place pass no check either.
#[tokio::test]
async fn blocks_that_changed_places_are_damage() {
    let mut bytes = written_bytes().await.to_vec();
    let (header, block) = (16, 4 * 20 + 4);
    for at in header..header + block {
        bytes.swap(at, at + block);
    }
    let run = Arc::new(Run::open(store_of(bytes).await, Path::from(PATH)).await.unwrap());
    assert_names_the_run(&run.verify().await.unwrap_err(), "swapped");
    let index = DedupeIndex::from_runs(SETTINGS, vec![run]);
    let error = index.check(&keys(0..MESSAGES), &Pending::default()).resolve().await.unwrap_err();
    assert_names_the_run(&error, "swapped");
}
