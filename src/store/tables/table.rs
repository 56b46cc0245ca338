//! One user table: its newest state, and the way to the next one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::writer::WrittenTable;
use crate::error::Result;
use crate::ids::WorkspaceName;
use crate::store::delta::{Change, DeltaTable, Layout, LiveFiles, LogObjects, TableDefinition};
use crate::store::paths::LogObject;
use crate::store::{Root, paths};

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableState {
    pub folder: Uuid,
    pub columns: SchemaRef,
    pub live: LiveFiles,
}

/// The log of one table. One process commits at a time (`WriterLock`).
pub struct TableLog {
    folder: Uuid,
    table: DeltaTable,
}

impl TableLog {
    pub fn new(root: &Root, workspace: &WorkspaceName, folder: Uuid) -> Result<Self> {
        Self::with_columns(root, workspace, folder, Arc::new(Schema::empty()))
    }

    /// The log of a table that is about to be created with these columns.
    pub fn with_columns(root: &Root, workspace: &WorkspaceName, folder: Uuid, columns: SchemaRef) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).table(folder))?;
        let layout = Layout { label: format!("user table {folder}"), columns, partition: None };
        let definition = TableDefinition { layout, configuration: Vec::new() };
        let store = root.workspace_store(workspace);
        let table = DeltaTable::new(root, url, store, paths::table_in_workspace(folder), definition);
        Ok(Self { folder, table })
    }

    /// Creates the table with its first rows.
    pub async fn create(&self, written: &WrittenTable) -> Result<()> {
        self.table.create(&written.files).await
    }

    /// The newest version.
    pub async fn state(&self) -> Result<TableState> {
        let (live, columns) = self.table.newest().await?.ok_or_else(|| self.table.missing())?;
        Ok(TableState { folder: self.folder, columns, live })
    }

    /// To be called before files are written for nothing.
    ///
    /// # Errors
    /// `Conflict` when another program made it a table that only later writers may write.
    pub async fn check_writable(&self) -> Result<()> {
        self.table.check_writable().await
    }

    /// Changes the table as version `version`, which must be the next one.
    pub async fn commit(&self, version: u64, change: Change<'_>) -> Result<()> {
        self.table.commit(version, change, HashMap::new()).await
    }

    /// Gathers what the log says up to `version`, the newest, in one object.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        self.table.checkpoint(version).await
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
        self.table.log_objects()
    }
}
