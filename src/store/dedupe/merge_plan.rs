//! Which runs ought to be merged: few runs to ask, each key rewritten about four times, and no run so long that a key
//! outlives the window by much.
//!
//! Runs whose newest keys lie in the same 6 hours become one when these are over, then those of a day, then those of a
//! tenth of the window. While hours are not over yet, eight runs of like size become one. Runs whose keys are exact in
//! memory are not asked, and are left alone.
//!
//! Must not know how runs are merged.

use std::sync::Arc;

use super::clock::Hour;
use super::run::Run;

/// Hours of the first merge.
const SHORTEST_SPAN: u32 = 6;

/// So many runs of like size become one while their hours are not over.
const RUNS_OF_LIKE_SIZE: usize = 8;

/// The largest of them has at most so many times the keys of the smallest.
const LIKE_SIZE: u64 = 4;

/// Runs of one merge at most: each takes memory while it is read.
const RUNS_A_MERGE: usize = 64;

/// The next runs to merge, if any; `runs` may come in any order.
pub(super) fn plan_merge(runs: &[Arc<Run>], now: Hour, window_hours: u32) -> Option<Vec<Arc<Run>>> {
    let spans = [SHORTEST_SPAN, 24, (window_hours / 10).max(24)];
    let over = spans.iter().find_map(|span| merge_hours_that_are_over(runs, now, *span));
    over.or_else(|| merge_like_sizes(runs, now))
}

fn merge_hours_that_are_over(runs: &[Arc<Run>], now: Hour, span: u32) -> Option<Vec<Arc<Run>>> {
    let of_span = |run: &Arc<Run>| run.newest().0 / span;
    let mut over: Vec<_> = runs.iter().filter(|run| of_span(run) < now.0 / span).collect();
    over.sort_by_key(|run| (run.newest(), run.mark().position));
    let group = over.chunk_by(|one, other| of_span(one) == of_span(other)).find(|group| group.len() > 1)?;
    Some(group.iter().take(RUNS_A_MERGE).map(|run| Arc::clone(run)).collect())
}

fn merge_like_sizes(runs: &[Arc<Run>], now: Hour) -> Option<Vec<Arc<Run>>> {
    let size = |run: &Arc<Run>| run.messages() + run.batches();
    let current = |run: &&Arc<Run>| run.newest().0 / SHORTEST_SPAN == now.0 / SHORTEST_SPAN;
    let mut sorted: Vec<_> = runs.iter().filter(current).collect();
    sorted.sort_by_key(|run| size(run));
    sorted.iter().enumerate().find_map(|(start, smallest)| {
        let like = sorted[start..].iter().take_while(|run| size(run) <= size(smallest) * LIKE_SIZE);
        let group: Vec<_> = like.take(RUNS_A_MERGE).map(|run| Arc::clone(run)).collect();
        (group.len() >= RUNS_OF_LIKE_SIZE).then_some(group)
    })
}
