//! Which objects a log has, from the first that is kept to the newest.

use std::collections::VecDeque;

use super::folder::Entry;
use crate::error::{Error, Result};

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStatus {
    pub objects: u64,
    pub bytes: u64,
    /// Position of the oldest record that is kept; beyond `last_position` when none is.
    pub first_position: u64,
    /// Position of the newest record that is durable; 0 before the first.
    pub last_position: u64,
}

/// A dense chain of objects.
#[derive(Debug, Clone)]
pub(super) struct Index {
    entries: VecDeque<Entry>,
    next_sequence: u64,
    /// Behind the last record; right only when the newest object was read whole.
    next_position: u64,
}

impl Index {
    /// A log whose first kept object is `first_kept`, as far as nothing is known of it.
    pub(super) fn new(first_kept: u64) -> Self {
        Self { entries: VecDeque::new(), next_sequence: first_kept, next_position: 1 }
    }

    /// The same objects, the newest of which has its last record before `next_position`.
    pub(super) fn ending_at(mut self, next_position: u64) -> Self {
        self.next_position = next_position;
        self
    }

    pub(super) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    pub(super) fn next_position(&self) -> u64 {
        self.next_position
    }

    pub(super) fn newest(&self) -> Option<&Entry> {
        self.entries.back()
    }

    /// Takes the next object, whose last record is that before `next_position`.
    ///
    /// # Errors
    /// `Corrupt` when it cannot follow the one before it.
    pub(super) fn push(&mut self, entry: Entry, next_position: u64) -> Result<()> {
        if let Some(before) = self.entries.back()
            && (entry.term < before.term || entry.first_position <= before.first_position)
        {
            return Err(Error::corrupt(format!(
                "log object {} (term {}, first position {}) cannot follow object {} (term {}, first position {})",
                entry.sequence, entry.term, entry.first_position, before.sequence, before.term, before.first_position
            ))
            .with_help("restore the log from a copy"));
        }
        self.next_sequence = entry.sequence + 1;
        self.next_position = next_position;
        self.entries.push_back(entry);
        Ok(())
    }

    /// The objects that hold the records behind `position`.
    ///
    /// # Errors
    /// `Conflict` when some of these records are trimmed.
    pub(super) fn after(&self, position: u64) -> Result<Vec<Entry>> {
        let first = self.status().first_position;
        if position + 1 < first {
            return Err(Error::conflict(format!(
                "the log is kept from position {first} on, and is asked for {}: read the newest state of the \
                 workspace, which holds what was trimmed",
                position + 1
            )));
        }
        if position + 1 >= self.next_position {
            return Ok(Vec::new());
        }
        let start = self.holding(position + 1);
        Ok(self.entries.iter().skip(start).copied().collect())
    }

    /// The first object to keep when all records up to `flushed` are needed no more: never beyond the newest.
    pub(super) fn first_needed(&self, flushed: u64) -> Option<u64> {
        self.entries.get(self.holding(flushed + 1)).map(|entry| entry.sequence)
    }

    /// Place of the last object that begins at or before `position`.
    fn holding(&self, position: u64) -> usize {
        self.entries.partition_point(|entry| entry.first_position <= position).saturating_sub(1)
    }

    /// Forgets the objects before `sequence`.
    pub(super) fn drop_before(&mut self, sequence: u64) {
        while self.entries.front().is_some_and(|entry| entry.sequence < sequence) {
            self.entries.pop_front();
        }
    }

    pub(super) fn status(&self) -> LogStatus {
        LogStatus {
            objects: self.entries.len() as u64,
            bytes: self.entries.iter().map(|entry| entry.bytes).sum(),
            first_position: self.entries.front().map_or(self.next_position, |entry| entry.first_position),
            last_position: self.next_position - 1,
        }
    }
}
