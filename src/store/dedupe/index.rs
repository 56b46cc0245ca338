//! The index of one workspace: which message ids and batches are durable, within the window.
//!
//! The sequencer owns it. All changes are steps without waiting; whatever reads or writes objects works on shared parts
//! beside it ([`Check`], [`Sealed`], [`merge`](super::merge())).
//!
//! Must not know the log, Delta, nor any clock but that of the durable records.

mod memory;

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;

use super::block::BatchEntry;
use super::cache::BlockCache;
use super::check::{Check, Verdict};
use super::clock::{Hour, IndexClock};
use super::exact::{ExactKeys, Sealed};
use super::key::{BatchKey, MessageKey};
use super::load_keys::LoadKeys;
use super::merge_plan::plan_merge;
use super::pending::Pending;
use super::run::{Layout, Mark, Run};
use crate::error::{Error, Result};

pub use self::memory::{Shrinkage, load};

/// How long keys are kept, and what memory may hold beside the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupeSettings {
    /// Duplicates are recognised for so long after the first of them was received.
    pub window_hours: u32,
    /// Bytes of the newest keys that stay exact in memory though a run holds them, of eight flushes at most: retries
    /// come soon, and cost no read then.
    pub exact_bytes: usize,
    /// Bytes for blocks of runs that were read.
    pub cache_bytes: usize,
}

impl Default for DedupeSettings {
    fn default() -> Self {
        Self { window_hours: 30 * 24, exact_bytes: 64 << 20, cache_bytes: 8 << 20 }
    }
}

/// Keys that were sealed together: in memory, in a run, or in both.
#[derive(Debug)]
struct Segment {
    number: u64,
    exact: Option<Arc<ExactKeys>>,
    run: Option<Arc<Run>>,
}

/// The exactly-once index.
#[derive(Debug)]
pub struct DedupeIndex {
    settings: DedupeSettings,
    layout: Layout,
    /// None before the first record.
    clock: Option<IndexClock>,
    /// Up to this hour keys may be missing.
    lost: Option<Hour>,
    current: ExactKeys,
    /// Oldest first.
    segments: Vec<Segment>,
    /// Runs that are not asked, for want of memory or because their keys are too old, with their newest hours.
    left_out: Vec<(Hour, Path)>,
    next_number: u64,
    cache: Arc<BlockCache>,
}

impl DedupeIndex {
    /// The index of a workspace without records.
    pub fn new(settings: DedupeSettings) -> Self {
        Self {
            settings,
            layout: Layout::STANDARD,
            clock: None,
            lost: None,
            current: ExactKeys::default(),
            segments: Vec::new(),
            left_out: Vec::new(),
            next_number: 0,
            cache: Arc::new(BlockCache::new(settings.cache_bytes)),
        }
    }

    /// The index of these runs. Time goes on from the run of the highest position: records behind it are to be added
    /// again from the log.
    pub fn from_runs(settings: DedupeSettings, mut runs: Vec<Arc<Run>>) -> Self {
        let mut index = Self::new(settings);
        let newest = runs.iter().map(|run| run.mark()).max_by_key(|mark| mark.position);
        index.clock = newest.map(|mark| mark.clock);
        index.lost = newest.and_then(|mark| mark.lost);
        runs.sort_by_key(|run| (run.newest(), run.mark().position));
        for run in runs {
            let number = index.take_number();
            index.segments.push(Segment { number, exact: None, run: Some(run) });
        }
        index
    }

    /// Smaller parts of runs, so that few keys make many of them.
    #[cfg(test)]
    pub(super) fn with_layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Begins a check of a batch. It sees what was added before this call, and what `pending` holds now.
    pub fn check(&self, keys: &[MessageKey], pending: &Pending) -> Check {
        let horizon = self.horizon();
        let answer = |key: &MessageKey| {
            if self.exact_parts().any(|part| part.hour_of(key).is_some_and(|hour| hour >= horizon)) {
                return Some(Verdict::Duplicate);
            }
            pending.group_of(key).map(Verdict::Pending)
        };
        Check::new(keys, answer, self.runs_to_ask(), horizon, Arc::clone(&self.cache))
    }

    /// Adds keys of a durable record, whether just written or replayed. `received_at_micros` is the time in the record,
    /// at which this server took it; records come in the order of the log.
    pub fn add(&mut self, keys: impl IntoIterator<Item = MessageKey>, received_at_micros: i64) {
        let hour = self.advance(received_at_micros);
        for key in keys {
            self.current.insert(key, hour);
        }
    }

    /// Adds the keys of a load that is being committed.
    pub fn add_load(&mut self, keys: LoadKeys, received_at_micros: i64) {
        let hour = self.advance(received_at_micros);
        self.current.take_messages(keys.0, hour);
    }

    /// Adds a batch of a durable record with the bytes of its result. Only a batch whose result is not known may become
    /// a record; so where two records have one key, the first had left the window, and the later result counts.
    pub fn add_batch(&mut self, key: BatchKey, result: Bytes, received_at_micros: i64) {
        let hour = self.advance(received_at_micros);
        self.current.insert_batch(key, hour, result);
    }

