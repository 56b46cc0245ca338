//! One Parquet file of the events table, as the log describes it.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::schema;
use crate::error::{Error, Result};

/// The log cuts timestamps to milliseconds; other writers cut maxima down.
const MAXIMUM_SLACK_MICROS: i64 = 1_000;

/// A live file with the statistics of the log.
///
/// Counts are exact; minima and maxima are bounds: no value lies outside, but they need not occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Below the table's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: u64,
    pub month: String,
    /// Milliseconds since 1970.
    pub modified: i64,
    pub ts: Option<(i64, i64)>,
    pub node: Option<(i64, i64)>,
    /// Null counts in the order of [`schema::stored`], `None` where the log has none.
    pub null_counts: Vec<Option<u64>>,
}

impl DataFile {
    /// Reads a batch of the flattened add actions of a Delta snapshot.
    pub(super) fn from_actions(actions: &RecordBatch) -> Result<Vec<Self>> {
        let reader = ActionReader { actions };
        (0..actions.num_rows()).map(|row| reader.file(row)).collect()
    }
}

struct ActionReader<'a> {
    actions: &'a RecordBatch,
}

impl ActionReader<'_> {
    fn file(&self, row: usize) -> Result<DataFile> {
        let path = self.text("path", row).ok_or_else(|| missing("path"))?;
        let null_counts = schema::stored()
            .fields()
            .iter()
            .map(|field| self.integer(&format!("null_count.{}", field.name()), row).map(i64::unsigned_abs))
            .collect();
        Ok(DataFile {
            bytes: self.integer("size_bytes", row).ok_or_else(|| missing("size_bytes"))?.unsigned_abs(),
            rows: self.integer("num_records", row).ok_or_else(|| missing("num_records"))?.unsigned_abs(),
            month: self.text("partition.month", row).ok_or_else(|| missing("partition.month"))?,
            modified: self.integer("modification_time", row).unwrap_or_default(),
            ts: self.range("ts", row).map(|(low, high)| (low, high + MAXIMUM_SLACK_MICROS)),
            node: self.range("node", row),
            null_counts,
            path,
        })
    }

    fn range(&self, column: &str, row: usize) -> Option<(i64, i64)> {
        Some((self.integer(&format!("min.{column}"), row)?, self.integer(&format!("max.{column}"), row)?))
    }

    fn integer(&self, column: &str, row: usize) -> Option<i64> {
        let array = self.actions.column_by_name(column)?;
        if array.is_null(row) {
            return None;
        }
        if let Some(integers) = array.as_primitive_opt::<Int64Type>() {
            return Some(integers.value(row));
        }
        if let Some(instants) = array.as_primitive_opt::<TimestampMicrosecondType>() {
            return Some(instants.value(row));
        }
        let millis = array.as_primitive_opt::<arrow::datatypes::TimestampMillisecondType>()?;
        Some(millis.value(row))
    }

    fn text(&self, column: &str, row: usize) -> Option<String> {
        let array = self.actions.column_by_name(column)?;
        let texts = arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).ok()?;
        let texts = texts.as_string_opt::<i32>()?;
        (!texts.is_null(row)).then(|| texts.value(row).to_owned())
    }
}

fn missing(column: &str) -> Error {
    Error::corrupt(format!("a file in the log of the events table has no {column}: run `convoke check`"))
}
