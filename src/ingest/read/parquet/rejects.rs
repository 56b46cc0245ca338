//! The rows of one batch that hold no event, and what is left of a batch without them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringBuilder, UInt32Array, new_null_array};
use arrow::compute::{nullif, take_record_batch};
use arrow::datatypes::DataType;

use super::super::coerce::Reason;
use super::super::draft::column_reason;
use super::super::source::capped;
use super::rendered::object_lines;
use crate::error::Result;
use crate::ingest::input::schema;

/// The first reason against each rejected row.
#[derive(Default)]
pub struct Rejects {
    reasons: BTreeMap<usize, Reason>,
}

impl Rejects {
    pub fn add(&mut self, row: usize, reason: Reason) {
        self.reasons.entry(row).or_insert(reason);
    }

    /// Rows and reasons, for one who may know better.
    pub fn into_reasons(self) -> impl Iterator<Item = (usize, Reason)> {
        self.reasons.into_iter()
    }

    /// `Some` value, or none and a reason noted.
    pub fn keep<T>(&mut self, row: usize, column: &str, value: Result<T, Reason>) -> Option<T> {
        value.map_err(|reason| self.add(row, column_reason(column, &reason))).ok()
    }

    /// Puts the columns (of [`schema`] up to `context`) together; rejected rows keep their number only.
    pub fn finish(self, mut columns: Vec<ArrayRef>, source: &RecordBatch) -> Result<RecordBatch> {
        let rows = source.num_rows();
        if self.reasons.is_empty() {
            columns.extend([new_null_array(&DataType::Utf8, rows), new_null_array(&DataType::Utf8, rows)]);
            return Ok(RecordBatch::try_new(schema(), columns)?);
        }
        let rejected: BooleanArray = (0..rows).map(|row| Some(self.reasons.contains_key(&row))).collect();
        for column in columns.iter_mut().skip(1) {
            *column = nullif(column, &rejected)?;
        }
        let (reasons, raws) = self.texts(source, rows)?;
        columns.extend([reasons, raws]);
        Ok(RecordBatch::try_new(schema(), columns)?)
    }

    /// The columns `reject_reason` and `raw`.
    fn texts(&self, source: &RecordBatch, rows: usize) -> Result<(ArrayRef, ArrayRef)> {
        let numbers: UInt32Array = self.reasons.keys().map(|row| *row as u32).collect();
        let rejected = take_record_batch(source, &numbers)?;
        // Types that JSON cannot show leave the raw text empty: the reason still names column and value.
        let lines = object_lines(&rejected).unwrap_or_default();
        let mut lines = lines.iter();
        let (mut reasons, mut raws) = (StringBuilder::new(), StringBuilder::new());
        for row in 0..rows {
            let reason = self.reasons.get(&row);
            reasons.append_option(reason);
            raws.append_option(reason.and_then(|_| lines.next()).map(|line| capped(line.as_bytes())));
        }
        Ok((Arc::new(reasons.finish()), Arc::new(raws.finish())))
    }
}
