//! What is durable in the log and not yet in files: rows that every statement reads beside those of the files.
//!
//! A part is what one or more records of the log brought. Small parts are joined as they come, so that a statement reads
//! few of them. Must not know how the log is stored.

mod join;
mod payload;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::identity::IdentityBatch;
use crate::ids::Epoch;
use crate::store::dedupe::{BatchKey, DedupeIndex, MessageKey};
use crate::store::events::{LoadRecord, batch_bytes, schema};

pub(super) use self::join::join_dead_letters;

/// The rows of neighbouring records of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct HotPart {
    /// Position of the first record in it.
    pub first: u64,
    pub last: u64,
    /// Rows of the stored columns, and the month of each.
    pub rows: RecordBatch,
    /// Rejected rows.
    pub dead_letters: Vec<RecordBatch>,
    pub loads: Vec<LoadRecord>,
    pub batches: Vec<HotBatch>,
    /// What the records add to the identity graph.
    pub identity: IdentityBatch,
    /// Epoch of the graph behind the last record.
    pub epoch: Epoch,
}

/// What became of the events of one sender. The same answer given again is equal to the first one.
#[derive(Debug, Clone, Default, Eq, Serialize, Deserialize)]
pub struct AppendResult {
    /// Position of their record: the state of this position and of all later ones shows them.
    pub position: u64,
    pub kept: u64,
    /// Events whose message id is stored already, or came before in the same events.
    pub duplicate: u64,
    pub rejected: u64,
    /// The first reasons of rejected rows, each with its row.
    pub reasons: Vec<String>,
    /// It was given before, to events of the same name: nothing was stored now. No part of the answer.
    #[serde(skip)]
    pub is_repeated: bool,
}

impl PartialEq for AppendResult {
    fn eq(&self, other: &Self) -> bool {
        let counts = |result: &Self| (result.position, result.kept, result.duplicate, result.rejected);
        counts(self) == counts(other) && self.reasons == other.reasons
    }
}

/// Events that their sender has a name for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotBatch {
    pub key: BatchKey,
    /// Microseconds since 1970.
    pub received_at: i64,
    pub result: AppendResult,
}

/// Parts in the order of their positions. A copy shares them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hot {
    parts: Vec<Arc<HotPart>>,
    /// Of memory, in all parts.
    bytes: usize,
    /// Parts up to this position are on their way into files: they are not joined to later ones.
    sealed: u64,
}

impl Default for HotPart {
    fn default() -> Self {
        Self {
            first: 0,
            last: 0,
            rows: RecordBatch::new_empty(schema::with_month()),
            dead_letters: Vec::new(),
            loads: Vec::new(),
            batches: Vec::new(),
            identity: IdentityBatch::default(),
            epoch: 0,
        }
    }
}

impl HotPart {
    /// Whether there is nothing that a record would have to keep.
    pub fn is_empty(&self) -> bool {
        let is_without_rows = self.rows.num_rows() == 0 && self.dead_letters.is_empty();
        is_without_rows && self.loads.is_empty() && self.batches.is_empty() && self.identity.is_empty()
    }

    /// Makes it the part of the record at `position`.
    pub fn set_position(&mut self, position: u64) {
        (self.first, self.last) = (position, position);
        self.identity.set_position(position);
        self.batches.iter_mut().for_each(|batch| batch.result.position = position);
    }

    /// Adds the message ids and batches to the index; `keys` are those of the rows.
    ///
    /// # Errors
    /// `Internal` when the rows are not of the stored columns.
    pub fn add_keys(&self, index: &mut DedupeIndex, keys: impl IntoIterator<Item = MessageKey>) -> Result<()> {
        let received = self.rows.column_by_name("received_at");
        let received = received.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let received = received.ok_or_else(|| Error::internal("stored rows have no received_at column"))?;
        for (key, received_at) in keys.into_iter().zip(received.values()) {
            index.add([key], *received_at);
        }
        for batch in &self.batches {
            index.add_batch(batch.key, serde_json::to_vec(&batch.result)?.into(), batch.received_at);
        }
        Ok(())
    }

    /// Of the rows' message ids.
    ///
    /// # Errors
    /// `Internal` when the rows are not of the stored columns.
    pub fn keys(&self) -> Result<Vec<MessageKey>> {
        let ids = self.rows.column_by_name("message_id").and_then(|column| column.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| Error::internal("stored rows have no message_id column"))?;
        Ok(ids.iter().flatten().map(MessageKey::of).collect())
    }

    pub fn bytes(&self) -> usize {
        let rows: usize = std::iter::once(&self.rows).chain(&self.dead_letters).map(batch_bytes).sum();
        rows + self.identity.bytes()
    }
}

impl Hot {
    pub fn parts(&self) -> &[Arc<HotPart>] {
        &self.parts
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Rows of all parts.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows.num_rows()).sum()
    }

    /// Of memory, in all parts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of parts that `other` does not share.
    pub fn bytes_beside(&self, other: &Self) -> usize {
        let is_shared = |part: &&Arc<HotPart>| other.parts.iter().any(|beside| Arc::ptr_eq(part, beside));
        self.parts.iter().filter(|part| !is_shared(part)).map(|part| part.bytes()).sum()
    }

    /// Position of the last record, if any.
    pub fn last(&self) -> Option<u64> {
        self.parts.last().map(|part| part.last)
    }

    /// Keeps what is there now from being joined to what comes, and gives it.
    pub fn seal(&mut self) -> Vec<Arc<HotPart>> {
        self.sealed = self.last().unwrap_or(self.sealed);
        self.parts.clone()
    }

    /// Whether these are the first parts.
    pub fn begins_with(&self, parts: &[Arc<HotPart>]) -> bool {
        parts.len() <= self.parts.len() && parts.iter().zip(&self.parts).all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// Without what is in files now: the parts up to a position that was sealed.
    pub fn without(&self, position: u64) -> Self {
        let parts: Vec<_> = self.parts.iter().filter(|part| part.last > position).cloned().collect();
        let bytes = parts.iter().map(|part| part.bytes()).sum();
        Self { parts, bytes, sealed: self.sealed }
    }
}
