//! What the scans of events and of user tables share: how a file is handed to the Parquet reader, and with which figures.
//! Must not know which table the files belong to.

use std::sync::Arc;

use arrow::datatypes::Schema;
use chrono::DateTime;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use object_store::ObjectMeta;
use object_store::path::Path;

/// Counts are exact, bounds are not: the log cuts timestamps, so MIN and MAX must be read.
pub(super) fn column_statistics(nulls: Option<u64>, bounds: Option<(ScalarValue, ScalarValue)>) -> ColumnStatistics {
    let mut statistics = ColumnStatistics::new_unknown();
    if let Some(nulls) = nulls {
        statistics.null_count = exact(nulls);
    }
    if let Some((low, high)) = bounds {
        statistics.min_value = Precision::Inexact(low);
        statistics.max_value = Precision::Inexact(high);
    }
    statistics
}

/// What the log says of one file.
pub(super) fn file_statistics(rows: u64, bytes: u64, columns: Vec<ColumnStatistics>) -> Statistics {
    Statistics {
        num_rows: exact(rows),
        total_byte_size: Precision::Inexact(usize::try_from(bytes).unwrap_or(usize::MAX)),
        column_statistics: columns,
    }
}

fn exact(count: u64) -> Precision<usize> {
    Precision::Exact(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The figures of all files together.
pub(super) fn total_statistics(columns: &Schema, each: &[Statistics]) -> Statistics {
    match Statistics::try_merge_iter(each, columns) {
        Ok(total) if !each.is_empty() => total,
        _ => {
            let mut unknown = Statistics::new_unknown(columns);
            if each.is_empty() {
                unknown.num_rows = Precision::Exact(0);
            }
            unknown
        }
    }
}

/// A file as the reader wants it; `modified` in milliseconds since 1970.
pub(super) fn partitioned_file(
    location: Path,
    modified: i64,
    size: u64,
    partition: Vec<ScalarValue>,
    statistics: Statistics,
) -> PartitionedFile {
    let last_modified = DateTime::from_timestamp_millis(modified).unwrap_or_default();
    PartitionedFile::new_from_meta(ObjectMeta { location, last_modified, size, e_tag: None, version: None })
        .with_partition_values(partition)
        .with_statistics(Arc::new(statistics))
}

/// Files over the partitions so that each gets about the same bytes.
pub(super) fn file_groups(mut files: Vec<PartitionedFile>, partitions: usize) -> Vec<FileGroup> {
    files.sort_by(|a, b| {
        let (a, b) = (&a.object_meta, &b.object_meta);
        b.size.cmp(&a.size).then_with(|| a.location.cmp(&b.location))
    });
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = (0..partitions.max(1)).map(|_| (0, Vec::new())).collect();
    for file in files {
        // There is at least one group.
        if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += file.object_meta.size;
            group.push(file);
        }
    }
    let filled: Vec<FileGroup> =
        groups.into_iter().filter(|(_, group)| !group.is_empty()).map(|(_, group)| FileGroup::new(group)).collect();
    if filled.is_empty() { vec![FileGroup::default()] } else { filled }
}
