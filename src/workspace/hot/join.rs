//! Small parts become one: a statement reads few of them, and each row is copied a few times in all.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::{Hot, HotPart};
use crate::error::Result;
use crate::store::dead_letters;
use crate::store::events::batch_bytes;

/// A part of so many rows is not joined to another one any more.
const LARGE: usize = 8_192;

/// Bytes of a joined part at most: a column of texts holds 2 GiB.
const MOST_BYTES: usize = 64 << 20;

impl Hot {
    /// Adds the part of the next record. It is joined to those before it, up to one that is twice as large.
    pub fn push(&mut self, mut part: HotPart) -> Result<()> {
        let (mut size, mut bytes) = (part.size(), part.bytes());
        let mut start = self.parts.len();
        while let Some(before) = start.checked_sub(1).map(|at| &self.parts[at]) {
            let more = before.size();
            if before.last <= self.sealed || more >= 2 * size || more >= LARGE {
                break;
            }
            let more_bytes = before.bytes();
            if bytes + more_bytes > MOST_BYTES {
                break;
            }
            (size, bytes) = (size + more, bytes + more_bytes);
            self.bytes -= more_bytes;
            start -= 1;
        }
        if start < self.parts.len() {
            // Those that another state shares stay as they are for it.
            let before = self.parts.drain(start..).map(Arc::unwrap_or_clone);
            part = HotPart::joined(before.chain([part]).collect())?;
            bytes = part.bytes();
        }
        self.bytes += bytes;
        self.parts.push(Arc::new(part));
        Ok(())
    }
}

impl HotPart {
    /// What joining it costs.
    fn size(&self) -> usize {
        let letters: usize = self.dead_letters.iter().map(RecordBatch::num_rows).sum();
        self.rows.num_rows() + letters + self.loads.len() + self.batches.len() + self.identity.len()
    }

    /// Parts that follow on each other as one.
    fn joined(parts: Vec<Self>) -> Result<Self> {
        let rows: Vec<RecordBatch> = parts.iter().map(|part| part.rows.clone()).collect();
        let mut parts = parts.into_iter();
        let mut joined = parts.next().unwrap_or_default();
        joined.rows = concat_batches(joined.rows.schema_ref(), &rows)?;
        for mut next in parts {
            joined.dead_letters.append(&mut next.dead_letters);
            joined.loads.append(&mut next.loads);
            joined.batches.append(&mut next.batches);
            joined.identity.append(next.identity)?;
            (joined.last, joined.epoch) = (next.last, next.epoch);
        }
        joined.dead_letters = join_dead_letters(joined.dead_letters)?;
        Ok(joined)
    }
}

/// Rejected rows in one piece, unless they are large.
pub(in crate::workspace) fn join_dead_letters(letters: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    if letters.len() < 2 || letters.iter().map(batch_bytes).sum::<usize>() > MOST_BYTES {
        return Ok(letters);
    }
    Ok(vec![concat_batches(&dead_letters::schema(), &letters)?])
}
