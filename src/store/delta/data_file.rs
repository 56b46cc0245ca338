//! One Parquet file of a table: as the log describes it, and as it was just written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use deltalake_core::kernel::{Add, Remove};

use super::actions::ActionReader;
use super::layout::Layout;
use super::statistics::FileStatistics;
use crate::error::{Error, RUN_CHECK, Result};

/// A live file with the statistics of the log.
///
/// Counts are exact; minima and maxima are bounds: no value lies outside, but they need not occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Below the table's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: u64,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// `None` in a table without partitions.
    pub partition: Option<String>,
    /// In the order of the columns in the file; `None` where the log has none.
    pub null_counts: Vec<Option<u64>>,
    /// Likewise: numbers, days of dates, microseconds of instants.
    pub bounds: Vec<Option<(i64, i64)>>,
}

impl DataFile {
    /// Reads a batch of the flattened add actions of a Delta snapshot.
    pub(super) fn from_actions(actions: &RecordBatch, layout: &Layout) -> Result<Vec<Arc<Self>>> {
        let reader = ActionReader::new(actions);
        (0..actions.num_rows()).map(|row| read(&reader, row, layout).map(Arc::new)).collect()
    }

    /// What the log says of the column's NULLs.
    pub fn nulls_in(&self, column: usize) -> Option<u64> {
        self.null_counts.get(column).copied().flatten()
    }

    /// The bounds of the column in the log.
    pub fn bounds_of(&self, column: usize) -> Option<(i64, i64)> {
        self.bounds.get(column).copied().flatten()
    }

    /// `data_change`: its rows go, and are not moved to other files.
    pub(super) fn to_remove(&self, layout: &Layout, data_change: bool, removed_at: DateTime<Utc>) -> Remove {
        Remove {
            path: self.path.clone(),
            data_change,
            deletion_timestamp: Some(removed_at.timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(layout.partition_values(self.partition.as_deref())),
            size: Some(i64::try_from(self.bytes).unwrap_or(i64::MAX)),
            ..Remove::default()
        }
    }
}

fn read(actions: &ActionReader<'_>, row: usize, layout: &Layout) -> Result<DataFile> {
    let missing = |column: &str| {
        Error::corrupt(format!("a file in the log of {} has no {column}", layout.label)).with_help(RUN_CHECK)
    };
    let partition = layout.partition.map(|name| {
        let column = format!("partition.{name}");
        actions.text(&column, row).ok_or_else(|| missing(&column))
    });
    let plain =
        || layout.columns.fields().iter().map(|field| (!field.data_type().is_nested()).then(|| field.name().as_str()));
    Ok(DataFile {
        path: actions.text("path", row).ok_or_else(|| missing("path"))?,
        bytes: actions.integer("size_bytes", row).ok_or_else(|| missing("size_bytes"))?.unsigned_abs(),
        rows: actions.integer("num_records", row).ok_or_else(|| missing("num_records"))?.unsigned_abs(),
        modified: actions.integer("modification_time", row).unwrap_or_default(),
        partition: partition.transpose()?,
        null_counts: plain()
            .map(|name| actions.integer(&format!("null_count.{}", name?), row).map(i64::unsigned_abs))
            .collect(),
        bounds: plain().map(|name| actions.range(name?, row)).collect(),
    })
}

/// A file that is durable but not yet part of a table.
#[derive(Debug, Clone)]
pub struct WrittenFile {
    file: Arc<DataFile>,
    /// The `stats` text of its add action.
    statistics: String,
}

impl WrittenFile {
    /// `statistics` are those of all rows in it.
    pub(in crate::store) fn new(
        path: String,
        partition: Option<String>,
        bytes: u64,
        statistics: &FileStatistics,
        written_at: DateTime<Utc>,
    ) -> Self {
        let file = DataFile {
            path,
            bytes,
            rows: statistics.rows(),
            modified: written_at.timestamp_millis(),
            partition,
            null_counts: statistics.null_counts().to_vec(),
            bounds: statistics.bounds_in_log(),
        };
        Self { file: Arc::new(file), statistics: statistics.to_json() }
    }

    /// The file as a reader of the log will find it.
    pub fn file(&self) -> &Arc<DataFile> {
        &self.file
    }

    /// `data_change`: the rows are new, not moved from other files.
    pub(super) fn to_add(&self, layout: &Layout, data_change: bool) -> Add {
        Add {
            path: self.file.path.clone(),
            partition_values: layout.partition_values(self.file.partition.as_deref()),
            size: i64::try_from(self.file.bytes).unwrap_or(i64::MAX),
            modification_time: self.file.modified,
            data_change,
            stats: Some(self.statistics.clone()),
            ..Add::default()
        }
    }
}
