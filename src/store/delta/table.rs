//! One Delta table: its newest files, and the way to the next version. Must not know what its rows are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use deltalake_core::kernel::Action;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use object_store::ObjectStore;
use object_store::path::Path;
use serde_json::Value;
use url::Url;

use super::commit_log::{CommitLog, DeltaCommitLog, TableDefinition};
use super::data_file::{DataFile, WrittenFile};
use super::layout::Layout;
use super::log_objects::LogObjects;
use crate::clock::Clock;
use crate::error::{Error, RUN_CHECK, Result};
use crate::store::Root;
use crate::store::paths::LogObject;

/// The live files of one version, in the order of their paths. A copy shares them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveFiles {
    pub version: u64,
    pub files: Arc<[Arc<DataFile>]>,
}

impl LiveFiles {
    fn new(version: u64, mut files: Vec<Arc<DataFile>>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { version, files: files.into() }
    }

    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub fn contains(&self, file: &DataFile) -> bool {
        self.files.binary_search_by(|held| held.path.cmp(&file.path)).is_ok()
    }

    /// The next version: what a reader of the log finds once the change has landed.
    pub fn changed(&self, change: &Change<'_>) -> Self {
        let removed: std::collections::HashSet<&str> = change.removed.iter().map(|file| file.path.as_str()).collect();
        let stay = self.files.iter().filter(|file| !removed.contains(file.path.as_str()));
        let added = change.added.iter().map(WrittenFile::file);
        Self::new(self.version + 1, stay.chain(added).cloned().collect())
    }
}

/// What a commit does to the files.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub removed: &'a [Arc<DataFile>],
    pub added: &'a [WrittenFile],
    pub kind: ChangeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Rows come.
    Append,
    /// Rows go.
    Delete,
    /// The same rows lie in other files, of so many bytes each.
    Rewrite { target_bytes: u64 },
}

/// One process commits at a time (`WriterLock`).
pub struct DeltaTable {
    log: Box<dyn CommitLog>,
    layout: Layout,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    /// The table's folder in `store`.
    folder: Path,
    clock: Clock,
}

impl DeltaTable {
    /// The table of `root` that lies at `url`; in `store`, which has the workspace's folder as `/`, it lies at `folder`.
    pub fn new(root: &Root, url: Url, store: Arc<dyn ObjectStore>, folder: Path, definition: TableDefinition) -> Self {
        let (layout, clock) = (definition.layout.clone(), root.clock().clone());
        let log = DeltaCommitLog::new(root.store(), url, definition, clock.clone());
        Self { log: Box::new(log), layout, store, folder, clock }
    }

    /// Makes the table, with `first` in it, unless it is there.
    pub async fn create(&self, first: &[WrittenFile]) -> Result<()> {
        self.log.create(self.adds(first, true)).await
    }

    /// The newest version with its columns; `None` when there is no table. The columns are those in the files.
    ///
    /// # Errors
    /// `Corrupt`, too, when another program made it a table that only later readers understand.
    pub async fn newest(&self) -> Result<Option<(LiveFiles, SchemaRef)>> {
        let Some((version, actions)) = self.log.load().await? else { return Ok(None) };
        let columns = match self.layout.columns.fields().is_empty() {
            // Only the log knows them.
            true => self.log.columns().await?.ok_or_else(|| self.missing())?,
            false => Arc::clone(&self.layout.columns),
        };
        let layout = Layout { columns: Arc::clone(&columns), ..self.layout.clone() };
        let mut files = Vec::new();
        for batch in &actions {
            files.extend(DataFile::from_actions(batch, &layout)?);
        }
        Ok(Some((LiveFiles::new(version, files), columns)))
    }

    pub fn missing(&self) -> Error {
        Error::corrupt(format!("the log of {} is missing", self.layout.label)).with_help(RUN_CHECK)
    }

    /// Writes version `version`, which must be the next one, with `info` in its `commitInfo`.
    ///
    /// # Errors
    /// `Conflict` when another process wrote this version, and as [`Self::check_writable`].
    pub async fn commit(&self, version: u64, change: Change<'_>, info: HashMap<String, Value>) -> Result<()> {
        let data_change = !matches!(change.kind, ChangeKind::Rewrite { .. });
        let now = self.clock.now();
        let removes = change.removed.iter().map(|file| Action::Remove(file.to_remove(&self.layout, data_change, now)));
        let actions = removes.chain(self.adds(change.added, data_change)).collect();
        self.log.commit(version, actions, self.operation(change.kind), info).await
    }

    /// To be called before files are written for nothing.
    ///
    /// # Errors
    /// `Conflict` when the newest version that was read is of a table that only later writers may write.
    pub async fn check_writable(&self) -> Result<()> {
        self.log.check_writable().await
    }

    /// To be called before the rows of files are written anew: values in columns that this program does not know would be
    /// lost.
    ///
    /// # Errors
    /// As [`Self::check_writable`], and `InvalidInput` where another program added a column.
    pub async fn check_rewritable(&self) -> Result<()> {
        self.check_writable().await?;
        if self.layout.columns.fields().is_empty() {
            // All of them are read as the log declares them.
            return Ok(());
        }
        let declared = self.log.columns().await?;
        let known = self.layout.declared();
        let is_foreign = |name: &str| known.field_with_name(name).is_err();
        match declared.iter().flat_map(|schema| schema.fields()).find(|field| is_foreign(field.name())) {
            None => Ok(()),
            Some(field) => Err(Error::invalid(format!(
                "column '{}' of {} was added by another program: files stay as they are, for its values would be lost;                  compact them with that program, or take the column away",
                field.name(),
                self.layout.label
            ))),
        }
    }

    /// The `commitInfo` of one version, `None` when there is no such version.
    pub async fn commit_info(&self, version: u64) -> Result<Option<Value>> {
        self.log.commit_info(version).await
    }

    /// Gathers what the log says up to `version`, the newest, in one object.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        let held = self.log_objects().list().await?;
        if held.iter().any(|object| object.kind == LogObject::Checkpoint(version)) {
            return Ok(());
        }
        self.log.checkpoint().await
    }

    /// The objects of the log.
    pub fn log_objects(&self) -> LogObjects {
        LogObjects::new(Arc::clone(&self.store), self.folder.clone())
    }

    fn adds(&self, files: &[WrittenFile], data_change: bool) -> Vec<Action> {
        files.iter().map(|file| Action::Add(file.to_add(&self.layout, data_change))).collect()
    }

    fn operation(&self, kind: ChangeKind) -> DeltaOperation {
        match kind {
            ChangeKind::Append => {
                let partition_by = self.layout.partition.map(|column| vec![column.to_owned()]);
                DeltaOperation::Write { mode: SaveMode::Append, partition_by, predicate: None }
            }
            ChangeKind::Delete => DeltaOperation::Delete { predicate: None },
            ChangeKind::Rewrite { target_bytes } => DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(target_bytes).unwrap_or(i64::MAX),
            },
        }
    }
}

#[cfg(test)]
mod tests;
