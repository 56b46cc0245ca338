//! The user tables of a workspace: their state in a snapshot, and the commits that change it.
//!
//! A table's rows are what its Delta log says, its name is what the catalog says. Each change is one object written
//! create-only: a crash leaves the state before or the state after.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use uuid::Uuid;

use super::snapshot::Snapshot;
use super::state::Workspace;
use super::writer::Writer;
use crate::error::{Detail, Error, Result};
use crate::ids::WorkspaceName;
use crate::store::delta::{CHECKPOINT_VERSIONS, Change, ChangeKind, DataFile, WrittenFile};
use crate::store::tables::{CatalogEntry, TableCatalog, TableCatalogStore, TableLog, TableState, WrittenTable};
use crate::store::{Root, objects, paths};

/// All user tables at one moment.
#[derive(Debug, Clone, Default)]
pub struct TablesSnapshot {
    /// Counts the changes that this process saw; names this state in a [`super::SnapshotId`].
    pub revision: u64,
    /// The revision at which a table was last made or dropped: since then the same tables have the same columns.
    pub(super) shape: u64,
    catalog: TableCatalog,
    pub tables: BTreeMap<String, Arc<TableState>>,
}

impl TablesSnapshot {
    /// The state with one table put in, or taken out.
    fn with(&self, catalog: TableCatalog, name: &str, table: Option<TableState>) -> Self {
        let mut tables = self.tables.clone();
        let folder = table.as_ref().map(|table| table.folder);
        let before = match table {
            Some(table) => tables.insert(name.to_owned(), Arc::new(table)),
            None => tables.remove(name),
        };
        let revision = self.revision + 1;
        // A folder has one table for as long as it is there, with the same columns.
        let shape = if before.map(|before| before.folder) == folder { self.shape } else { revision };
        Self { revision, shape, catalog, tables }
    }
}

/// A table whose files are written and that has no name yet.
pub struct NewTable {
    pub folder: Uuid,
    pub columns: SchemaRef,
    pub written: WrittenTable,
}

/// The stored side of all user tables.
pub(super) struct UserTables {
    root: Root,
    workspace: WorkspaceName,
    catalog: TableCatalogStore,
    /// Logs in memory, by folder, brought forward from version to version.
    logs: Mutex<HashMap<Uuid, Arc<TableLog>>>,
}

impl UserTables {
    pub(super) fn new(root: &Root, workspace: &WorkspaceName) -> Self {
        Self {
            catalog: TableCatalogStore::new(root.workspace_store(workspace)),
            logs: Mutex::default(),
            root: root.clone(),
            workspace: workspace.clone(),
        }
    }

    fn log(&self, folder: Uuid) -> Result<Arc<TableLog>> {
        let mut logs = self.logs.lock();
        if let Some(log) = logs.get(&folder) {
            return Ok(Arc::clone(log));
        }
        let log = Arc::new(TableLog::new(&self.root, &self.workspace, folder)?);
        logs.insert(folder, Arc::clone(&log));
        Ok(log)
    }

    /// What is stored now; `held` where nothing changed.
    pub(super) async fn load(&self, held: &TablesSnapshot) -> Result<TablesSnapshot> {
        let catalog = self.catalog.newest().await?;
        let mut tables = BTreeMap::new();
        let mut changed = catalog.revision != held.catalog.revision;
        for (name, entry) in &catalog.tables {
            let state =
                self.log(entry.folder)?.state().await.map_err(|error| error.context(format!("table '{name}'")))?;
            let same = held
                .tables
                .get(name)
                .is_some_and(|old| old.folder == state.folder && old.live.version == state.live.version);
            changed |= !same;
            tables.insert(name.clone(), Arc::new(state));
        }
        if !changed {
            return Ok(held.clone());
        }
        let revision = held.revision + 1;
        let folders = |tables: &BTreeMap<String, Arc<TableState>>| -> Vec<(String, Uuid)> {
            tables.iter().map(|(name, table)| (name.clone(), table.folder)).collect()
        };
        let shape = if folders(&tables) == folders(&held.tables) { held.shape } else { revision };
        Ok(TablesSnapshot { revision, shape, catalog, tables })
    }

    async fn create(&self, new: NewTable) -> Result<TableState> {
        let log = TableLog::with_columns(&self.root, &self.workspace, new.folder, new.columns)?;
        log.create(&new.written).await?;
        let state = log.state().await?;
        self.logs.lock().insert(new.folder, Arc::new(log));
        Ok(state)
    }
}

impl Writer {
    /// Gives a written table its name, in place of the table of that name if `replace`.
    ///
    /// # Errors
    /// `Conflict` when there is a table of this name and it is not to be replaced.
    pub async fn create_table(&mut self, name: &str, new: NewTable, replace: bool) -> Result<Arc<Snapshot>> {
        let held = self.workspace.snapshot();
        let old = held.tables.tables.get(name).map(|table| table.folder);
        if old.is_some() && !replace {
            return Err(table_exists(name));
        }
        let state = self.workspace.user_tables().create(new).await?;
        let mut entries = held.tables.catalog.tables.clone();
        let created_at = self.workspace.clock().now();
        entries.insert(name.to_owned(), CatalogEntry { folder: state.folder, created_at });
        let catalog = self.write_catalog(&held, entries).await?;
        if let Some(old) = old {
            self.workspace.retire_table(old).await;
        }
        Ok(self.workspace.publish_tables(&held, held.tables.with(catalog, name, Some(state))))
    }

