use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::clock::{Hour, RESERVE_HOURS};
use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::key::BatchKey;
use super::super::merge::{merge, merge_with};
use super::super::pending::Pending;
use super::super::run::Run;
use super::{SMALL, at_hour, key, keys, memory_store, write_run};
use crate::error::Kind;

const SETTINGS: DedupeSettings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes: 0 };

#[tokio::test]
async fn a_merged_run_holds_what_its_inputs_hold_within_the_window() {
    let store = memory_store();
    let inputs = [
        Arc::new(write_run(&store, "old", &keys(0..100), 1000).await),
        Arc::new(write_run(&store, "middle", &keys(50..300), 1005).await),
        Arc::new(write_run(&store, "new", &keys(290..310), 1010).await),
    ];
    for (horizon, messages, oldest) in [(0, 310, 1000), (1005, 260, 1005), (1006, 20, 1010)] {
        let path = Path::from(format!("merged-{horizon}"));
        let merged = merge_with(&inputs, &store, &path, Hour(horizon), SMALL).await.unwrap().unwrap();
        let merged = Arc::new(merged);
        merged.verify().await.unwrap();
        assert_eq!((merged.messages(), merged.oldest(), merged.newest()), (messages, Hour(oldest), Hour(1010)));
        let index = DedupeIndex::from_runs(SETTINGS, vec![merged]);
        let decision = index.check(&keys(0..400), &Pending::default()).resolve().await.unwrap();
        let new: Vec<u64> = decision.new_places().map(|place| place as u64).collect();
        let expected: Vec<u64> = (0..400)
            .filter(|number| match horizon {
                0 => *number >= 310,
                1005 => !(50..310).contains(number),
                _ => !(290..310).contains(number),
            })
            .collect();
        assert_eq!(new, expected, "horizon {horizon}");
    }
    let gone = Path::from("gone");
    assert!(merge(&inputs, &store, &gone, Hour(1011)).await.unwrap().is_none());
    assert!(store.head(&gone).await.is_err(), "no object is written for no keys");
    assert!(merge(&[], &store, &gone, Hour(0)).await.is_err());
}

#[tokio::test]
async fn batches_are_merged_with_their_results() {
    let store = memory_store();
    let mut inputs = Vec::new();
    for run in 0..3_u32 {
        let mut index = DedupeIndex::new(SETTINGS).with_layout(SMALL);
        for number in run * 10..run * 10 + 15 {
            let result = Bytes::from(format!("result {number} of run {run}"));
            index.add_batch(BatchKey::of(&format!("{number}")), result, at_hour(1000 + run));
        }
        let sealed = index.seal(u64::from(run)).unwrap();
        inputs.push(Arc::new(sealed.write(&store, &Path::from(format!("{run}"))).await.unwrap()));
    }
    let merged = merge_with(&inputs, &store, &Path::from("merged"), Hour(1001), SMALL).await.unwrap().unwrap();
    let merged = Arc::new(merged);
    merged.verify().await.unwrap();
    assert_eq!((merged.messages(), merged.batches(), merged.mark().position), (0, 25, 2));
    let index = DedupeIndex::from_runs(SETTINGS, vec![merged]);
    for number in 0..40 {
        let found = index.batch_result(BatchKey::of(&format!("{number}"))).await.unwrap();
        let expected = match number {
            10..20 => Some(format!("result {number} of run 1")),
            20..35 => Some(format!("result {number} of run 2")),
            _ => None,
        };
        assert_eq!(found, expected.map(Bytes::from), "batch {number}");
    }
}

async fn index_of_runs(store: &Arc<dyn ObjectStore>, hours: &[u32]) -> DedupeIndex {
    let mut index = DedupeIndex::new(SETTINGS).with_layout(SMALL);
    for (number, hour) in (0..).zip(hours) {
        index.add(keys(number * 10..number * 10 + 10), at_hour(*hour));
        let sealed = index.seal(number).unwrap();
        let run = sealed.write(store, &Path::from(format!("flush-{number}"))).await.unwrap();
        index.install(&sealed, run).unwrap();
    }
    index
}

