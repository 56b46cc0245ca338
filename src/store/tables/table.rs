//! One user table: its newest state, and the way to the next one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::{DateTime, Utc};
use deltalake_core::kernel::Action;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use object_store::ObjectStore;
use uuid::Uuid;

use super::file::TableFile;
use super::writer::{FILE_BYTES, WrittenTable};
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::delta::{CommitLog, DeltaCommitLog, LogObjects, TableDefinition};
use crate::store::paths::LogObject;
use crate::store::{Root, paths};

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableState {
    pub folder: Uuid,
    pub version: u64,
    pub columns: SchemaRef,
    pub files: Arc<[TableFile]>,
}

impl TableState {
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// The log of one table. One process commits at a time (`WriterLock`).
pub struct TableLog {
    folder: Uuid,
    log: Box<dyn CommitLog>,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
}

impl TableLog {
    pub fn new(root: &Root, workspace: &WorkspaceName, folder: Uuid) -> Result<Self> {
        Self::with_columns(root, workspace, folder, Arc::new(Schema::empty()))
    }

    /// The log of a table that is about to be created with these columns.
    pub fn with_columns(root: &Root, workspace: &WorkspaceName, folder: Uuid, columns: SchemaRef) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).table(folder))?;
        let definition = TableDefinition {
            label: "the table".to_owned(),
            columns,
            partition_by: Vec::new(),
            configuration: Vec::new(),
        };
        let log = Box::new(DeltaCommitLog::new(root.store(), url, definition));
        Ok(Self { folder, log, store: root.workspace_store(workspace) })
    }

    /// Creates the table with its first rows.
    pub async fn create(&self, written: WrittenTable) -> Result<()> {
        self.log.create(adds(written, true)).await
    }

    /// The newest version.
    pub async fn state(&self) -> Result<TableState> {
        let missing =
            || Error::corrupt(format!("the log of user table {} is missing: run `convoke check`", self.folder));
        let (version, actions) = self.log.load().await?.ok_or_else(missing)?;
        let columns = self.log.columns().await?.ok_or_else(missing)?;
        let mut files = Vec::new();
        for batch in &actions {
            files.extend(TableFile::from_actions(batch, &columns)?);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(TableState { folder: self.folder, version, columns, files: files.into() })
    }

    /// Adds rows as version `version`, which must be the next one.
    pub async fn append(&self, version: u64, written: WrittenTable) -> Result<()> {
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        self.log.commit(version, adds(written, true), operation, HashMap::new()).await
    }

    /// Puts `written` in the place of the files `removed`.
    pub async fn replace(&self, version: u64, removed: &[TableFile], written: WrittenTable) -> Result<()> {
        let operation = DeltaOperation::Delete { predicate: None };
        self.log.commit(version, exchange(removed, written, true), operation, HashMap::new()).await
    }

    /// Puts `written`, which holds the same rows, in the place of the files `removed`.
    pub async fn join(&self, version: u64, removed: &[TableFile], written: WrittenTable) -> Result<()> {
        let target_size = i64::try_from(FILE_BYTES).unwrap_or(i64::MAX);
        let operation = DeltaOperation::Optimize { predicate: None, target_size };
        self.log.commit(version, exchange(removed, written, false), operation, HashMap::new()).await
    }

    /// Gathers what the log says up to `version`, the newest, in one object.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        let held = self.objects().list().await?;
        if held.iter().any(|object| object.kind == LogObject::Checkpoint(version)) {
            return Ok(());
        }
        self.log.checkpoint().await
    }

    /// Deletes what no version since `cutoff` needs of the log, of which `version` is the newest. Only the writer may.
    pub async fn clean(&self, version: u64, cutoff: DateTime<Utc>) -> Result<()> {
        let log = self.objects();
        let is_past = |kind| matches!(kind, LogObject::Entry(entry) if entry < version);
        if !log.list().await?.iter().any(|object| is_past(object.kind) && object.modified < cutoff) {
            return Ok(());
        }
        self.checkpoint(version).await?;
        log.delete(&log.expired(cutoff, version).await?).await
    }

    /// The objects of the log.
    pub fn objects(&self) -> LogObjects {
        LogObjects::new(Arc::clone(&self.store), paths::table_in_workspace(self.folder))
    }
}

fn exchange(removed: &[TableFile], written: WrittenTable, data_change: bool) -> Vec<Action> {
    let removes = removed.iter().map(|file| Action::Remove(file.to_remove(data_change)));
    removes.chain(adds(written, data_change)).collect()
}

fn adds(written: WrittenTable, data_change: bool) -> Vec<Action> {
    written.files.into_iter().map(|file| Action::Add(file.into_add(data_change))).collect()
}
