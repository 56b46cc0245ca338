//! Reading and writing of a table's log, behind one small trait that a simulation can stand in for.
//!
//! Knows no table by name: what each is made of is its [`TableDefinition`].

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake_core::kernel::transaction::{CommitData, TransactionError};
use deltalake_core::kernel::{Action, CommitInfo, Snapshot, StructField};
use deltalake_core::logstore::CommitOrBytes;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode, checkpoints};
use deltalake_core::{DeltaTable, DeltaTableBuilder};
use object_store::ObjectStore;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::columns;
use super::layout::Layout;
use super::protocol;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

/// What a table's log must do.
#[async_trait]
pub trait CommitLog: Send + Sync {
    /// Makes the table, with the files of `first` in it, unless it is there.
    async fn create(&self, first: Vec<Action>) -> Result<()>;

    /// The newest version and its live files, as batches of flattened add actions; `None` when there is no table.
    ///
    /// # Errors
    /// `Corrupt`, too, when another program made it a table that only later readers understand.
    async fn load(&self) -> Result<Option<(u64, Vec<RecordBatch>)>>;

    /// The columns that the log declares; `None` when there is no table.
    async fn columns(&self) -> Result<Option<SchemaRef>>;

    /// # Errors
    /// `Conflict` when another program had made it a table that only later writers may write, when it was last loaded.
    async fn check_writable(&self) -> Result<()>;

    /// The `commitInfo` of one version, `None` when there is no such version.
    async fn commit_info(&self, version: u64) -> Result<Option<Value>>;

    /// Writes exactly this version, with `info` merged into its `commitInfo`.
    ///
    /// # Errors
    /// `Conflict` when somebody else's commit has this version, and as [`Self::check_writable`]. An error of the store is
    /// resolved by reading the version back: a commit that landed is a success, whatever the store said.
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

/// What a table is made of when it is created.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// Without columns for a table that is there already.
    pub layout: Layout,
    /// Delta's table properties.
    pub configuration: Vec<(String, String)>,
}

/// The log of a Delta table in an object store.
pub struct DeltaCommitLog {
    store: Arc<dyn ObjectStore>,
    url: Url,
    definition: TableDefinition,
    clock: Clock,
    /// The table with its files in memory, brought forward from version to version.
    table: Mutex<Option<DeltaTable>>,
}

impl DeltaCommitLog {
    /// `store` is the store at the root of its scheme; `url` names the table's folder.
    pub fn new(store: Arc<dyn ObjectStore>, url: Url, definition: TableDefinition, clock: Clock) -> Self {
        Self { store, url, definition, clock, table: Mutex::new(None) }
    }

    fn failed(&self, error: deltalake_core::DeltaTableError) -> Error {
        let label = &self.definition.layout.label;
        if let Some(ours) = Error::of_store(&error).or_else(|| Error::of_disk(&error)) {
            return ours.context(label).with_source(error);
        }
        Error::internal(format!("{label}: {error}")).with_source(error)
    }

    /// The library fails at the files of a table of which it knows the protocol, and not what that asks for.
    async fn refusal_of(&self, failure: deltalake_core::DeltaTableError) -> Error {
        if Error::of_store(&failure).is_none()
            && let Ok(table) = self.table()
            && let Ok(state) = Snapshot::try_new(table.log_store().as_ref(), None).await
            && let Err(refusal) = protocol::check_readable(&self.definition.layout.label, state.protocol())
        {
            return refusal.with_source(failure);
        }
        self.failed(failure)
    }

    fn table(&self) -> Result<DeltaTable> {
        let builder = DeltaTableBuilder::from_url(self.url.clone()).map_err(|error| self.failed(error))?;
        builder
            .with_storage_backend(Arc::clone(&self.store), self.url.clone())
            .build()
            .map_err(|error| self.failed(error))
    }

    async fn read_entry(&self, version: u64) -> Result<Option<Vec<Value>>> {
        let log_store = self.table()?.log_store();
        let Some(bytes) = log_store.read_commit_entry(version).await.map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        let actions = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>().collect::<Result<_, _>>();
        actions.map(Some).map_err(|error| {
            Error::corrupt(format!("version {version} in the log of {} is not JSON: {error}", self.url))
        })
    }
}

