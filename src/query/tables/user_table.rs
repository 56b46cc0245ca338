//! A user table: the files of one version of its Delta table as a stock Parquet scan.
//!
//! For DELETE the same files are shown with two hidden columns, the file and the row's number in it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use object_store::ObjectStore;
use parquet::arrow::RowNumber;
use uuid::Uuid;

use super::file_reader::DataFileReaders;
use super::file_scan::{self, FileScan};
use crate::error::Error;
use crate::query::pinned_state::pinned;
use crate::store::delta::DataFile;
use crate::store::paths;
use crate::store::tables::TableState;

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 64 * 1024;

/// Hidden columns; no user column may begin so.
pub(in crate::query) const FILE: &str = "__convoke_file";
pub(in crate::query) const ROW: &str = "__convoke_row";

/// A table by its name, or the live files of one version of it.
pub(in crate::query) struct UserTable {
    table: TableSchema,
    files: Files,
    store_url: ObjectStoreUrl,
    store: Arc<dyn ObjectStore>,
}

enum Files {
    /// Those of the state that a statement reads, as long as the name is that of the table in this folder.
    OfName(String, Uuid),
    /// These, with the hidden columns.
    Located(Arc<TableState>),
}

impl UserTable {
    /// The table of this name, which has the columns of `state` in all states of the shape. `store` is that behind
    /// `store_url`, with the workspace's folder as `/`.
    pub(in crate::query) fn provider(
        name: &str,
        state: &TableState,
        store_url: ObjectStoreUrl,
        store: Arc<dyn ObjectStore>,
    ) -> Arc<dyn TableProvider> {
        let table = TableSchema::builder(Arc::clone(&state.columns)).build();
        Arc::new(Self { table, files: Files::OfName(name.to_owned(), state.folder), store_url, store })
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
        Arc::new(Self { table, files: Files::Located(state), store_url, store })
    }

    fn state(&self, session: &dyn Session) -> DfResult<Arc<TableState>> {
        match &self.files {
            Files::Located(state) => Ok(Arc::clone(state)),
            Files::OfName(name, folder) => {
                let state = pinned(session.config_options())?.tables.tables.get(name);
                let state = state.filter(|state| state.folder == *folder).cloned();
                // Another table of this name has other columns.
                Ok(state.ok_or_else(|| {
                    Error::conflict(format!(
                        "table '{name}' was made anew or dropped meanwhile: run the statement again"
                    ))
                })?)
            }
        }
    }

    fn part(&self, state: &TableState, file: &DataFile) -> PartitionedFile {
        let partition = match self.files {
            Files::Located(_) => vec![ScalarValue::from(file.path.as_str())],
            Files::OfName(..) => Vec::new(),
        };
        let location = paths::table_file_in_workspace(state.folder, &file.path);
        file_scan::partitioned_file(location, file, partition, &state.columns)
    }
}

impl fmt::Debug for UserTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.files {
            Files::OfName(name, _) => write!(f, "UserTable({name})"),
            Files::Located(state) => write!(f, "UserTable(version {})", state.live.version),
        }
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
        let table = self.state(state)?;
        let files = file_scan::files_that_may_match(state, filters, self.schema(), &table.live.files)?;
        let parts = files.iter().map(|file| self.part(&table, file)).collect();
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let scan = FileScan {
            table: &self.table,
            store_url: &self.store_url,
            readers: DataFileReaders::new(Arc::clone(&self.store), cache),
            footer_hint: FOOTER_HINT,
            predicate: None,
        };
        // Of rows that a filter above may leave out, none are enough.
        scan.plan(state, parts, projection, limit.filter(|_| filters.is_empty()))
    }
}
