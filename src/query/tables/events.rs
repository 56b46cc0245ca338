//! `events`: the files of the Delta snapshot as a stock Parquet scan, beside them the rows of the log, and `person` computed
//! from `node`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, col};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use super::file_reader::DataFileReaders;
use super::file_scan::FileScan;
use super::person_scan::{FileRows, PersonScan};
use super::{file_scan, hot_rows, person_rows};
use crate::error::Result;
use crate::ids::Node;
use crate::query::functions::PERSON_AT;
use crate::query::pinned_state::pinned;
use crate::store::delta::DataFile;
use crate::store::events::{RowRanges, schema};
use crate::store::paths;
use crate::workspace::Workspace;

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 256 * 1024;

/// Rows of pages that are read whole to find a person's among them; beyond, DataFusion's scan filters while it reads.
const MOST_ROWS_OF_PAGES: usize = 500_000;

/// The stored columns and the month, without `person`.
pub(in crate::query) fn raw(workspace: &Arc<Workspace>, store_url: ObjectStoreUrl) -> Arc<dyn TableProvider> {
    let month = Arc::new(Field::new(schema::MONTH, DataType::Utf8, true));
    let table = TableSchema::builder(schema::stored()).with_table_partition_cols(vec![month]).build();
    Arc::new(EventFiles { table, store_url, workspace: Arc::clone(workspace) })
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
    file: Arc<DataFile>,
    row_groups: Option<Vec<RowRanges>>,
}

/// The live files of the state that a statement reads.
struct EventFiles {
    table: TableSchema,
    store_url: ObjectStoreUrl,
    workspace: Arc<Workspace>,
}

impl fmt::Debug for EventFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventFiles")
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
        let snapshot = pinned(state.config_options())?;
        let partitions = state.config().target_partitions();
        let nodes = person_rows::nodes_of_constant_person(filters, &snapshot.identity);
        let in_log = hot_rows::scan(&snapshot.hot, nodes.as_deref(), projection, partitions)?;
        let chosen = self.choose(state, &snapshot.events.files, filters, nodes.as_deref()).await?;
        if let Some(nodes) = nodes.as_deref()
            && let Some(files) = few_rows(&chosen)
        {
            let wanted = match projection {
                Some(projection) => Arc::new(self.schema().project(projection)?),
                None => self.schema(),
            };
            let in_files = Arc::new(PersonScan::new(self.readers(state), files, nodes, wanted, partitions));
            return beside(in_files, in_log);
        }
        let parts = chosen.iter().map(part).collect();
        let predicate = match &nodes {
            Some(nodes) => Some(state.create_physical_expr(person_rows::node_condition(nodes), &self.df_schema()?)?),
            None => None,
        };
        let scan = FileScan {
            table: &self.table,
            store_url: &self.store_url,
            readers: self.readers(state),
            footer_hint: FOOTER_HINT,
            predicate,
        };
        // Of rows that a filter above may leave out, none are enough.
        beside(scan.plan(state, parts, projection, limit.filter(|_| filters.is_empty()))?, in_log)
    }
}

/// The rows of the files, and those of the log where there are any.
fn beside(
    in_files: Arc<dyn ExecutionPlan>,
    in_log: Option<Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    match in_log {
        Some(in_log) => UnionExec::try_new(vec![in_files, in_log]),
        None => Ok(in_files),
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
    async fn choose(
        &self,
        state: &dyn Session,
        live: &[Arc<DataFile>],
        filters: &[Expr],
        nodes: Option<&[Node]>,
    ) -> DfResult<Vec<Chosen>> {
        let may_match = |filters: &[Expr]| file_scan::files_that_may_match(state, filters, self.schema(), live);
        let Some(nodes) = nodes else {
            return Ok(may_match(filters)?.into_iter().map(|file| Chosen { file, row_groups: None }).collect());
        };
        let mut filters = filters.to_vec();
        filters.push(person_rows::node_condition(nodes));
        let selected = self.workspace.node_index().select(may_match(&filters)?, nodes).await?;
        Ok(selected.into_iter().map(|part| Chosen { file: part.file, row_groups: Some(part.row_groups) }).collect())
    }
}

/// The parts of files to read, if they are few enough to be read whole.
fn few_rows(chosen: &[Chosen]) -> Option<Vec<FileRows>> {
    let files: Option<Vec<FileRows>> = chosen
        .iter()
        .map(|chosen| {
            let whole = Chosen { file: Arc::clone(&chosen.file), row_groups: None };
            let month = schema::month_of(&chosen.file).to_owned();
            Some(FileRows { file: part(&whole), month, row_groups: chosen.row_groups.clone()? })
        })
        .collect();
    files.filter(|files| files.iter().map(FileRows::rows).sum::<usize>() <= MOST_ROWS_OF_PAGES)
}

fn part(chosen: &Chosen) -> PartitionedFile {
    let file = &chosen.file;
    let location = paths::events_file_in_workspace(&file.path);
    let month = vec![ScalarValue::from(schema::month_of(file))];
    let whole = file_scan::partitioned_file(location, file, month, &schema::stored());
    match &chosen.row_groups {
        Some(row_groups) => person_rows::with_rows(whole, row_groups),
        None => whole,
    }
}
