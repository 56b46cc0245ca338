use std::sync::Arc;

use object_store::path::Path;

use super::super::clock::ReceiveHours;
use super::super::index::{DedupeIndex, DedupeSettings};
use super::super::pending::Pending;
use super::super::rebuild::{IndexBuilder, RunPaths};
use super::{at_hour, key, keys, memory_store};
use crate::error::Kind;

const SETTINGS: DedupeSettings = DedupeSettings { window_hours: 48, exact_bytes: 0, cache_bytes: 0 };

fn paths() -> RunPaths {
    Box::new(|number| Path::from(format!("rebuilt-{number}")))
}

#[tokio::test]
async fn a_rebuilt_index_knows_the_window() {
    // Two events an hour, 300 hours; one was received by a clock that was far ahead. Files have them in any order.
    let mut events: Vec<(u64, u32)> = (0..600).map(|number| (number, 1000 + number as u32 / 2)).collect();
    events.push((600, 9_000_000));
    events.sort_by_key(|(number, _)| *key(*number).as_bytes());
    // The same event in two files, as between a compaction and the vacuum behind it.
    events.push((599, 1299));
    let store = memory_store();
    for memory in [1, 500, 1 << 20] {
        let mut hours = ReceiveHours::default();
        events.iter().for_each(|(_, hour)| hours.insert(at_hour(*hour)));
        let paths: RunPaths = Box::new(move |number| Path::from(format!("rebuilt-{memory}-{number}")));
        let mut builder = IndexBuilder::new(Arc::clone(&store), paths, hours.into_timeline(), 48, 77, memory);
        for (number, hour) in &events {
            builder.push(key(*number), at_hour(*hour)).await.unwrap();
        }
        let runs = builder.finish().await.unwrap();
        for run in &runs {
            run.verify().await.unwrap();
            assert_eq!(run.mark().position, 77);
            assert!(run.messages() as usize <= (memory / 20).max(1));
        }
        let mut index = DedupeIndex::from_runs(SETTINGS, runs);
        // Real time goes on: the event far ahead has taken a day of the reserve.
        index.add([key(1000)], at_hour(1299));
        let decision = index.check(&keys(0..700), &Pending::default()).resolve().await.unwrap();
        let first_known =
            decision.verdicts().iter().position(|verdict| *verdict != super::super::Verdict::New).unwrap();
        assert_eq!(first_known, 2 * (299 - 48 - 24), "memory {memory}");
        let new: Vec<usize> = decision.new_places().collect();
        assert_eq!(new, (0..first_known).chain(601..700).collect::<Vec<_>>(), "memory {memory}");
    }
}

#[tokio::test]
async fn an_hour_that_the_first_pass_has_not_seen_is_refused() {
    let mut hours = ReceiveHours::default();
    hours.insert(at_hour(1000));
    let mut builder = IndexBuilder::new(memory_store(), paths(), hours.into_timeline(), 48, 1, 1 << 20);
    builder.push(key(1), at_hour(1000)).await.unwrap();
    let error = builder.push(key(2), at_hour(1001)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
}

#[tokio::test]
async fn no_events_make_no_runs() {
    let timeline = ReceiveHours::default().into_timeline();
    let builder = IndexBuilder::new(memory_store(), paths(), timeline, 48, 1, 1 << 20);
    assert!(builder.finish().await.unwrap().is_empty());
}
