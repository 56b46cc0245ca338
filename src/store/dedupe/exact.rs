//! Keys in memory, exact: what no run holds yet, and the newest of what runs hold.
//!
//! Must not know the window; each key is answered with its hour.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashMap;
use object_store::ObjectStore;
use object_store::path::Path;

use super::block::BatchEntry;
use super::clock::Hour;
use super::key::{BatchKey, MessageKey, RawKey};
use super::run::{Layout, Mark, Run, RunWriter};
use crate::error::Result;

/// A table of entries takes a byte for each slot beside the entry.
const SLOT_BYTES: usize = 1;

#[derive(Debug, Default)]
pub(super) struct ExactKeys {
    messages: HashMap<MessageKey, Hour>,
    batches: HashMap<BatchKey, (Hour, Bytes)>,
    result_bytes: usize,
}

impl ExactKeys {
    /// A key that is there already keeps the later hour.
    pub(super) fn insert(&mut self, key: MessageKey, hour: Hour) {
        let held = self.messages.entry(key).or_insert(hour);
        *held = hour.max(*held);
    }

    /// Adds a key of this hour unless it is there; false where it is.
    pub(super) fn insert_new(&mut self, key: MessageKey, hour: Hour) -> bool {
        self.messages.try_insert(key, hour).is_ok()
    }

    pub(super) fn insert_batch(&mut self, key: BatchKey, hour: Hour, result: Bytes) {
        self.result_bytes += result.len();
        if let Some((_, before)) = self.batches.insert(key, (hour, result)) {
            self.result_bytes -= before.len();
        }
    }

    pub(super) fn contains(&self, key: &MessageKey) -> bool {
        self.messages.contains_key(key)
    }

    /// Takes the messages of other keys, all of this hour. Costs the smaller of both.
    pub(super) fn take_messages(&mut self, mut others: Self, hour: Hour) {
        others.messages.values_mut().for_each(|held| *held = hour);
        if others.messages.len() > self.messages.len() {
            std::mem::swap(&mut self.messages, &mut others.messages);
        }
        for (key, hour) in others.messages {
            self.insert(key, hour);
        }
    }

    pub(super) fn hour_of(&self, key: &MessageKey) -> Option<Hour> {
        self.messages.get(key).copied()
    }

    pub(super) fn batch(&self, key: &BatchKey) -> Option<&(Hour, Bytes)> {
        self.batches.get(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.batches.is_empty()
    }

    pub(super) fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        table_bytes(self.messages.capacity(), size_of::<(MessageKey, Hour)>())
            + table_bytes(self.batches.capacity(), size_of::<(BatchKey, (Hour, Bytes))>())
            + self.result_bytes
    }
}

/// A table keeps one slot in eight free at least.
fn table_bytes(capacity: usize, entry_bytes: usize) -> usize {
    capacity.div_ceil(7) * 8 * (entry_bytes + SLOT_BYTES)
}

/// Keys that are to become a run. They are answered from memory until it is there.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub(super) number: u64,
    pub(super) keys: Arc<ExactKeys>,
    pub(super) mark: Mark,
    pub(super) layout: Layout,
}

impl Sealed {
    /// Position of the newest record whose keys are in it.
    pub fn position(&self) -> u64 {
        self.mark.position
    }

    /// Writes them as a run. May be tried again under another path.
    ///
    /// # Errors
    /// `Conflict` when the path is taken, or what the store says.
    pub async fn write(&self, store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Run> {
        let mut writer = RunWriter::new(Arc::clone(store), path.clone(), self.mark, self.layout);
        // Sorted a 256th at a time, so that others get their turn however many there are.
        let mut parts: Vec<Vec<(RawKey, Hour)>> = vec![Vec::new(); 256];
        for (key, hour) in &self.keys.messages {
            parts[usize::from(key.as_bytes()[0])].push((key.raw(), *hour));
        }
        for mut part in parts {
            part.sort_unstable();
            for (key, hour) in part {
                writer.push_message(key, hour).await?;
            }
            tokio::task::yield_now().await;
        }
        let mut batches: Vec<_> = self.keys.batches.iter().collect();
        batches.sort_unstable_by_key(|(key, _)| **key);
        for (key, (hour, result)) in batches {
            writer.push_batch(BatchEntry { key: key.raw(), hour: *hour, result: result.clone() }).await?;
        }
        writer.finish().await
    }
}
