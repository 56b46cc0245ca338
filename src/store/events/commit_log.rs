//! Reading and writing of a table's log, behind one small trait that a simulation can stand in for.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use deltalake_core::kernel::transaction::{CommitData, TransactionError};
use deltalake_core::kernel::{Action, StructField, StructType};
use deltalake_core::logstore::CommitOrBytes;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode, checkpoints};
use deltalake_core::{DeltaTable, DeltaTableBuilder};
use object_store::ObjectStore;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use super::schema;
use crate::error::{Error, Kind, Result};

/// What a table's log must do.
#[async_trait]
pub trait CommitLog: Send + Sync {
    /// Makes the table unless it is there.
    async fn create(&self) -> Result<()>;

    /// The newest version and its live files, as batches of flattened add actions; `None` when there is no table.
    async fn load(&self) -> Result<Option<(u64, Vec<RecordBatch>)>>;

    /// The `commitInfo` of one version, `None` when there is no such version.
    async fn commit_info(&self, version: u64) -> Result<Option<Value>>;

    /// Writes exactly this version, with `info` merged into its `commitInfo`.
    ///
    /// # Errors
    /// `Conflict` when somebody else's commit has this version. An error of the store is resolved by reading the
    /// version back: a commit that landed is a success, whatever the store said.
    async fn commit(
        &self,
        version: u64,
        actions: Vec<Action>,
        operation: DeltaOperation,
        info: HashMap<String, Value>,
    ) -> Result<()>;

    /// Writes the state at the newest version as one object, so that nobody need read the entries before it.
    async fn checkpoint(&self) -> Result<()>;
}

/// Key of our own id in `commitInfo`: tells our landed commit from somebody else's.
const COMMIT_ID: &str = "convokeCommit";

/// The log of a Delta table in an object store.
pub struct DeltaCommitLog {
    store: Arc<dyn ObjectStore>,
    url: Url,
    /// The table with its files in memory, brought forward from version to version.
    table: Mutex<Option<DeltaTable>>,
}

impl DeltaCommitLog {
    /// `store` is the store at the root of its scheme; `url` names the table's folder.
    pub fn new(store: Arc<dyn ObjectStore>, url: Url) -> Self {
        Self { store, url, table: Mutex::new(None) }
    }

    fn table(&self) -> Result<DeltaTable> {
        let builder = DeltaTableBuilder::from_url(self.url.clone()).map_err(delta_error)?;
        builder.with_storage_backend(Arc::clone(&self.store), self.url.clone()).build().map_err(delta_error)
    }

    async fn read_entry(&self, version: u64) -> Result<Option<Vec<Value>>> {
        let log_store = self.table()?.log_store();
        let Some(bytes) = log_store.read_commit_entry(version).await.map_err(delta_error)? else {
            return Ok(None);
        };
        let actions = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>().collect::<Result<_, _>>();
        actions.map(Some).map_err(|error| {
            Error::corrupt(format!("version {version} in the log of {} is not JSON: {error}", self.url))
        })
    }
}

fn delta_error(error: deltalake_core::DeltaTableError) -> Error {
    if let Some(ours) = Error::of_store(&error) {
        return ours.context("events table").with_source(error);
    }
    Error::internal(format!("events table: {error}")).with_source(error)
}

/// The columns of the table in Delta's own types.
fn delta_columns() -> Result<Vec<StructField>> {
    use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
    let arrow_schema = schema::stored();
    let kernel: StructType = arrow_schema.as_ref().try_into_kernel().map_err(Error::from)?;
    let mut columns: Vec<StructField> = kernel.fields().cloned().collect();
    columns.push(StructField::nullable(schema::MONTH, deltalake_core::kernel::DataType::STRING));
    Ok(columns)
}

#[async_trait]
impl CommitLog for DeltaCommitLog {
    async fn create(&self) -> Result<()> {
        let created = CreateBuilder::new()
            .with_log_store(self.table()?.log_store())
            .with_save_mode(SaveMode::Ignore)
            .with_columns(delta_columns()?)
            .with_partition_columns([schema::MONTH])
            .with_configuration([("delta.dataSkippingStatsColumns", Some(schema::MIN_MAX_COLUMNS.join(",")))])
            .await;
        let created = match created {
            Ok(created) => created,
            // Somebody else's first version serves as well as ours; and it may be ours, with its answer lost.
            Err(failure) => {
                let mut table = self.table()?;
                table.load().await.map_err(|_| delta_error(failure))?;
                table
            }
        };
        *self.table.lock().await = Some(created);
        Ok(())
    }

    async fn load(&self) -> Result<Option<(u64, Vec<RecordBatch>)>> {
        let mut held = self.table.lock().await;
        let table = match held.as_mut() {
            Some(table) => {
                table.update_state().await.map_err(delta_error)?;
                table
            }
            None => {
                let mut table = self.table()?;
                if !table.verify_deltatable_existence().await.map_err(delta_error)? {
                    return Ok(None);
                }
                table.load().await.map_err(delta_error)?;
                held.insert(table)
            }
        };
        let state = table.snapshot().map_err(delta_error)?;
        let batches = state.add_actions_batches(true).map_err(delta_error)?;
        Ok(Some((state.version(), batches)))
    }

    async fn commit_info(&self, version: u64) -> Result<Option<Value>> {
        let Some(actions) = self.read_entry(version).await? else {
            return Ok(None);
        };
        let info = actions.into_iter().find_map(|mut action| action.get_mut("commitInfo").map(Value::take));
        Ok(Some(info.unwrap_or(Value::Null)))
    }

    async fn commit(
        &self,
        version: u64,
        actions: Vec<Action>,
        operation: DeltaOperation,
        mut info: HashMap<String, Value>,
    ) -> Result<()> {
        let id = Uuid::now_v7();
        info.insert(COMMIT_ID.to_owned(), Value::String(id.to_string()));
        let bytes = CommitData::new(actions, operation, info, Vec::new())
            .get_bytes()
            .map_err(|error| Error::internal(format!("commit of the events table: {error}")))?;
        let log_store = self.table()?.log_store();
        let failure = match log_store.write_commit_entry(version, CommitOrBytes::LogBytes(bytes), id).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        // The store may have applied the write and lost the answer: only the log itself tells.
        match self.commit_info(version).await? {
            Some(landed) if landed[COMMIT_ID] == Value::String(id.to_string()) => Ok(()),
            Some(_) => {
                Err(Error::conflict(format!("version {version} of the events table was written by another process")))
            }
            None => Err(commit_failure(version, failure)),
        }
    }

    async fn checkpoint(&self) -> Result<()> {
        let mut table = self.table()?;
        table.load().await.map_err(delta_error)?;
        let runtime = tokio::runtime::Handle::current();
        // It computes on the task that calls it.
        let write = move || runtime.block_on(checkpoints::create_checkpoint(&table, None));
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| Error::internal(format!("writing a checkpoint: {error}")))?.map_err(delta_error)
    }
}

fn commit_failure(version: u64, failure: TransactionError) -> Error {
    if let Some(ours) = Error::of_store(&failure) {
        return ours
            .context(format!("version {version} of the events table could not be written"))
            .with_source(failure);
    }
    Error::new(Kind::Internal, format!("version {version} of the events table could not be written: {failure}"))
        .with_source(failure)
}