#[tokio::test]
async fn a_merged_run_takes_the_place_of_its_inputs() {
    let store = memory_store();
    let mut index = index_of_runs(&store, &[1000, 1001, 1002, 1003]).await;
    let inputs: Vec<Arc<Run>> = index.runs().take(2).map(Arc::clone).collect();
    let paths: Vec<Path> = inputs.iter().map(|run| run.path().clone()).collect();
    let horizon = index.horizon();
    let merged = merge(&inputs, &store, &Path::from("merged"), horizon).await.unwrap();
    index.replace(&paths, merged).unwrap();
    for path in &paths {
        store.delete(path).await.unwrap();
    }
    let left: Vec<&str> = index.runs().map(|run| run.path().as_ref()).collect();
    assert_eq!(left, ["merged", "flush-2", "flush-3"]);
    let decision = index.check(&keys(0..41), &Pending::default()).resolve().await.unwrap();
    assert_eq!(decision.new_places().collect::<Vec<_>>(), [40]);
    let error = index.replace(&paths, None).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "the inputs are gone");
}

/// A busy month: few runs to ask at any time, none much longer than a tenth of the window, keys rewritten a few times.
#[tokio::test]
async fn planned_merges_keep_runs_few_and_short() {
    let store = memory_store();
    let settings = DedupeSettings { window_hours: 720, ..SETTINGS };
    let mut index = DedupeIndex::new(settings).with_layout(SMALL);
    let (mut written, mut rewritten, mut most) = (0, 0, 0);
    for flush in 0..1600_u32 {
        let hour = 100_000 + flush / 2;
        index.add(keys(u64::from(flush) * 3..u64::from(flush) * 3 + 3), at_hour(hour));
        let sealed = index.seal(u64::from(flush)).unwrap();
        let run = sealed.write(&store, &Path::from(format!("flush-{flush}"))).await.unwrap();
        index.install(&sealed, run).unwrap();
        written += 3;
        let mut merges = 0;
        while let Some(inputs) = index.plan_merge() {
            let paths: Vec<Path> = inputs.iter().map(|run| run.path().clone()).collect();
            let path = Path::from(format!("merge-{flush}-{merges}"));
            let merged = merge_with(&inputs, &store, &path, index.horizon(), SMALL).await.unwrap().unwrap();
            rewritten += merged.messages();
            index.replace(&paths, Some(merged)).unwrap();
            merges += 1;
            assert!(merges < 10, "merges at flush {flush} do not end");
        }
        index.expire();
        most = most.max(index.runs().count());
    }
    assert!(most <= 32, "{most} runs");
    assert!(rewritten < 5 * written, "{rewritten} keys rewritten of {written}");
    let now = index.now().unwrap();
    let longest = index.runs().map(|run| run.newest().0 - run.oldest().0).max().unwrap();
    assert!(longest <= 80, "a run of {longest} hours");
    let kept: u64 = index.runs().map(|run| run.messages()).sum();
    assert!(kept <= u64::from(720 + RESERVE_HOURS + 80) * 6, "{kept} keys");
    // All of the window are there.
    let first = (now.0 - 720 - 100_000) * 6;
    let asked = keys(u64::from(first)..4800);
    let decision = index.check(&asked, &Pending::default()).resolve().await.unwrap();
    assert_eq!(decision.new_places().count(), 0);
    assert_eq!(index.check(&[key(4800)], &Pending::default()).resolve().await.unwrap().new_places().count(), 1);
}

#[tokio::test]
async fn runs_of_like_size_are_merged_before_their_hours_are_over() {
    let store = memory_store();
    let index = index_of_runs(&store, &[1002; 7]).await;
    assert!(index.plan_merge().is_none());
    let index = index_of_runs(&memory_store(), &[1002; 8]).await;
    assert_eq!(index.plan_merge().unwrap().len(), 8);
}