    /// The first result of a durable batch within the window. Sees what was added before this call; whether the batch
    /// is on its way, [`Pending`] tells.
    ///
    /// # Errors
    /// As [`Check::resolve`].
    pub fn batch_result(&self, key: BatchKey) -> impl Future<Output = Result<Option<Bytes>>> + Send + use<> {
        let horizon = self.horizon();
        let exact = self.exact_parts().filter_map(|part| part.batch(&key)).find(|(hour, _)| *hour >= horizon);
        let exact = exact.map(|(_, result)| result.clone());
        let runs = if exact.is_some() { Vec::new() } else { self.runs_to_ask() };
        async move {
            // The newest first: a retry comes soon.
            for run in runs.iter().rev() {
                let found: Option<BatchEntry> = run.find_batch(&key.raw()).await?;
                if let Some(entry) = found.filter(|entry| entry.hour >= horizon) {
                    return Ok(Some(entry.result));
                }
            }
            Ok(exact)
        }
    }

    /// Ends the current keys: they are all keys up to this position of the log that no run holds. `None` when there are
    /// none. The keys are answered from memory until [`DedupeIndex::install`].
    pub fn seal(&mut self, position: u64) -> Option<Sealed> {
        let clock = self.clock.filter(|_| !self.current.is_empty())?;
        let keys = Arc::new(std::mem::take(&mut self.current));
        let number = self.take_number();
        self.segments.push(Segment { number, exact: Some(Arc::clone(&keys)), run: None });
        let mark = Mark { position, clock, lost: self.lost };
        Some(Sealed { number, keys, mark, layout: self.layout })
    }

    /// Takes the run of sealed keys, once a commit names it. Keys are installed in the order in which they were sealed:
    /// the position of a run says that older keys are in runs too.
    ///
    /// # Errors
    /// `Internal` when these are not the oldest sealed keys.
    pub fn install(&mut self, sealed: &Sealed, run: Run) -> Result<()> {
        let oldest = self.segments.iter_mut().find(|segment| segment.run.is_none());
        let Some(segment) = oldest.filter(|segment| segment.number == sealed.number) else {
            return Err(Error::internal(format!("dedupe run '{}' is not of the oldest sealed keys", run.path())));
        };
        segment.run = Some(Arc::new(run));
        self.trim_exact(self.settings.exact_bytes);
        Ok(())
    }

    /// Takes a merged run in place of those that it was made of, once a commit says so; `None` when all their keys have
    /// left the window.
    ///
    /// # Errors
    /// `Conflict` when one of them is no longer here: the merged run is to be thrown away.
    pub fn replace(&mut self, inputs: &[Path], merged: Option<Run>) -> Result<()> {
        let is_input =
            |segment: &Segment| segment.run.as_ref().is_some_and(|run| inputs.iter().any(|path| path == run.path()));
        if self.segments.iter().filter(|segment| is_input(segment)).count() != inputs.len() {
            return Err(Error::conflict("a dedupe run was dropped while it was merged: throw the merged run away"));
        }
        let place = self.segments.iter().rposition(is_input);
        if let (Some(place), Some(run)) = (place, merged) {
            let number = self.take_number();
            self.segments.insert(place + 1, Segment { number, exact: None, run: Some(Arc::new(run)) });
        }
        self.segments.retain(|segment| !is_input(segment));
        Ok(())
    }

    /// Drops the runs whose newest key has left the window, and returns their paths: objects to delete once no commit
    /// names them. Checks under way may still read them.
    pub fn expire(&mut self) -> Vec<Path> {
        let horizon = self.horizon();
        let old = self.left_out.extract_if(.., |(newest, _)| *newest < horizon);
        let mut dropped: Vec<Path> = old.map(|(_, path)| path).collect();
        let mut kept = Vec::new();
        for segment in self.segments.drain(..) {
            match &segment.run {
                Some(run) if run.newest() < horizon => dropped.push(run.path().clone()),
                _ => kept.push(segment),
            }
        }
        self.segments = kept;
        dropped
    }

    /// Runs that ought to be merged next, if any: for [`merge`](super::merge()) beside the sequencer, then
    /// [`DedupeIndex::replace`].
    pub fn plan_merge(&self) -> Option<Vec<Arc<Run>>> {
        plan_merge(&self.runs_to_ask(), self.now()?, self.settings.window_hours)
    }

    /// All runs, oldest first: what a commit must name.
    pub fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.segments.iter().filter_map(|segment| segment.run.as_ref())
    }

    /// The index's time; `None` before the first record.
    pub fn now(&self) -> Option<Hour> {
        self.clock.map(|clock| clock.now())
    }

    /// The oldest hour whose keys count: a merge leaves out what is older.
    pub fn horizon(&self) -> Hour {
        self.now().map_or(Hour(0), |now| now.horizon(self.settings.window_hours))
    }

    /// Messages in memory that no run holds.
    pub fn unwritten_messages(&self) -> usize {
        let sealed = self.segments.iter().filter(|segment| segment.run.is_none());
        let sealed: usize = sealed.filter_map(|segment| segment.exact.as_ref()).map(|keys| keys.messages()).sum();
        self.current.messages() + sealed
    }

    fn advance(&mut self, received_at_micros: i64) -> Hour {
        match &mut self.clock {
            Some(clock) => clock.advance(received_at_micros),
            None => self.clock.insert(IndexClock::start(received_at_micros)).now(),
        }
    }

    fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// All keys in memory, the newest first.
    fn exact_parts(&self) -> impl Iterator<Item = &ExactKeys> {
        let sealed = self.segments.iter().rev().filter_map(|segment| segment.exact.as_deref());
        std::iter::once(&self.current).chain(sealed)
    }

    /// Runs whose keys are not in memory, oldest first.
    fn runs_to_ask(&self) -> Vec<Arc<Run>> {
        let unknown = self.segments.iter().filter(|segment| segment.exact.is_none());
        unknown.filter_map(|segment| segment.run.clone()).collect()
    }
}