#[async_trait]
impl CommitLog for DeltaCommitLog {
    async fn create(&self, first: Vec<Action>) -> Result<()> {
        let columns: Vec<StructField> =
            columns::declared(&self.definition.layout.declared())?.fields().cloned().collect();
        let configuration = self.definition.configuration.iter().map(|(key, value)| (key, Some(value)));
        let created = CreateBuilder::new()
            .with_log_store(self.table()?.log_store())
            .with_save_mode(SaveMode::Ignore)
            .with_columns(columns)
            .with_partition_columns(self.definition.layout.partition)
            .with_configuration(configuration)
            .with_actions(first)
            .await;
        let created = match created {
            Ok(created) => created,
            // Somebody else's first version serves as well as ours; and it may be ours, with its answer lost.
            Err(failure) => {
                let mut table = self.table()?;
                if table.load().await.is_err() {
                    return Err(self.refusal_of(failure).await);
                }
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
                if let Err(failure) = table.update_state().await {
                    return Err(self.refusal_of(failure).await);
                }
                table
            }
            None => {
                let mut table = self.table()?;
                if !table.verify_deltatable_existence().await.map_err(|error| self.failed(error))? {
                    return Ok(None);
                }
                if let Err(failure) = table.load().await {
                    return Err(self.refusal_of(failure).await);
                }
                held.insert(table)
            }
        };
        let state = table.snapshot().map_err(|error| self.failed(error))?;
        let label = &self.definition.layout.label;
        protocol::check_readable(label, state.protocol())?;
        protocol::check_files(label, state)?;
        let batches = state.add_actions_batches(true).map_err(|error| self.failed(error))?;
        Ok(Some((state.version(), batches)))
    }

    async fn columns(&self) -> Result<Option<SchemaRef>> {
        let held = self.table.lock().await;
        let Some(table) = held.as_ref() else { return Ok(None) };
        let state = table.snapshot().map_err(|error| self.failed(error))?;
        Ok(Some(Arc::new(state.schema().as_ref().try_into_arrow()?)))
    }

    async fn check_writable(&self) -> Result<()> {
        let held = self.table.lock().await;
        let Some(table) = held.as_ref() else { return Ok(()) };
        let state = table.snapshot().map_err(|error| self.failed(error))?;
        protocol::check_writable(&self.definition.layout.label, state.protocol())
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
        mut actions: Vec<Action>,
        operation: DeltaOperation,
        mut info: HashMap<String, Value>,
    ) -> Result<()> {
        let label = &self.definition.layout.label;
        // A change of it since then has taken the place of this version.
        self.check_writable().await?;
        let id = self.clock.new_id();
        // First, as the protocol wants it; left to itself the library takes the time of the machine.
        let timestamp = Some(self.clock.now().timestamp_millis());
        actions.insert(0, Action::CommitInfo(CommitInfo { timestamp, ..operation.get_commit_info() }));
        info.insert(COMMIT_ID.to_owned(), Value::String(id.to_string()));
        let bytes = CommitData::new(actions, operation, info, Vec::new())
            .get_bytes()
            .map_err(|error| Error::internal(format!("commit of {label}: {error}")))?;
        let log_store = self.table()?.log_store();
        let failure = match log_store.write_commit_entry(version, CommitOrBytes::LogBytes(bytes), id).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        // The store may have applied the write and lost the answer: only the log itself tells.
        match self.commit_info(version).await? {
            Some(landed) if landed[COMMIT_ID] == Value::String(id.to_string()) => Ok(()),
            Some(_) => Err(Error::conflict(format!("version {version} of {label} was written by another process"))),
            None => Err(commit_failure(label, version, failure)),
        }
    }

    async fn checkpoint(&self) -> Result<()> {
        let mut table = self.table()?;
        table.load().await.map_err(|error| self.failed(error))?;
        let state = table.snapshot().map_err(|error| self.failed(error))?;
        protocol::check_writable(&self.definition.layout.label, state.protocol())?;
        let runtime = tokio::runtime::Handle::current();
        // It computes on the task that calls it.
        let write = move || runtime.block_on(checkpoints::create_checkpoint(&table, None));
        let written = tokio::task::spawn_blocking(write).await;
        written
            .map_err(|error| Error::internal(format!("writing a checkpoint: {error}")))?
            .map_err(|error| self.failed(error))
    }
}

fn commit_failure(label: &str, version: u64, failure: TransactionError) -> Error {
    if let Some(ours) = Error::of_store(&failure).or_else(|| Error::of_disk(&failure)) {
        return ours.context(format!("version {version} of {label} could not be written")).with_source(failure);
    }
    Error::new(Kind::Internal, format!("version {version} of {label} could not be written: {failure}"))
        .with_source(failure)
}
