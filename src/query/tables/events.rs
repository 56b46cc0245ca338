//! `events`: the files of the Delta snapshot as a stock Parquet scan, and `person` computed from `node`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, col};
use datafusion::physical_optimizer::pruning::{PruningPredicateBuilder, PruningStatistics};
use datafusion::physical_plan::ExecutionPlan;

use super::file_reader::DataFileReaders;
use super::person_scan::{FileRows, PersonScan};
use super::{file_scan, person_rows};
use crate::error::Result;
use crate::identity::IdentitySnapshot;
use crate::ids::Node;
use crate::query::functions::PERSON_AT;
use crate::store::events::{DataFile, EventsSnapshot, RowRanges, schema};
use crate::store::paths;
use crate::workspace::{Snapshot, Workspace};

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 256 * 1024;

/// Rows of pages that are read whole to find a person's among them; beyond, DataFusion's scan filters while it reads.
const MOST_ROWS_OF_PAGES: usize = 500_000;

/// The stored columns and the month, without `person`.
pub(in crate::query) fn raw(
    workspace: &Arc<Workspace>,
    snapshot: &Snapshot,
    store_url: ObjectStoreUrl,
) -> Arc<dyn TableProvider> {
    let month = Arc::new(Field::new(schema::MONTH, DataType::Utf8, true));
    let table = TableSchema::builder(schema::stored()).with_table_partition_cols(vec![month]).build();
    Arc::new(EventFiles {
        table,
        snapshot: snapshot.events.clone(),
        identity: snapshot.identity.clone(),
        store_url,
        workspace: Arc::clone(workspace),
    })
}

/// What users see: `person` in place of `node`, so that predicates on it reach the Parquet row filter.
pub(in crate::query) fn with_person(
    state: &SessionState,
    raw: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>> {
    let shown = schema::stored();
    let shown = shown.fields().iter().map(|field| field.name().as_str()).filter(|name| schema::is_shown(name));
    let columns = shown.map(|name| if name == "node" { "person" } else { name });
    project(state, raw, &columns.collect::<Vec<_>>())
}

/// All stored columns and `person`, for the tables of orders.
pub(in crate::query) fn with_order_columns(
    state: &SessionState,
    raw: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>> {
    let stored = schema::stored();
    let columns = stored.fields().iter().map(|field| field.name().as_str()).chain(["person"]);
    project(state, raw, &columns.collect::<Vec<_>>())
}

/// These columns of the stored events; `person` is computed.
fn project(state: &SessionState, raw: Arc<dyn TableProvider>, columns: &[&str]) -> Result<Arc<dyn TableProvider>> {
    let person_at = state
        .scalar_functions()
        .get(PERSON_AT)
        .cloned()
        .ok_or_else(|| crate::error::Error::internal("person_at is not registered"))?;
    let columns: Vec<Expr> = columns
        .iter()
        .map(|name| match *name {
            "person" => person_at.call(vec![col("node")]).alias("person"),
            name => col(name),
        })
        .collect();
    let plan = LogicalPlanBuilder::scan("events", provider_as_source(raw), None)?.project(columns)?.build()?;
    Ok(Arc::new(Events { view: ViewTable::new(plan, None) }))
}

/// A plan like a view, but a table to those who look.
#[derive(Debug)]
struct Events {
    view: ViewTable,
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        self.view.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.view.get_logical_plan()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        self.view.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        self.view.scan(state, projection, filters, limit).await
    }
}

/// A file to read, and the rows of it where not all.
struct Chosen {
    file: DataFile,
    row_groups: Option<Vec<RowRanges>>,
}

/// The live files of one snapshot.
struct EventFiles {
    table: TableSchema,
    snapshot: EventsSnapshot,
    identity: IdentitySnapshot,
    store_url: ObjectStoreUrl,
    workspace: Arc<Workspace>,
}

impl fmt::Debug for EventFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventFiles(version {})", self.snapshot.version)
    }
}

#[async_trait]
impl TableProvider for EventFiles {
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
        let nodes = person_rows::nodes_of_constant_person(filters, &self.identity);
        let chosen = self.choose(state, filters, nodes.as_deref()).await?;
        let columns = self.schema();
        if let Some(nodes) = nodes.as_deref()
            && let Some(files) = few_rows(&chosen, &columns)
        {
            let wanted = match projection {
                Some(projection) => Arc::new(columns.project(projection)?),
                None => columns,
            };
            let partitions = state.config().target_partitions();
            return Ok(Arc::new(PersonScan::new(self.readers(state), files, nodes, wanted, partitions)));
        }
        let each: Vec<Statistics> = chosen.iter().map(|chosen| file_statistics(&chosen.file, &columns)).collect();
        let statistics = file_scan::total_statistics(&columns, &each);
        let parts = chosen.iter().map(|chosen| part(chosen, &columns)).collect();
        let mut source = ParquetSource::new(self.table.clone())
            .with_metadata_size_hint(FOOTER_HINT)
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(self.readers(state)));
        if let Some(nodes) = &nodes {
            let condition = person_rows::node_condition(nodes);
            source = source.with_predicate(state.create_physical_expr(condition, &self.df_schema()?)?);
        }
        let groups = file_scan::file_groups(parts, state.config().target_partitions());
        // A limit may stop the scan only where no row is filtered out above it.
        let limit = limit.filter(|_| filters.is_empty());
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

impl EventFiles {
    fn readers(&self, state: &dyn Session) -> DataFileReaders {
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        DataFileReaders::new(self.workspace.store(), cache)
    }

