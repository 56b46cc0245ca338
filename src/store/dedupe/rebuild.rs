//! Runs made anew from stored events, when those that were written are lost.
//!
//! Two passes: the first gives the hours in which events were received ([`ReceiveHours`](super::ReceiveHours)), the
//! second their keys. Keys outside the window are left out. Results of batches are in no event: a rebuilt index knows
//! none, and a repeated batch is taken apart by its message ids.
//!
//! Must not know how events are stored.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::clock::{Hour, IndexClock, Timeline};
use super::key::{MessageKey, RawKey};
use super::run::{Layout, Mark, Run, RunWriter};
use crate::error::{Error, Result};

/// Gives the path of each run, from its number.
pub type RunPaths = Box<dyn FnMut(usize) -> Path + Send>;

/// Takes keys in any order and writes runs.
pub struct IndexBuilder {
    store: Arc<dyn ObjectStore>,
    paths: RunPaths,
    timeline: Timeline,
    clock: Option<IndexClock>,
    horizon: Hour,
    position: u64,
    layout: Layout,
    capacity: usize,
    keys: Vec<(RawKey, Hour)>,
    runs: Vec<Arc<Run>>,
}

impl IndexBuilder {
    /// `position` is that up to which the events are stored, `memory` the bytes that keys may take before they are
    /// written.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        paths: RunPaths,
        timeline: Timeline,
        window_hours: u32,
        position: u64,
        memory: usize,
    ) -> Self {
        let clock = timeline.clock();
        let horizon = clock.map_or(Hour(0), |clock| clock.now().horizon(window_hours));
        let capacity = (memory / size_of::<(RawKey, Hour)>()).max(1);
        let (layout, keys, runs) = (Layout::STANDARD, Vec::new(), Vec::new());
        Self { store, paths, timeline, clock, horizon, position, layout, capacity, keys, runs }
    }

    /// Adds the key of a stored event.
    ///
    /// # Errors
    /// `InvalidInput` when the first pass has not seen this time, or what the store says.
    pub async fn push(&mut self, key: MessageKey, received_at_micros: i64) -> Result<()> {
        let hour = self.timeline.hour_of(received_at_micros).ok_or_else(|| {
            Error::invalid("events were stored while the dedupe runs were made anew: begin with the first pass again")
        })?;
        if hour < self.horizon {
            return Ok(());
        }
        self.keys.push((key.raw(), hour));
        if self.keys.len() >= self.capacity {
            self.write_run().await?;
        }
        Ok(())
    }

    /// Writes what is left, and returns all runs, for [`DedupeIndex::from_runs`](super::DedupeIndex::from_runs).
    ///
    /// # Errors
    /// What the store says.
    pub async fn finish(mut self) -> Result<Vec<Arc<Run>>> {
        self.write_run().await?;
        Ok(self.runs)
    }

    async fn write_run(&mut self) -> Result<()> {
        let Some(clock) = self.clock.filter(|_| !self.keys.is_empty()) else { return Ok(()) };
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_unstable();
        // The last of the same key has the latest hour.
        keys.dedup_by(|(key, hour), (kept, latest)| {
            let is_same = key == kept;
            if is_same {
                *latest = *hour;
            }
            is_same
        });
        let path = (self.paths)(self.runs.len());
        let mark = Mark { position: self.position, clock, lost: None };
        let mut writer = RunWriter::new(Arc::clone(&self.store), path, mark, self.layout);
        for (key, hour) in &keys {
            writer.push_message(*key, *hour).await?;
        }
        self.runs.push(Arc::new(writer.finish().await?));
        // The same memory again.
        keys.clear();
        self.keys = keys;
        Ok(())
    }
}
