//! One user table: its newest state, and the way to the next one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::Action;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use uuid::Uuid;

use super::file::TableFile;
use super::writer::WrittenTable;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::delta::{CommitLog, DeltaCommitLog, TableDefinition};

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
        Ok(Self { folder, log: Box::new(DeltaCommitLog::new(root.store(), url, definition)) })
    }

    /// Creates the table with its first rows.
    pub async fn create(&self, written: WrittenTable) -> Result<()> {
        self.log.create(adds(written)).await
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
        self.log.commit(version, adds(written), operation, HashMap::new()).await
    }

    /// Puts `written` in the place of the files `removed`.
    pub async fn replace(&self, version: u64, removed: &[TableFile], written: WrittenTable) -> Result<()> {
        let mut actions: Vec<Action> = removed.iter().map(|file| Action::Remove(file.to_remove())).collect();
        actions.extend(adds(written));
        self.log.commit(version, actions, DeltaOperation::Delete { predicate: None }, HashMap::new()).await
    }
}

fn adds(written: WrittenTable) -> Vec<Action> {
    written.files.into_iter().map(|file| Action::Add(file.into_add())).collect()
}
