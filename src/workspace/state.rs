//! One open workspace: what it consists of, and its newest state.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;
use parking_lot::RwLock;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::checkpoint::Checkpoints;
use super::claim_watch::ClaimWatch;
use super::log_monitor::LogMonitor;
use super::manifest::Manifest;
use super::memory::{WorkspaceMemory, WorkspacesMemory};
use super::queue::Queue;
use super::rules::Rules;
use super::snapshot::Snapshot;
use super::tables::{TablesSnapshot, UserTables};
use super::writer::Writing;
use crate::clock::Clock;
use crate::error::Result;
use crate::ids::WorkspaceName;
use crate::settings::LogSettings;
use crate::store::events::{EventsTable, FileWriter, NodeIndex};
use crate::store::{Root, WriterLock};

/// Where the server of this process is reached, once it is one.
pub(super) type ServerAddress = Arc<OnceLock<String>>;

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
    writing: Arc<Mutex<Writing>>,
    claim_watch: ClaimWatch,
    /// Events that wait for the writer.
    queue: Queue,
    /// How many wait for their turn to write.
    asking: watch::Sender<usize>,
    /// Held during a flush: there is one at a time.
    flushing: Mutex<()>,
    log_monitor: Arc<LogMonitor>,
    /// When rows of the log become files, and how much it may hold.
    log_settings: LogSettings,
    server: ServerAddress,
    memory: WorkspaceMemory,
}

impl Workspace {
    /// An existing workspace of which nothing but its rules was read.
    pub(super) async fn unread(
        root: Root,
        name: WorkspaceName,
        manifest: Manifest,
        log_settings: LogSettings,
        server: ServerAddress,
        memory: &Arc<WorkspacesMemory>,
    ) -> Result<Self> {
        let store = root.workspace_store(&name);
        let rules = Arc::new(Rules::load(&store, &manifest).await?);
        let memory = memory.share();
        Ok(Self {
            events: EventsTable::new(&root, &name, manifest.id)?,
            tables: UserTables::new(&root, &name),
            checkpoints: Checkpoints::new(Arc::clone(&store), root.clock().clone(), manifest.id),
            nodes: NodeIndex::new(Arc::clone(&store)),
            store,
            newest: RwLock::new(Arc::new(Snapshot { rules, ..Snapshot::default() })),
            writing: Arc::default(),
            claim_watch: ClaimWatch::default(),
            queue: Queue::new(&memory),
            asking: watch::Sender::default(),
            flushing: Mutex::default(),
            log_monitor: Arc::default(),
            log_settings,
            server,
            memory,
            name,
            manifest,
            root,
        })
    }

    /// The same at its newest state, for a process that is not its writer.
    pub(super) async fn read(self) -> Result<Self> {
        let graph = self.recover(&self.snapshot().rules, None).await?;
        self.writing.lock().await.graph = Some(graph);
        Ok(self)
    }

    /// The same workspace with another manifest. The right to write goes over to it: this one is to be used no more.
    pub(super) async fn reopen(&self, manifest: Manifest) -> Result<Self> {
        let (root, name, log) = (self.root.clone(), self.name.clone(), self.log_settings.clone());
        let (server, memory) = (Arc::clone(&self.server), &self.memory.of_all);
        let reopened = Self::unread(root, name, manifest, log, server, memory).await?.read().await?;
        let mut writing = self.writing.lock().await;
        writing.end_log().await?;
        match writing.lock.take() {
            // A claim is good for one log.
            Some(lock) if lock.term().is_some() => lock.release().await,
            lock => reopened.writing.lock().await.lock = lock,
        }
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

    /// Where its times and ids come from.
    pub fn clock(&self) -> &Clock {
        self.root.clock()
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

    /// Writes files for the events table.
    pub fn file_writer(&self) -> FileWriter {
        FileWriter::new(self.store(), self.clock().clone())
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

    pub(super) fn flushing(&self) -> &Mutex<()> {
        &self.flushing
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) fn memory(&self) -> &WorkspaceMemory {
        &self.memory
    }

    /// What is known of the log.
    pub fn log_monitor(&self) -> &Arc<LogMonitor> {
        &self.log_monitor
    }

    pub(super) fn log_settings(&self) -> &LogSettings {
        &self.log_settings
    }

    /// Whether this process is a server.
    pub(super) fn is_served(&self) -> bool {
        self.server.get().is_some()
    }

    /// Tells other processes where the server of this one is reached, if it is one and has the right to write.
    pub(super) async fn announce(&self) {
        if let Some(lock) = &self.turn().await.lock {
            self.announce_in(lock).await;
        }
    }

    /// The same to those that this lock keeps out.
    pub(super) async fn announce_in(&self, lock: &WriterLock) {
        if let Some(address) = self.server.get()
            && let Err(error) = lock.announce(address).await
        {
            tracing::warn!(workspace = %self.name, %error, "other writers are refused without this server's address");
        }
    }

    /// What is known of the claim to write.
    pub(super) fn claim_watch(&self) -> &ClaimWatch {
        &self.claim_watch
    }

    /// Waits for those who asked to write before.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<Writing> {
        if let Ok(writing) = Arc::clone(&self.writing).try_lock_owned() {
            return writing;
        }
        let _asking = Asking::new(&self.asking);
        Arc::clone(&self.writing).lock_owned().await
    }

    /// Comes to its end when somebody waits for a turn.
    pub(super) async fn until_asked(&self) {
        let mut asking = self.asking.subscribe();
        if asking.wait_for(|count| *count > 0).await.is_err() {
            // The workspace holds the sender.
            std::future::pending::<()>().await;
        }
    }

    /// The newest state. Whoever holds it reads it, whatever is written meanwhile.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.read())
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        let mut newest = self.newest.write();
        if !Arc::ptr_eq(&newest.events.files, &snapshot.events.files) {
            self.nodes.keep(&snapshot.events.files);
        }
        self.memory.hot_rows.set(snapshot.hot.bytes());
        *newest = Arc::new(snapshot);
    }

    /// Makes a new state of the user tables visible beside the events of `held`.
    pub(super) fn publish_tables(&self, held: &Snapshot, tables: TablesSnapshot) -> Arc<Snapshot> {
        if tables.revision != held.tables.revision {
            self.publish(Snapshot { tables, ..held.clone() });
        }
        self.snapshot()
    }
}

/// One who waits for a turn, counted as long as this lives.
struct Asking<'w>(&'w watch::Sender<usize>);

impl<'w> Asking<'w> {
    fn new(asking: &'w watch::Sender<usize>) -> Self {
        asking.send_modify(|count| *count += 1);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