    /// Takes a table's name away; its files stay until the clean-up, for the queries that still read them.
    ///
    /// # Errors
    /// `NotFound` when there is no such table.
    pub async fn drop_table(&mut self, name: &str) -> Result<Arc<Snapshot>> {
        let held = self.workspace.snapshot();
        let mut entries = held.tables.catalog.tables.clone();
        let Some(entry) = entries.remove(name) else { return Err(no_table(name)) };
        let catalog = self.write_catalog(&held, entries).await?;
        self.workspace.retire_table(entry.folder).await;
        Ok(self.workspace.publish_tables(&held, held.tables.with(catalog, name, None)))
    }

    async fn write_catalog(
        &mut self,
        held: &Snapshot,
        entries: BTreeMap<String, CatalogEntry>,
    ) -> Result<TableCatalog> {
        // A revision bears a number alone: it would be one of another workspace of this name, too.
        self.check().await?;
        // One that landed all the same must be seen, or the next one finds its number taken.
        self.writing.prepared = false;
        let (stored, id) = (&self.workspace.user_tables().catalog, self.workspace.clock().new_id());
        let catalog = stored.write(&held.tables.catalog, id, entries).await?;
        self.writing.prepared = true;
        Ok(catalog)
    }

    /// Adds rows to the table that had this folder when the rows were written.
    pub async fn append_to_table(&mut self, name: &str, folder: Uuid, written: WrittenTable) -> Result<Arc<Snapshot>> {
        self.replace_in_table(name, folder, &[], written).await
    }

    /// Puts `written` in the place of the files `removed`, all of which must still be live.
    ///
    /// # Errors
    /// `Conflict` when the table was dropped, or another statement rewrote one of the files meanwhile.
    pub async fn replace_in_table(
        &mut self,
        name: &str,
        folder: Uuid,
        removed: &[Arc<DataFile>],
        written: WrittenTable,
    ) -> Result<Arc<Snapshot>> {
        let kind = if removed.is_empty() { ChangeKind::Append } else { ChangeKind::Delete };
        self.change_table(name, folder, Change { removed, added: &written.files, kind }).await
    }

    /// Puts files with the same rows in the place of the files `removed`.
    ///
    /// # Errors
    /// `Conflict` when the table was dropped, or a statement rewrote one of the files meanwhile.
    pub async fn rewrite_table(
        &mut self,
        name: &str,
        folder: Uuid,
        removed: &[Arc<DataFile>],
        added: &[WrittenFile],
        target_bytes: u64,
    ) -> Result<Arc<Snapshot>> {
        self.change_table(name, folder, Change { removed, added, kind: ChangeKind::Rewrite { target_bytes } }).await
    }

    async fn change_table(&mut self, name: &str, folder: Uuid, change: Change<'_>) -> Result<Arc<Snapshot>> {
        let held = self.workspace.snapshot();
        let changed =
            || Error::conflict(format!("table '{name}' was changed by another statement meanwhile: run it again"));
        let state = held.tables.tables.get(name).filter(|state| state.folder == folder).ok_or_else(changed)?;
        if !change.removed.iter().all(|file| state.live.contains(file)) {
            return Err(changed());
        }
        let log = self.workspace.user_tables().log(folder)?;
        let next = state.live.version + 1;
        let outcome = log.commit(next, change).await;
        let state = match &outcome {
            Ok(()) => TableState { live: state.live.changed(&change), ..state.as_ref().clone() },
            // What landed all the same must be seen, and the next commit needs the right version.
            Err(_) => log.state().await?,
        };
        let snapshot =
            self.workspace.publish_tables(&held, held.tables.with(held.tables.catalog.clone(), name, Some(state)));
        outcome?;
        // The commit stands without its checkpoint: a failure is only logged.
        if next.is_multiple_of(CHECKPOINT_VERSIONS)
            && let Err(error) = log.checkpoint(next).await
        {
            tracing::warn!(workspace = %self.workspace.name(), table = name, %error, "no checkpoint of the table");
        }
        Ok(snapshot)
    }
}

impl Workspace {
    /// Notes the time from which the clean-up counts. Without the note it counts from the last write to the folder.
    async fn retire_table(&self, folder: Uuid) {
        self.user_tables().logs.lock().remove(&folder);
        let noted = serde_json::json!({"dropped_at": self.clock().now()});
        let path = paths::table_dropped_in_workspace(folder);
        if let Err(error) = objects::create_json(self.store().as_ref(), &path, &noted).await {
            tracing::warn!(workspace = %self.name(), %path, %error, "the time of a drop is not noted");
        }
    }

    /// The log of the table in this folder.
    pub fn table_log(&self, folder: Uuid) -> Result<Arc<TableLog>> {
        self.user_tables().log(folder)
    }

    /// Takes away what is left of a dropped table on a disk. Object stores have no folders.
    pub fn remove_empty_table_folder(&self, folder: Uuid) {
        let Some(root) = self.local_folder() else { return };
        let table = root.join(paths::table_in_workspace(folder).as_ref());
        // Only an empty folder can be removed like this.
        for empty in [table.join(paths::DELTA_LOG), table] {
            std::fs::remove_dir(empty).ok();
        }
    }
}

pub(crate) fn table_exists(name: &str) -> Error {
    Error::conflict(format!("table '{name}' exists already: DROP it, or write CREATE OR REPLACE or IF NOT EXISTS"))
        .with_detail(Detail::TableExists)
}

pub(crate) fn no_table(name: &str) -> Error {
    Error::not_found(format!("there is no table '{name}'; SHOW TABLES lists the tables")).with_detail(Detail::NoTable)
}
