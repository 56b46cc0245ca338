//! Which keys of a batch are duplicates.
//!
//! A check has two halves. Memory answers when it is made, in one step with the sequencer's own state; runs answer when
//! it is resolved, on the runs that were there when it was made. Between the two, keys may move from pending to the
//! index without being missed.
//!
//! Must not know how the index changes.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};

use super::cache::BlockCache;
use super::clock::Hour;
use super::key::{MessageKey, RawKey};
use super::pending::GroupId;
use super::run::Run;
use crate::error::Result;

/// Runs that are read at once.
const RUNS_AT_ONCE: usize = 4;

/// Keys that are looked up in all filters before others get their turn: about a millisecond.
const KEYS_A_TURN: usize = 8192;

/// What is known of one key of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not seen within the window.
    New,
    /// Durable already.
    Duplicate,
    /// The same key stands at this earlier place of the batch, which is new: a duplicate once that one is durable.
    Repeat(usize),
    /// A group on its way holds it: a duplicate once that is durable, to be checked again if it fails.
    Pending(GroupId),
}

/// What is known of each key of a batch, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    verdicts: Vec<Verdict>,
}

impl Decision {
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// Places of the keys that are new.
    pub fn new_places(&self) -> impl Iterator<Item = usize> + '_ {
        self.verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == Verdict::New).map(|(place, _)| place)
    }

    /// The groups that must be durable before this batch may be answered, each once, in order.
    pub fn awaited_groups(&self) -> Vec<GroupId> {
        let mut groups: Vec<GroupId> = self
            .verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Verdict::Pending(group) => Some(*group),
                Verdict::New | Verdict::Duplicate | Verdict::Repeat(_) => None,
            })
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}

/// A batch that memory has answered, and runs have not.
#[derive(Debug)]
#[must_use = "runs have not been asked yet"]
pub struct Check {
    /// `New` for what runs are still to be asked about.
    verdicts: Vec<Verdict>,
    /// Keys that are still open with their places, in the order of the keys; each once.
    open: Vec<(MessageKey, usize)>,
    runs: Vec<Arc<Run>>,
    horizon: Hour,
    cache: Arc<BlockCache>,
}

impl Check {
    /// `answer` is what memory knows of a key; it is asked once for each that differs.
    pub(super) fn new(
        keys: &[MessageKey],
        answer: impl Fn(&MessageKey) -> Option<Verdict>,
        runs: Vec<Arc<Run>>,
        horizon: Hour,
        cache: Arc<BlockCache>,
    ) -> Self {
        let mut places: Vec<(MessageKey, usize)> = keys.iter().copied().zip(0..).collect();
        places.sort_unstable();
        let mut verdicts = vec![Verdict::New; keys.len()];
        let mut open: Vec<(MessageKey, usize)> = Vec::new();
        for same in places.chunk_by(|(one, _), (other, _)| one == other) {
            let (key, first) = same[0];
            let known = answer(&key);
            verdicts[first] = known.unwrap_or(Verdict::New);
            for (_, place) in &same[1..] {
                verdicts[*place] = known.unwrap_or(Verdict::Repeat(first));
            }
            if known.is_none() {
                open.push((key, first));
            }
        }
        Self { verdicts, open, runs, horizon, cache }
    }

    /// Keys that will be new unless a run has them: to be reserved before this is resolved, if another check may be made
    /// meanwhile.
    pub fn open_keys(&self) -> impl Iterator<Item = MessageKey> + '_ {
        self.open.iter().map(|(key, _)| *key)
    }

    /// Asks the runs. No more than 64 Ki keys should be in one check: they share one answer.
    ///
    /// # Errors
    /// `Corrupt` when a run is damaged or missing; nothing is known of the batch then.
    pub async fn resolve(mut self) -> Result<Decision> {
        let open = std::mem::take(&mut self.open);
        let mut held = vec![false; open.len()];
        for (turn, keys) in open.chunks(KEYS_A_TURN).enumerate() {
            if turn > 0 {
                tokio::task::yield_now().await;
            }
            let asked: Vec<_> = self.runs.iter().map(|run| self.ask(run, keys)).collect();
            let mut answers = stream::iter(asked).buffer_unordered(RUNS_AT_ONCE);
            while let Some(places) = answers.try_next().await? {
                places.into_iter().for_each(|at| held[turn * KEYS_A_TURN + at] = true);
            }
        }
        let duplicates: Vec<usize> = open.iter().zip(held).filter(|(_, held)| *held).map(|((_, at), _)| *at).collect();
        duplicates.iter().for_each(|first| self.verdicts[*first] = Verdict::Duplicate);
        for place in 0..self.verdicts.len() {
            if let Verdict::Repeat(first) = self.verdicts[place]
                && self.verdicts[first] == Verdict::Duplicate
            {
                self.verdicts[place] = Verdict::Duplicate;
            }
        }
        Ok(Decision { verdicts: self.verdicts })
    }

    /// Which of the keys, by their place among these, are in the run and within the window.
    async fn ask(&self, run: &Run, keys: &[(MessageKey, usize)]) -> Result<Vec<usize>> {
        let (mut candidates, mut places) = (Vec::new(), Vec::new());
        for (at, (key, _)) in keys.iter().enumerate() {
            let raw: RawKey = key.raw();
            if let Some(candidate) = run.probe(&raw) {
                candidates.push(candidate);
                places.push(at);
            }
        }
        let hours = run.find(&candidates, &self.cache).await?;
        let live = |hour: &Option<Hour>| hour.is_some_and(|hour| hour >= self.horizon);
        Ok(places.into_iter().zip(hours).filter(|(_, hour)| live(hour)).map(|(at, _)| at).collect())
    }
}
