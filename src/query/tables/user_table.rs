//! A user table: the files of one version of its Delta table as a stock Parquet scan.
//!
//! For DELETE the same files are shown with two hidden columns, the file and the row's number in it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::{PruningPredicateBuilder, PruningStatistics};
use datafusion::physical_plan::ExecutionPlan;
use object_store::ObjectStore;
use parquet::arrow::RowNumber;

use super::file_reader::DataFileReaders;
use super::file_scan;
use crate::store::paths;
use crate::store::tables::{TableFile, TableState};

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 64 * 1024;

/// Hidden columns; no user column may begin so.
pub(in crate::query) const FILE: &str = "__convoke_file";
pub(in crate::query) const ROW: &str = "__convoke_row";

/// The live files of one version of a table.
pub(in crate::query) struct UserTable {
    table: TableSchema,
    state: Arc<TableState>,
    store_url: ObjectStoreUrl,
    store: Arc<dyn ObjectStore>,
    /// With the hidden columns.
    located: bool,
}

impl UserTable {
    /// `store` is that behind `store_url`, with the workspace's folder as `/`.
    pub(in crate::query) fn provider(
        state: Arc<TableState>,
        store_url: ObjectStoreUrl,
        store: Arc<dyn ObjectStore>,
    ) -> Arc<dyn TableProvider> {
        let table = TableSchema::builder(Arc::clone(&state.columns)).build();
        Arc::new(Self { table, state, store_url, store, located: false })
    }

    /// The same table with [`FILE`] and [`ROW`].
    pub(in crate::query) fn located(
        state: Arc<TableState>,
        store_url: ObjectStoreUrl,
        store: Arc<dyn ObjectStore>,
    ) -> Arc<dyn TableProvider> {
        let file = Arc::new(Field::new(FILE, DataType::Utf8, false));
        let row = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
        let table = TableSchema::builder(Arc::clone(&state.columns))
            .with_table_partition_cols(vec![file])
            .with_virtual_columns(vec![row])
            .build();
        Arc::new(Self { table, state, store_url, store, located: true })
    }

    /// The files whose bounds leave room for a matching row.
    fn files_that_may_match(&self, state: &dyn Session, filters: &[Expr]) -> DfResult<Vec<&TableFile>> {
        let all = || self.state.files.iter().collect();
        let Some(filter) = filters.iter().cloned().reduce(Expr::and) else {
            return Ok(all());
        };
        let physical = state.create_physical_expr(filter, &DFSchema::try_from(self.schema())?)?;
        let Ok(predicate) = PruningPredicateBuilder::new().with_file_schema(self.schema()).try_build(physical) else {
            return Ok(all());
        };
        let keep = predicate.prune(&FileBounds { state: &self.state })?;
        Ok(self.state.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect())
    }

    fn partitioned_file(&self, file: &TableFile) -> PartitionedFile {
        let partition = if self.located { vec![ScalarValue::Utf8(Some(file.path.clone()))] } else { Vec::new() };
        let location = paths::table_file_in_workspace(self.state.folder, &file.path);
        file_scan::partitioned_file(location, file.modified, file.bytes, partition, self.file_statistics(file))
    }

    fn file_statistics(&self, file: &TableFile) -> Statistics {
        let columns = self.schema();
        let of_column = |(index, field): (usize, &Arc<Field>)| {
            let bounds = file.bounds.get(index).copied().flatten();
            let bounds = bounds
                .and_then(|(low, high)| Some((scalar(field.data_type(), low)?, scalar(field.data_type(), high)?)));
            file_scan::column_statistics(file.null_counts.get(index).copied().flatten(), bounds)
        };
        file_scan::file_statistics(file.rows, file.bytes, columns.fields().iter().enumerate().map(of_column).collect())
    }
}

impl fmt::Debug for UserTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserTable(version {})", self.state.version)
    }
}

#[async_trait]
impl TableProvider for UserTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        // Files are skipped here; rows are filtered by the Parquet reader, to which the physical optimizer moves the
        // filter that `Inexact` keeps above the scan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let files = self.files_that_may_match(state, filters)?;
        let each: Vec<Statistics> = files.iter().map(|file| self.file_statistics(file)).collect();
        let statistics = file_scan::total_statistics(&self.schema(), &each);
        let parts = files.into_iter().map(|file| self.partitioned_file(file)).collect();
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let source = ParquetSource::new(self.table.clone())
            .with_metadata_size_hint(FOOTER_HINT)
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(DataFileReaders::new(Arc::clone(&self.store), cache)));
        // A limit may stop the scan only where no row is filtered out above it.
        let limit = limit.filter(|_| filters.is_empty());
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(file_scan::file_groups(parts, state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
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

/// Bounds of each file, one row a file, for the pruning of DataFusion.
struct FileBounds<'a> {
    state: &'a TableState,
}

impl FileBounds<'_> {
    fn column(&self, column: &Column) -> Option<(usize, &DataType)> {
        let index = Schema::index_of(&self.state.columns, &column.name).ok()?;
        Some((index, self.state.columns.field(index).data_type()))
    }

    fn bounds(&self, column: &Column, side: fn((i64, i64)) -> i64) -> Option<ArrayRef> {
        let (index, data_type) = self.column(column)?;
        let none = ScalarValue::try_from(data_type).ok()?;
        let values = self.state.files.iter().map(|file| {
            let bound = file.bounds.get(index).copied().flatten().map(side);
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
        self.state.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (index, _) = self.column(column)?;
        let counts = self.state.files.iter().map(|file| file.null_counts.get(index).copied().flatten());
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.state.files.iter().map(|file| Some(file.rows)).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
