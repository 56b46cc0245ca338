//! Results of a batch as an Arrow array, within a budget.
//!
//! Must not know: where results come from.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};

use super::super::field::bitmap_field;
use super::super::vocabulary::{Function, ResultKind};

/// Bytes to begin with for each set.
const FIRST_BYTES: usize = 64;

/// The result for one row.
#[derive(Debug)]
pub(super) enum Answer {
    Bytes(Vec<u8>),
    Integer(Option<u64>),
    Flag(bool),
    Ratio(f64),
}

/// The field of a function's results. Where no argument can be NULL, only those that look for a member give NULL.
pub(super) fn result_field(name: &str, function: &Function, arguments: &[FieldRef]) -> FieldRef {
    let nullable = function.may_find_nothing() || arguments.iter().any(|argument| argument.is_nullable());
    let data_type = match function.result() {
        ResultKind::Bitmap => return bitmap_field(name, nullable),
        ResultKind::Integer => DataType::Int64,
        ResultKind::Flag => DataType::Boolean,
        ResultKind::Ratio => DataType::Float64,
    };
    Arc::new(Field::new(name, data_type, nullable))
}

/// An array that grows.
pub(super) struct Output {
    column: Column,
    /// Bytes that all sets together may take.
    most_bytes: u64,
}

enum Column {
    Bitmaps(BinaryBuilder),
    Integers(Int64Builder),
    Flags(BooleanBuilder),
    Ratios(Float64Builder),
}

impl Output {
    pub(super) fn new(kind: ResultKind, rows: usize, most_bytes: u64) -> Self {
        let column = match kind {
            ResultKind::Bitmap => Column::Bitmaps(BinaryBuilder::with_capacity(rows, FIRST_BYTES * rows)),
            ResultKind::Integer => Column::Integers(Int64Builder::with_capacity(rows)),
            ResultKind::Flag => Column::Flags(BooleanBuilder::with_capacity(rows)),
            ResultKind::Ratio => Column::Ratios(Float64Builder::with_capacity(rows)),
        };
        Self { column, most_bytes }
    }

    /// Bytes that the next set may take.
    pub(super) fn budget(&self) -> u64 {
        match &self.column {
            Column::Bitmaps(builder) => self.most_bytes.saturating_sub(builder.values_slice().len() as u64),
            _ => self.most_bytes,
        }
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.column {
            Column::Bitmaps(builder) => builder.append_null(),
            Column::Integers(builder) => builder.append_null(),
            Column::Flags(builder) => builder.append_null(),
            Column::Ratios(builder) => builder.append_null(),
        }
    }

    pub(super) fn push(&mut self, answer: Answer) -> Result<()> {
        match (&mut self.column, answer) {
            (Column::Bitmaps(builder), Answer::Bytes(bytes)) => builder.append_value(bytes),
            // Members and their number are at most 2^32.
            (Column::Integers(builder), Answer::Integer(number)) => builder.append_option(number.map(|n| n as i64)),
            (Column::Flags(builder), Answer::Flag(flag)) => builder.append_value(flag),
            (Column::Ratios(builder), Answer::Ratio(ratio)) => builder.append_value(ratio),
            (_, answer) => return internal_err!("a column of another type got {answer:?}"),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self.column {
            Column::Bitmaps(mut builder) => Arc::new(builder.finish()),
            Column::Integers(mut builder) => Arc::new(builder.finish()),
            Column::Flags(mut builder) => Arc::new(builder.finish()),
            Column::Ratios(mut builder) => Arc::new(builder.finish()),
        }
    }
}
