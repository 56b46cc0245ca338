//! One open workspace: what it consists of, and its newest state.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::checkpoint::Checkpoints;
use super::manifest::Manifest;
use super::rules::Rules;
use super::snapshot::Snapshot;
use super::tables::{TablesSnapshot, UserTables};
use super::writer::Writing;
use crate::error::Result;
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::events::{EventsTable, NodeIndex};

/// An open workspace, shared by all that read and write it.
pub struct Workspace {
    name: WorkspaceName,
    manifest: Manifest,
    root: Root,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    events: EventsTable,
    checkpoints: Checkpoints,
    /// Where in the files a node may be.
    nodes: NodeIndex,
    tables: UserTables,
    newest: RwLock<Arc<Snapshot>>,
    writing: Mutex<Writing>,
}

impl Workspace {
    /// Opens an existing workspace at its newest version.
    pub(super) async fn open(root: Root, name: WorkspaceName, manifest: Manifest) -> Result<Self> {
        let store = root.workspace_store(&name);
        let rules = Arc::new(Rules::load(&store, &manifest).await?);
        let workspace = Self {
            events: EventsTable::new(&root, &name)?,
            tables: UserTables::new(&root, &name),
            checkpoints: Checkpoints::new(Arc::clone(&store)),
            nodes: NodeIndex::new(Arc::clone(&store)),
            store,
            newest: RwLock::new(Arc::new(Snapshot { rules, ..Snapshot::default() })),
            writing: Mutex::default(),
            name,
            manifest,
            root,
        };
        workspace.recover().await?;
        Ok(workspace)
    }

    /// The same workspace with another manifest. The right to write goes over to it: this one is to be used no more.
    pub(super) async fn reopen(&self, manifest: Manifest) -> Result<Self> {
        let reopened = Self::open(self.root.clone(), self.name.clone(), manifest).await?;
        reopened.writing.lock().await.lock = self.writing.lock().await.lock.take();
        Ok(reopened)
    }

    pub fn name(&self) -> &WorkspaceName {
        &self.name
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    /// The object store with this workspace's folder as `/`.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The workspace's folder on this machine's disk; `None` in an object store.
    pub(super) fn local_folder(&self) -> Option<PathBuf> {
        self.root.local_folder().map(|root| root.join(self.name.as_str()))
    }

    pub fn events(&self) -> &EventsTable {
        &self.events
    }

    pub fn node_index(&self) -> &NodeIndex {
        &self.nodes
    }

    pub(super) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    pub(super) fn user_tables(&self) -> &UserTables {
        &self.tables
    }

    pub(super) fn writing(&self) -> &Mutex<Writing> {
        &self.writing
    }

    /// The newest state. Whoever holds it reads it, whatever is written meanwhile.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.read())
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.nodes.keep(&snapshot.events.files);
        *self.newest.write() = Arc::new(snapshot);
    }

    /// Makes a new state of the user tables visible beside the events of `held`.
    pub(super) fn publish_tables(&self, held: &Snapshot, tables: TablesSnapshot) -> Arc<Snapshot> {
        if tables.revision != held.tables.revision {
            self.publish(Snapshot { tables, ..held.clone() });
        }
        self.snapshot()
    }
}
