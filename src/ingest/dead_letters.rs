//! Rejected rows of a load, kept with reason and raw text.

use std::sync::Arc;

use arrow::array::{Int64Builder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::json::LineDelimitedWriter;

use crate::error::Result;
use crate::store::dead_letters::schema;

/// Reasons that a load's summary tells, and how long each may be there.
const FIRST_REASONS: usize = 3;
const MAX_REASON_CHARS: usize = 300;

/// Most bytes of a rejected row that are kept.
const MAX_RAW_BYTES: usize = 64 << 10;

/// Rows held before they are packed into a batch.
const BATCH_ROWS: usize = 8_192;

/// A row that is no event.
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

    fn push(&mut self, row: Option<i64>, reason: &str, raw: Option<&str>) -> Result<()> {
        if self.first.len() < FIRST_REASONS && self.first.iter().all(|held| held.reason != reason) {
            self.first.push(FirstReason { row, reason: reason.to_owned() });
        }
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
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&take_record_batch(batch, &rows)?)?;
    writer.finish()?;
    // A line end inside a value is escaped, so lines are rows.
    let text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    Ok(text.lines().map(|line| line[..line.floor_char_boundary(MAX_RAW_BYTES)].to_owned()).collect())
}
