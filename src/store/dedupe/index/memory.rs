//! What the index takes of memory, and what of the window is left when that is too much.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;

use super::super::clock::Hour;
use super::super::run::{Run, RunSummary, summarize};
use super::{DedupeIndex, DedupeSettings, Segment};
use crate::error::Result;

/// Footers that are read at once.
const READS_AT_ONCE: usize = 8;

/// Tables of exact keys beside their runs, however small they are: each key of a check is looked up in all of them.
const MAX_EXACT_SEGMENTS: usize = 8;

/// What cutting the index down to a budget has cost. A caller tells it aloud when runs were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrinkage {
    /// Runs that are no longer asked.
    pub dropped: Vec<Path>,
    /// Hours for which duplicates are still recognised without exception.
    pub window_hours: u32,
    /// Memory that the index takes now.
    pub bytes: usize,
}

impl DedupeIndex {
    /// Memory in bytes: about 1.2 for each key in runs, 24 to 48 for each that is exact, and the blocks in the cache.
    pub fn bytes(&self) -> usize {
        let runs: usize = self.runs().map(|run| run.bytes()).sum();
        let exact: usize = self.exact_parts().map(|keys| keys.bytes()).sum();
        let segments = self.segments.capacity() * size_of::<Segment>();
        size_of::<Self>() + segments + runs + exact + self.cache.bytes()
    }

    /// Hours for which duplicates are recognised: the whole window, unless it had to be cut. A window that was cut
    /// grows back as time goes on.
    pub fn window_hours(&self) -> u32 {
        let whole = self.settings.window_hours;
        match (self.now(), self.lost) {
            (Some(Hour(now)), Some(Hour(lost))) => whole.min(now.saturating_sub(lost).saturating_sub(1)),
            _ => whole,
        }
    }

    /// Frees what only saves reads until no more than `budget` bytes are taken, as far as that helps.
    pub fn shrink_caches_to(&mut self, budget: usize) {
        if self.bytes() > budget {
            self.cache.clear();
        }
        while self.bytes() > budget && self.drop_oldest_exact() {}
    }

    /// Frees memory until no more than `budget` bytes are taken: first what only saves reads, then runs, oldest first.
    /// Keys that no run holds yet stay, so the result may be above the budget; a flush helps then.
    pub fn shrink_to(&mut self, budget: usize) -> Shrinkage {
        self.shrink_caches_to(budget);
        let mut dropped = Vec::new();
        while self.bytes() > budget {
            let oldest = self.runs().min_by_key(|run| (run.newest(), run.mark().position)).map(Arc::clone);
            let Some(run) = oldest else { break };
            self.segments.retain(|segment| segment.run.as_ref().is_none_or(|other| !Arc::ptr_eq(other, &run)));
            self.lose(run.newest());
            self.left_out.push((run.newest(), run.path().clone()));
            dropped.push(run.path().clone());
        }
        Shrinkage { dropped, window_hours: self.window_hours(), bytes: self.bytes() }
    }

    /// Frees exact keys that runs hold as well, oldest first, down to a budget.
    pub(super) fn trim_exact(&mut self, budget: usize) {
        loop {
            let written = self.segments.iter().filter(|segment| segment.run.is_some());
            let exact: Vec<usize> = written.filter_map(|segment| Some(segment.exact.as_ref()?.bytes())).collect();
            let fits = exact.len() <= MAX_EXACT_SEGMENTS && exact.iter().sum::<usize>() <= budget;
            if fits || !self.drop_oldest_exact() {
                return;
            }
        }
    }

    /// False when there is none to drop.
    fn drop_oldest_exact(&mut self) -> bool {
        let oldest = self.segments.iter_mut().find(|segment| segment.run.is_some() && segment.exact.is_some());
        oldest.is_some_and(|segment| segment.exact.take().is_some())
    }

    fn lose(&mut self, newest: Hour) {
        self.lost = self.lost.max(Some(newest));
    }
}

/// Opens the index of these runs within a budget: the newest first, and what does not fit is left out as
/// [`DedupeIndex::shrink_to`] would drop it.
///
/// # Errors
/// `Corrupt` when a run is damaged or missing.
pub async fn load(
    store: &Arc<dyn ObjectStore>,
    paths: &[Path],
    settings: DedupeSettings,
    budget: usize,
) -> Result<(DedupeIndex, Shrinkage)> {
    let reads: Vec<_> = paths.iter().map(|path| summarize(store, path)).collect();
    let mut summaries: Vec<RunSummary> = stream::iter(reads).buffer_unordered(READS_AT_ONCE).try_collect().await?;
    summaries.sort_by_key(|run| std::cmp::Reverse((run.newest, run.mark.position)));
    let mark = summaries.iter().map(|run| run.mark).max_by_key(|mark| mark.position);
    let horizon = mark.map_or(Hour(0), |mark| mark.clock.now().horizon(settings.window_hours));
    let (mut runs, mut bytes, mut lost, mut dropped) = (Vec::new(), 0, None, Vec::new());
    let mut left_out = Vec::new();
    for summary in summaries {
        let newest = summary.newest;
        if newest < horizon {
            left_out.push((newest, summary.path));
            continue;
        }
        if lost.is_some() || bytes + summary.bytes as usize > budget {
            lost = lost.max(Some(newest));
            left_out.push((newest, summary.path.clone()));
            dropped.push(summary.path);
            continue;
        }
        let run = Run::open_from(Arc::clone(store), summary).await?;
        bytes += run.bytes();
        runs.push(Arc::new(run));
    }
    let mut index = DedupeIndex::from_runs(settings, runs);
    index.left_out = left_out;
    if let Some(mark) = mark {
        // That of all runs, those that were left out among them.
        index.clock = Some(mark.clock);
        index.lost = mark.lost.max(lost);
    }
    let shrinkage = Shrinkage { dropped, window_hours: index.window_hours(), bytes: index.bytes() };
    Ok((index, shrinkage))
}
