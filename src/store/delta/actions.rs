//! The add actions of a Delta snapshot, flattened to columns, read row by row.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

/// The log cuts timestamps to milliseconds; other writers cut maxima down.
pub(super) const MAXIMUM_SLACK_MICROS: i64 = 1_000;

/// Values of one batch of actions.
pub struct ActionReader<'a> {
    actions: &'a RecordBatch,
}

impl<'a> ActionReader<'a> {
    pub fn new(actions: &'a RecordBatch) -> Self {
        Self { actions }
    }

    /// Bounds of a column: no value lies outside, but they need not occur. Days for dates, microseconds for instants.
    pub fn range(&self, column: &str, row: usize) -> Option<(i64, i64)> {
        let (low, high) = (format!("min.{column}"), format!("max.{column}"));
        let instant = matches!(self.actions.column_by_name(&high)?.data_type(), DataType::Timestamp(..));
        let slack = if instant { MAXIMUM_SLACK_MICROS } else { 0 };
        Some((self.integer(&low, row)?, self.integer(&high, row)?.saturating_add(slack)))
    }

    /// A number, or an instant in microseconds, or a date in days.
    pub fn integer(&self, column: &str, row: usize) -> Option<i64> {
        let array = self.actions.column_by_name(column)?;
        if array.is_null(row) {
            return None;
        }
        let value = array.slice(row, 1);
        let value = match value.data_type() {
            DataType::Timestamp(_, zone) => {
                cast(&value, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone())).ok()?
            }
            integer if integer.is_integer() => value,
            DataType::Date32 => cast(&value, &DataType::Int32).ok()?,
            _ => return None,
        };
        let number = cast(&value, &DataType::Int64).ok()?;
        let number = number.as_primitive_opt::<Int64Type>()?;
        number.is_valid(0).then(|| number.value(0))
    }

    pub fn text(&self, column: &str, row: usize) -> Option<String> {
        let array = self.actions.column_by_name(column)?;
        let texts = cast(array, &DataType::Utf8).ok()?;
        let texts = texts.as_string_opt::<i32>()?;
        (!texts.is_null(row)).then(|| texts.value(row).to_owned())
    }
}