    fn df_schema(&self) -> DfResult<datafusion::common::DFSchema> {
        datafusion::common::DFSchema::try_from(self.schema())
    }

    /// The files to read; of a person's the parts that may hold his rows.
    async fn choose(&self, state: &dyn Session, filters: &[Expr], nodes: Option<&[Node]>) -> DfResult<Vec<Chosen>> {
        let Some(nodes) = nodes else {
            let files = self.files_that_may_match(state, filters)?;
            return Ok(files.into_iter().map(|file| Chosen { file, row_groups: None }).collect());
        };
        let mut filters = filters.to_vec();
        filters.push(person_rows::node_condition(nodes));
        let files = self.files_that_may_match(state, &filters)?;
        let selected = self.workspace.node_index().select(files, nodes).await?;
        Ok(selected.into_iter().map(|part| Chosen { file: part.file, row_groups: Some(part.row_groups) }).collect())
    }

    /// The files whose bounds of ts and node leave room for a matching row.
    fn files_that_may_match(&self, state: &dyn Session, filters: &[Expr]) -> DfResult<Vec<DataFile>> {
        let all = || self.snapshot.files.to_vec();
        let Some(filter) = filters.iter().cloned().reduce(Expr::and) else {
            return Ok(all());
        };
        let physical = state.create_physical_expr(filter, &self.df_schema()?)?;
        let Ok(predicate) = PruningPredicateBuilder::new().with_file_schema(self.schema()).try_build(physical) else {
            return Ok(all());
        };
        let keep = predicate.prune(&FileBounds { files: &self.snapshot.files })?;
        Ok(self.snapshot.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file.clone()).collect())
    }
}

/// Bounds of each file, one row a file, for the pruning of DataFusion.
struct FileBounds<'a> {
    files: &'a [DataFile],
}

impl FileBounds<'_> {
    fn bounds(&self, column: &str, side: fn((i64, i64)) -> i64) -> Option<arrow::array::ArrayRef> {
        let values: Vec<Option<i64>> = match column {
            "ts" => self.files.iter().map(|file| file.ts.map(side)).collect(),
            "node" => self.files.iter().map(|file| file.node.map(side)).collect(),
            schema::MONTH => {
                let months = self.files.iter().map(|file| file.month.as_str());
                return Some(Arc::new(arrow::array::StringArray::from_iter_values(months)));
            }
            _ => return None,
        };
        match column {
            "ts" => Some(Arc::new(arrow::array::TimestampMicrosecondArray::from(values).with_timezone("UTC"))),
            _ => Some(Arc::new(arrow::array::Int64Array::from(values))),
        }
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &datafusion::common::Column) -> Option<arrow::array::ArrayRef> {
        self.bounds(&column.name, |(low, _)| low)
    }

    fn max_values(&self, column: &datafusion::common::Column) -> Option<arrow::array::ArrayRef> {
        self.bounds(&column.name, |(_, high)| high)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &datafusion::common::Column) -> Option<arrow::array::ArrayRef> {
        let index = schema::stored().index_of(&column.name).ok()?;
        let counts = self.files.iter().map(|file| file.null_counts.get(index).copied().flatten());
        Some(Arc::new(counts.collect::<arrow::array::UInt64Array>()))
    }

    fn row_counts(&self) -> Option<arrow::array::ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| Some(file.rows)).collect::<arrow::array::UInt64Array>()))
    }

    fn contained(
        &self,
        _column: &datafusion::common::Column,
        _values: &std::collections::HashSet<ScalarValue>,
    ) -> Option<arrow::array::BooleanArray> {
        None
    }
}

fn file_statistics(file: &DataFile, columns: &Schema) -> Statistics {
    let of_column = |(index, field): (usize, &Arc<Field>)| {
        let bounds = match field.name().as_str() {
            "ts" => file.ts.map(|(low, high)| {
                let instant = |value| ScalarValue::TimestampMicrosecond(Some(value), Some("UTC".into()));
                (instant(low), instant(high))
            }),
            "node" => file.node.map(|(low, high)| (ScalarValue::Int64(Some(low)), ScalarValue::Int64(Some(high)))),
            _ => None,
        };
        file_scan::column_statistics(file.null_counts.get(index).copied().flatten(), bounds)
    };
    file_scan::file_statistics(file.rows, file.bytes, columns.fields().iter().enumerate().map(of_column).collect())
}

/// The parts of files to read, if they are few enough to be read whole.
fn few_rows(chosen: &[Chosen], columns: &Schema) -> Option<Vec<FileRows>> {
    let files: Option<Vec<FileRows>> = chosen
        .iter()
        .map(|chosen| {
            let whole = Chosen { file: chosen.file.clone(), row_groups: None };
            let (file, month) = (part(&whole, columns), chosen.file.month.clone());
            Some(FileRows { file, month, row_groups: chosen.row_groups.clone()? })
        })
        .collect();
    files.filter(|files| files.iter().map(FileRows::rows).sum::<usize>() <= MOST_ROWS_OF_PAGES)
}

fn part(chosen: &Chosen, columns: &Schema) -> PartitionedFile {
    let file = &chosen.file;
    let location = paths::events_file_in_workspace(&file.path);
    let month = vec![ScalarValue::Utf8(Some(file.month.clone()))];
    let statistics = file_statistics(file, columns);
    let whole = file_scan::partitioned_file(location, file.modified, file.bytes, month, statistics);
    match &chosen.row_groups {
        Some(row_groups) => person_rows::with_rows(whole, row_groups),
        None => whole,
    }
}
