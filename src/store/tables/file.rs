//! One Parquet file of a user table, as the log describes it.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use chrono::Utc;
use deltalake_core::kernel::{Add, Remove};

use crate::error::{Error, Result};
use crate::store::delta::ActionReader;

/// A live file. Counts are exact; bounds hold all values, but need not occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Below the table's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: u64,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// In the order of the table's columns; `None` where the log has none.
    pub null_counts: Vec<Option<u64>>,
    /// Likewise: numbers, days of dates, microseconds of instants.
    pub bounds: Vec<Option<(i64, i64)>>,
}

impl TableFile {
    /// Reads a batch of the flattened add actions of a Delta snapshot.
    pub(super) fn from_actions(actions: &RecordBatch, columns: &Schema) -> Result<Vec<Self>> {
        let reader = ActionReader::new(actions);
        (0..actions.num_rows()).map(|row| read_file(&reader, row, columns)).collect()
    }

    /// `data_change`: its rows go, and are not moved to other files.
    pub(super) fn to_remove(&self, data_change: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            data_change,
            deletion_timestamp: Some(Utc::now().timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(HashMap::new()),
            size: i64::try_from(self.bytes).ok(),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        }
    }
}

/// A file that is durable but not yet part of the table.
#[derive(Debug, Clone)]
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// The `stats` text of its add action.
    pub(super) statistics: String,
}

impl NewFile {
    /// `data_change`: the rows are new, not moved from other files.
    pub(super) fn into_add(self, data_change: bool) -> Add {
        Add {
            path: self.path,
            size: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            modification_time: Utc::now().timestamp_millis(),
            data_change,
            stats: Some(self.statistics),
            ..Add::default()
        }
    }
}

fn read_file(actions: &ActionReader<'_>, row: usize, columns: &Schema) -> Result<TableFile> {
    let missing = |column: &str| {
        Error::corrupt(format!("a file in the log of a user table has no {column}: run `convoke check`"))
    };
    let plain = || columns.fields().iter().map(|field| (!field.data_type().is_nested()).then(|| field.name()));
    Ok(TableFile {
        path: actions.text("path", row).ok_or_else(|| missing("path"))?,
        bytes: actions.integer("size_bytes", row).ok_or_else(|| missing("size_bytes"))?.unsigned_abs(),
        rows: actions.integer("num_records", row).ok_or_else(|| missing("num_records"))?.unsigned_abs(),
        modified: actions.integer("modification_time", row).unwrap_or_default(),
        null_counts: plain()
            .map(|name| actions.integer(&format!("null_count.{}", name?), row).map(i64::unsigned_abs))
            .collect(),
        bounds: plain().map(|name| actions.range(name?, row)).collect(),
    })
}
