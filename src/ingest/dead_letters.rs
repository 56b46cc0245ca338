//! Rejected rows of a load, kept with reason and raw text.

use std::sync::Arc;

use arrow::array::{Int64Builder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take_record_batch;

use super::read::object_lines;
use crate::error::Result;
use crate::store::dead_letters::schema;

/// Reasons that a load's summary tells, and how long each may be there.
const FIRST_REASONS: usize = 3;
const MAX_REASON_CHARS: usize = 300;

/// Most bytes of a rejected row that are kept.
const MAX_RAW_BYTES: usize = 64 << 10;

/// Rows held before they are packed into a batch.
const BATCH_ROWS: usize = 8_192;

/// What is wrong with a row: it is no event, or not all of it is kept.
pub(super) struct Fault {
    pub(super) row: i64,
    pub(super) reason: String,
    /// The row as its source has it, or else by its values.
    pub(super) raw: Option<String>,
}

struct FirstReason {
    row: Option<i64>,
    reason: String,
}

pub(super) struct DeadLetters {
    source: String,
    /// Microseconds since 1970.
    received_at: i64,
    row: Int64Builder,
    reason: StringBuilder,
    raw: StringBuilder,
    rows: usize,
    batches: Vec<RecordBatch>,
    /// The first reasons that differ, for the load's summary.
    first: Vec<FirstReason>,
}

impl DeadLetters {
    pub(super) fn new(source: &str, received_at: i64) -> Self {
        Self {
            source: source.to_owned(),
            received_at,
            // The builders' own first size is that of a thousand rows, which few loads have.
            row: Int64Builder::with_capacity(0),
            reason: StringBuilder::with_capacity(0, 0),
            raw: StringBuilder::with_capacity(0, 0),
            rows: 0,
            batches: Vec::new(),
            first: Vec::new(),
        }
    }

    pub(super) fn push_faults(&mut self, faults: &[Fault]) -> Result<()> {
        faults.iter().try_for_each(|fault| self.push(Some(fault.row), &fault.reason, fault.raw.as_deref()))
    }

    /// Tells of rows of which not all is kept; they are no dead letters.
    pub(super) fn tell(&mut self, faults: &[Fault]) {
        faults.iter().for_each(|fault| self.tell_reason(Some(fault.row), &fault.reason));
    }

    fn tell_reason(&mut self, row: Option<i64>, reason: &str) {
        if self.first.len() < FIRST_REASONS && self.first.iter().all(|held| held.reason != reason) {
            self.first.push(FirstReason { row, reason: reason.to_owned() });
        }
    }

    fn push(&mut self, row: Option<i64>, reason: &str, raw: Option<&str>) -> Result<()> {
        self.tell_reason(row, reason);
        self.row.append_option(row);
        self.reason.append_value(reason);
        self.raw.append_option(raw);
        self.rows += 1;
        if self.rows >= BATCH_ROWS { self.pack() } else { Ok(()) }
    }

    /// The first reasons that differ, each with the number of its row.
    pub(super) fn first_reasons(&self) -> Vec<String> {
        let shown = self.first.iter().map(|first| {
            let reason: String = first.reason.chars().take(MAX_REASON_CHARS).collect();
            match first.row {
                Some(row) => format!("row {row}: {reason}"),
                None => reason,
            }
        });
        shown.collect()
    }

    fn pack(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let received = vec![self.received_at; rows];
        let source = StringArray::from_iter_values(std::iter::repeat_n(&self.source, rows));
        self.batches.push(RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(TimestampMicrosecondArray::from(received).with_timezone("UTC")),
                Arc::new(source),
                Arc::new(self.row.finish()),
                Arc::new(self.reason.finish()),
                Arc::new(self.raw.finish()),
            ],
        )?);
        Ok(())
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Result<Vec<RecordBatch>> {
        if self.rows > 0 {
            self.pack()?;
        }
        Ok(std::mem::take(&mut self.batches))
    }
}

/// Rows as one JSON object each; what is NULL is left out.
pub(super) fn render_rows(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Result<Vec<String>> {
    let rows: UInt32Array = rows.map(|row| row as u32).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let lines = object_lines(&take_record_batch(batch, &rows)?)?;
    Ok(lines.iter().map(|line| line[..line.floor_char_boundary(MAX_RAW_BYTES)].to_owned()).collect())
}
