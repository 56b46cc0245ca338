//! How the files of a Delta table are read: which of them may hold a matching row, and the scan of those.
//! Must not know which table they belong to.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use chrono::DateTime;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::{PruningPredicateBuilder, PruningStatistics};
use datafusion::physical_plan::ExecutionPlan;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::file_reader::DataFileReaders;
use crate::store::delta::DataFile;

/// The files whose bounds leave room for a matching row. `columns`: those in the files, then that of the partitions.
pub(super) fn files_that_may_match(
    state: &dyn Session,
    filters: &[Expr],
    columns: SchemaRef,
    files: &[Arc<DataFile>],
) -> DfResult<Vec<Arc<DataFile>>> {
    let Some(filter) = filters.iter().cloned().reduce(Expr::and) else { return Ok(files.to_vec()) };
    let physical = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&columns))?)?;
    let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&columns)).try_build(physical);
    let Ok(predicate) = predicate else { return Ok(files.to_vec()) };
    let keep = predicate.prune(&FileBounds { columns, files })?;
    Ok(files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| Arc::clone(file)).collect())
}

/// Bounds of each file, one row a file, for the pruning of DataFusion. Its `PrunableStatistics` would have to be made of
/// all columns of all files, and takes exact bounds alone.
struct FileBounds<'a> {
    columns: SchemaRef,
    files: &'a [Arc<DataFile>],
}

impl FileBounds<'_> {
    fn bounds(&self, column: &Column, side: fn((i64, i64)) -> i64) -> Option<ArrayRef> {
        let index = self.columns.index_of(&column.name).ok()?;
        let data_type = self.columns.field(index).data_type();
        // Behind the columns of the files stands the partition, which all rows of a file have.
        if self.files.iter().any(|file| index >= file.bounds.len()) {
            let partitions = self.files.iter().map(|file| file.partition.as_deref());
            return (*data_type == DataType::Utf8).then(|| Arc::new(partitions.collect::<StringArray>()) as ArrayRef);
        }
        let none = ScalarValue::try_from(data_type).ok()?;
        let values = self.files.iter().map(|file| {
            let bound = file.bounds_of(index).map(side);
            bound.and_then(|bound| scalar(data_type, bound)).unwrap_or_else(|| none.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |(low, _)| low)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |(_, high)| high)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let index = self.columns.index_of(&column.name).ok()?;
        Some(Arc::new(self.files.iter().map(|file| file.nulls_in(index)).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| Some(file.rows)).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// A bound in the type of its column.
fn scalar(data_type: &DataType, value: i64) -> Option<ScalarValue> {
    Some(match data_type {
        DataType::Int64 => ScalarValue::Int64(Some(value)),
        DataType::Int32 => ScalarValue::Int32(Some(i32::try_from(value).ok()?)),
        DataType::Int16 => ScalarValue::Int16(Some(i16::try_from(value).ok()?)),
        DataType::Int8 => ScalarValue::Int8(Some(i8::try_from(value).ok()?)),
        DataType::Date32 => ScalarValue::Date32(Some(i32::try_from(value).ok()?)),
        DataType::Timestamp(_, zone) => ScalarValue::TimestampMicrosecond(Some(value), zone.clone()),
        _ => return None,
    })
}

/// What the log says of one file. Counts are exact, bounds are not: the log cuts timestamps, so MIN and MAX must be read.
fn statistics_of(file: &DataFile, columns: &Schema) -> Statistics {
    let exact = |count: u64| Precision::Exact(usize::try_from(count).unwrap_or(usize::MAX));
    let of_column = |(index, field): (usize, &arrow::datatypes::FieldRef)| {
        let mut statistics = ColumnStatistics::new_unknown();
        if let Some(nulls) = file.nulls_in(index) {
            statistics.null_count = exact(nulls);
        }
        let bound = |value| scalar(field.data_type(), value);
        if let Some((Some(low), Some(high))) = file.bounds_of(index).map(|(low, high)| (bound(low), bound(high))) {
            statistics.min_value = Precision::Inexact(low);
            statistics.max_value = Precision::Inexact(high);
        }
        statistics
    };
    Statistics {
        num_rows: exact(file.rows),
        total_byte_size: Precision::Inexact(usize::try_from(file.bytes).unwrap_or(usize::MAX)),
        column_statistics: columns.fields().iter().enumerate().map(of_column).collect(),
    }
}

/// A file as the reader wants it: `columns` are those in it, `partition` the values of those that are not.
pub(super) fn partitioned_file(
    location: Path,
    file: &DataFile,
    partition: Vec<ScalarValue>,
    columns: &Schema,
) -> PartitionedFile {
    let last_modified = DateTime::from_timestamp_millis(file.modified).unwrap_or_default();
    PartitionedFile::new_from_meta(ObjectMeta { location, last_modified, size: file.bytes, e_tag: None, version: None })
        .with_partition_values(partition)
        .with_statistics(Arc::new(statistics_of(file, columns)))
}

/// A stock Parquet scan.
pub(super) struct FileScan<'a> {
    pub(super) table: &'a TableSchema,
    pub(super) store_url: &'a ObjectStoreUrl,
    pub(super) readers: DataFileReaders,
    /// Bytes read from a file's end at once: mostly the whole footer.
    pub(super) footer_hint: usize,
    /// What skips row groups and pages beside the filters that the optimizer hands down.
    pub(super) predicate: Option<Arc<dyn PhysicalExpr>>,
}

impl FileScan<'_> {
    /// The rows of `parts`. A limit may stop the scan only where no row is filtered out above it.
    pub(super) fn plan(
        self,
        state: &dyn Session,
        parts: Vec<PartitionedFile>,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let statistics = total_statistics(self.table.table_schema(), &parts);
        let mut source = ParquetSource::new(self.table.clone())
            .with_metadata_size_hint(self.footer_hint)
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(self.readers));
        if let Some(predicate) = self.predicate {
            source = source.with_predicate(predicate);
        }
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(file_groups(parts, state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The figures of all files together. Of columns that are neither in the files nor in their folders nothing is known.
fn total_statistics(columns: &Schema, parts: &[PartitionedFile]) -> Statistics {
    let of_part = |part: &PartitionedFile| {
        let mut statistics = part.statistics.as_deref()?.clone();
        statistics.column_statistics.resize(columns.fields().len(), ColumnStatistics::new_unknown());
        Some(statistics)
    };
    let each: Vec<Statistics> = parts.iter().filter_map(of_part).collect();
    match Statistics::try_merge_iter(&each, columns) {
        Ok(total) if !parts.is_empty() => total,
        _ => {
            let mut unknown = Statistics::new_unknown(columns);
            if parts.is_empty() {
                unknown.num_rows = Precision::Exact(0);
            }
            unknown
        }
    }
}

/// Files over the partitions so that each gets about the same bytes.
fn file_groups(mut files: Vec<PartitionedFile>, partitions: usize) -> Vec<FileGroup> {
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
