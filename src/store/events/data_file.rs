//! One Parquet file of the events table, as the log describes it.

use arrow::array::RecordBatch;

use super::schema;
use crate::error::{Error, Result};
use crate::store::delta::ActionReader;

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
        let reader = ActionReader::new(actions);
        (0..actions.num_rows()).map(|row| data_file(&reader, row)).collect()
    }
}

fn data_file(actions: &ActionReader<'_>, row: usize) -> Result<DataFile> {
    let missing = |column: &str| {
        Error::corrupt(format!("a file in the log of the events table has no {column}: run `convoke check`"))
    };
    let null_counts = schema::stored()
        .fields()
        .iter()
        .map(|field| actions.integer(&format!("null_count.{}", field.name()), row).map(i64::unsigned_abs))
        .collect();
    Ok(DataFile {
        path: actions.text("path", row).ok_or_else(|| missing("path"))?,
        bytes: actions.integer("size_bytes", row).ok_or_else(|| missing("size_bytes"))?.unsigned_abs(),
        rows: actions.integer("num_records", row).ok_or_else(|| missing("num_records"))?.unsigned_abs(),
        month: actions.text("partition.month", row).ok_or_else(|| missing("partition.month"))?,
        modified: actions.integer("modification_time", row).unwrap_or_default(),
        ts: actions.range("ts", row),
        node: actions.range("node", row),
        null_counts,
    })
}
