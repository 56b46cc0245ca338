//! One open workspace: the newest snapshot, the identity graph behind it, and the way to a new version.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::ObjectStore;
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::checkpoint::{Checkpoints, Restored};
use super::manifest::Manifest;
use super::rules::{self, RuleChange, Rules};
use super::snapshot::{Snapshot, SnapshotId};
use super::tables::{TablesSnapshot, UserTables};
use crate::error::{Error, Kind, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::ids::WorkspaceName;
use crate::store::delta::{CHECKPOINT_VERSIONS, Change, ChangeKind, DataFile, LiveFiles, WrittenFile};
use crate::store::events::{EventsTable, LoadRecord, NodeIndex};
use crate::store::{Root, WriterLock, objects, paths};

/// Snapshots kept for tickets that were given out for them.
const KEPT_SNAPSHOTS: usize = 128;

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
    identity: RwLock<IdentityGraph>,
    /// Newest last; never empty.
    snapshots: RwLock<VecDeque<Arc<Snapshot>>>,
    /// Held during a load; the right to write is taken by the first one.
    writer: Mutex<Writing>,
    /// A load has begun to change the identity graph and has not committed: it failed, or nobody waits for it any more.
    unfinished: AtomicBool,
}

/// What one load adds to a workspace. The files and objects are durable already, but count only once committed.
pub struct Commit {
    pub files: Vec<WrittenFile>,
    pub record: LoadRecord,
}

/// This process as the writer of the workspace.
#[derive(Default)]
struct Writing {
    lock: Option<WriterLock>,
    /// The table is there, and what others committed before this process got the lock has been read.
    prepared: bool,
}

/// The right to commit, for the length of one load.
pub struct WriterGuard<'a> {
    writing: MutexGuard<'a, Writing>,
}

impl WriterGuard<'_> {
    /// To be called before each commit.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over.
    pub async fn check(&self) -> Result<()> {
        match &self.writing.lock {
            Some(lock) => lock.check().await,
            None => Err(Error::internal("a writer without its lock")),
        }
    }
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
            identity: RwLock::new(IdentityGraph::new(Arc::clone(&rules.types))),
            snapshots: RwLock::new(VecDeque::from([Arc::new(Snapshot { rules, ..Snapshot::default() })])),
            writer: Mutex::default(),
            unfinished: AtomicBool::new(false),
            name,
            manifest,
            root,
        };
        workspace.start().await?;
        Ok(workspace)
    }

    /// The same workspace with another manifest. The right to write goes over to it: this one is to be used no more.
    pub(super) async fn reopen(&self, manifest: Manifest) -> Result<Self> {
        let reopened = Self::open(self.root.clone(), self.name.clone(), manifest).await?;
        reopened.writer.lock().await.lock = self.writer.lock().await.lock.take();
        Ok(reopened)
    }

    /// Takes the newest checkpoint that can be read, and replays the loads after it.
    async fn start(&self) -> Result<()> {
        let events = self.events.newest().await?;
        let types = Arc::clone(&self.snapshot().rules.types);
        if let Some(restored) =
            self.checkpoints.restore(events.version, || IdentityGraph::new(Arc::clone(&types))).await
        {
            match self.start_from(restored, events.clone()).await {
                Err(error) if error.kind() == Kind::Corrupt => {
                    tracing::warn!(workspace = %self.name, %error, "loads do not follow on the checkpoint: all are read");
                }
                outcome => return outcome,
            }
        }
        self.start_from(Restored::nothing(types.clone()), events).await
    }

    async fn start_from(&self, restored: Restored, events: LiveFiles) -> Result<()> {
        *self.identity.write() = restored.graph;
        self.checkpoints.set_newest(restored.checkpoint).await;
        let tables = self.tables.load(&self.snapshot().tables).await?;
        self.take_in(events, restored.version, restored.loads, tables).await
    }

    pub fn name(&self) -> &WorkspaceName {
        &self.name
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
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

    pub fn snapshot(&self) -> Arc<Snapshot> {
        // Never empty: `open` puts one in and `publish` keeps the newest.
        self.snapshots.read().back().cloned().unwrap_or_default()
    }

    /// # Errors
    /// `Conflict` when the snapshot is not held any more.
    pub fn snapshot_at(&self, id: SnapshotId) -> Result<Arc<Snapshot>> {
        let held = self.snapshots.read().iter().rev().find(|held| held.id() == id).cloned();
        held.ok_or_else(|| Error::conflict("the data has changed since this statement was planned: run it again"))
    }

    pub(super) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// The identity graph; entries beyond a snapshot's nodes belong to later snapshots.
    pub fn identity(&self) -> &RwLock<IdentityGraph> {
        &self.identity
    }

    /// Reads what was committed since, by this or another process. The rules stay those it was opened with.
    pub async fn refresh(&self) -> Result<()> {
        let events = self.events.newest().await?;
        let held = self.snapshot();
        let tables = self.tables.load(&held.tables).await?;
        if events.version == held.events.version && held.is_read() {
            self.publish_tables(&held, tables);
            return Ok(());
        }
        self.take_in(events, held.events.version, held.loads.as_ref().clone(), tables).await
    }

    /// Replays the loads after version `after`, up to which the graph and `loads` are true.
    async fn take_in(
        &self,
        events: LiveFiles,
        after: u64,
        mut loads: Vec<LoadRecord>,
        tables: TablesSnapshot,
    ) -> Result<()> {
        let new_loads = self.events.loads(after, events.version).await?;
        let mut batches = Vec::new();
        let types = Arc::clone(self.identity.read().types());
        for path in new_loads.iter().filter_map(|load| load.identity.as_deref()) {
            batches.push(self.read_identity(&types, path).await?);
        }
        let held = self.snapshot();
        // At the start the graph comes from a checkpoint, of which no snapshot was made yet.
        let identity = if batches.is_empty() && held.is_read() {
            held.identity.clone()
        } else {
            let mut graph = self.identity.write();
            batches.iter().try_for_each(|batch| graph.replay(batch))?;
            graph.snapshot()
        };
        loads.extend(new_loads);
        let rules = Arc::clone(&held.rules);
        self.publish(Snapshot { events, identity, loads: Arc::new(loads), tables, rules });
        Ok(())
    }

    async fn read_identity(&self, types: &IdentifierTypes, path: &str) -> Result<IdentityBatch> {
        let bytes = objects::read(&self.store, &path.into()).await?.ok_or_else(|| {
            Error::corrupt(format!("object '{path}' of workspace '{}' is missing: run `convoke check`", self.name))
        })?;
        IdentityBatch::from_record_batches(types, &objects::decode_parquet(bytes)?)
    }

    fn publish(&self, snapshot: Snapshot) {
        self.nodes.keep(&snapshot.events.files);
        let mut held = self.snapshots.write();
        held.push_back(Arc::new(snapshot));
        while held.len() > KEPT_SNAPSHOTS {
            held.pop_front();
        }
    }

    /// Makes a new state of the user tables visible beside the events of `held`.
    pub(super) fn publish_tables(&self, held: &Snapshot, tables: TablesSnapshot) -> Arc<Snapshot> {
        if tables.revision != held.tables.revision {
            self.publish(Snapshot { tables, ..held.clone() });
        }
        self.snapshot()
    }

    pub(super) fn user_tables(&self) -> &UserTables {
        &self.tables
    }

    /// Waits for the load before and takes the right to commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn writer(&self) -> Result<WriterGuard<'_>> {
        let mut writing = self.writer.lock().await;
        if let Some(lock) = &writing.lock
            && let Err(error) = lock.check().await
        {
            if error.kind() != Kind::Conflict {
                return Err(error);
            }
            // Another process has taken over, and may have ended since.
            *writing = Writing::default();
        }
        if writing.lock.is_none() {
            writing.lock = Some(WriterLock::acquire(&self.root, &self.name).await?);
        }
        if !writing.prepared {
            self.events.create().await?;
            self.check_zone().await?;
            // Another process may have committed, or set rules, before this one got the lock.
            self.refresh().await?;
            if rules::newest(&self.store).await? != self.snapshot().rules.revision {
                let rules = Rules::load(&self.store, &self.manifest).await?;
                self.adopt(rules).await?;
            }
            writing.prepared = true;
        }
        let writer = WriterGuard { writing };
        if self.unfinished.load(Ordering::Relaxed) {
            self.recover(&writer).await?;
        }
        Ok(writer)
    }

    /// # Errors
    /// `Conflict` when another process chose the time zone after this one had opened the workspace: its days are others.
    async fn check_zone(&self) -> Result<()> {
        let stored = Manifest::read(&self.root.store(), &self.root.paths(&self.name).manifest(), &self.name).await?;
        match stored.is_none_or(|stored| stored.time_zone == self.manifest.time_zone) {
            true => Ok(()),
            false => Err(Error::conflict(format!(
                "the time zone of workspace '{}' was chosen after it was opened here: start again",
                self.name
            ))),
        }
    }

    /// Says that the identity graph is about to change. A load that then ends without a commit, be it by an error or
    /// because its future is dropped, is undone before the next one.
    pub fn begin_load(&self, _writer: &WriterGuard<'_>) {
        self.unfinished.store(true, Ordering::Relaxed);
    }

    /// Writes the identity changes gathered since the last commit, if any, as an object of the load.
    pub async fn write_identity(&self, _writer: &WriterGuard<'_>, load: Uuid) -> Result<Option<String>> {
        let batch = self.identity.write().finish_batch();
        if batch.is_empty() {
            return Ok(None);
        }
        let rows = batch.to_record_batch(self.identity.read().types())?;
        let bytes = objects::encode_parquet(IdentityBatch::schema(), &[rows])?;
        let path = paths::identity_in_workspace(load);
        objects::create(self.store.as_ref(), &path, bytes).await?;
        Ok(Some(path.to_string()))
    }

    /// Commits a load as the next version and makes it visible.
    pub async fn commit(&self, writer: &WriterGuard<'_>, commit: Commit) -> Result<Arc<Snapshot>> {
        writer.check().await?;
        let held = self.snapshot();
        let version = held.events.version + 1;
        let change = Change { removed: &[], added: &commit.files, kind: ChangeKind::Append };
        self.events.commit(version, change, &commit.record).await?;
        let events = held.events.changed(&change);
        let identity = match &commit.record.identity {
            Some(_) => self.identity.write().snapshot(),
            None => held.identity.clone(),
        };
        let mut loads = held.loads.as_ref().clone();
        loads.push(commit.record);
        let (tables, rules) = (held.tables.clone(), Arc::clone(&held.rules));
        self.publish(Snapshot { events, identity, loads: Arc::new(loads), tables, rules });
        self.unfinished.store(false, Ordering::Relaxed);
        self.checkpoint_if_due(version).await;
        Ok(self.snapshot())
    }

    /// Puts files with the same rows in place of others, as the next version.
    ///
    /// # Errors
    /// `Conflict` when one of `removed` is not live any more.
    pub async fn replace_files(
        &self,
        writer: &WriterGuard<'_>,
        removed: &[Arc<DataFile>],
        added: Vec<WrittenFile>,
        target_bytes: u64,
    ) -> Result<Arc<Snapshot>> {
        writer.check().await?;
        let held = self.snapshot();
        if !removed.iter().all(|file| held.events.contains(file)) {
            return Err(Error::conflict("files that were to be compacted are not in the table any more"));
        }
        let version = held.events.version + 1;
        let change = Change { removed, added: &added, kind: ChangeKind::Rewrite { target_bytes } };
        if let Err(error) = self.events.rewrite(version, change).await {
            // Whatever went wrong, the log tells what is true now.
            self.refresh().await?;
            return Err(error);
        }
        self.publish(Snapshot { events: held.events.changed(&change), ..held.as_ref().clone() });
        self.checkpoint_if_due(version).await;
        Ok(self.snapshot())
    }

    /// The commit stands without its checkpoint: a failure is only logged.
    async fn checkpoint_if_due(&self, version: u64) {
        if version.is_multiple_of(CHECKPOINT_VERSIONS)
            && let Err(error) = self.events.checkpoint(version).await
        {
            tracing::warn!(workspace = %self.name, %error, "no checkpoint of the events table");
        }
    }

    /// Writes a new revision of the rules and makes it visible.
    ///
    /// # Errors
    /// `Conflict` for settings that leave out an identifier type of which there are identifiers.
    pub async fn change_rules(&self, _writer: &WriterGuard<'_>, change: RuleChange) -> Result<Arc<Rules>> {
        let held = self.snapshot();
        if let Some(settings) = &change.settings {
            let dropped = held.rules.settings.identifier_types.iter().filter(|old| {
                let is_kept = settings.identifier_types.iter().any(|new| new.name == old.name);
                let graph = self.identity.read();
                !is_kept && graph.types().id(&old.name).is_ok_and(|kind| graph.uses(kind))
            });
            if let Some(used) = dropped.map(|old| &old.name).next() {
                return Err(Error::conflict(format!(
                    "identifier type '{used}' has identifiers: it cannot be taken away, name it with the others"
                )));
            }
        }
        let rules = held.rules.write_next(&self.store, change).await?;
        self.adopt(rules).await?;
        Ok(Arc::clone(&self.snapshot().rules))
    }

    /// Makes other rules those of the newest snapshot.
    async fn adopt(&self, rules: Rules) -> Result<()> {
        let held = self.snapshot();
        if rules.types != held.rules.types {
            let graph = self.replayed(Arc::clone(&rules.types)).await?;
            *self.identity.write() = graph;
        }
        let identity = self.identity.write().snapshot();
        self.publish(Snapshot { identity, rules: Arc::new(rules), ..held.as_ref().clone() });
        Ok(())
    }

    /// The identity graph of all loads of the newest snapshot.
    async fn replayed(&self, types: Arc<IdentifierTypes>) -> Result<IdentityGraph> {
        let held = self.snapshot();
        let restored = self.checkpoints.restore(held.events.version, || IdentityGraph::new(Arc::clone(&types))).await;
        let restored = restored
            .filter(|restored| held.loads.starts_with(&restored.loads))
            .unwrap_or_else(|| Restored::nothing(types.clone()));
        let mut graph = restored.graph;
        for load in held.loads.iter().skip(restored.loads.len()) {
            if let Some(path) = load.identity.as_deref() {
                let batch = self.read_identity(graph.types(), path).await?;
                graph.replay(&batch)?;
            }
        }
        Ok(graph)
    }

    /// Forgets what an unfinished load left in the identity graph, and takes in its commit if that did land.
    async fn recover(&self, _writer: &WriterGuard<'_>) -> Result<()> {
        let graph = self.replayed(Arc::clone(&self.snapshot().rules.types)).await?;
        *self.identity.write() = graph;
        self.refresh().await?;
        self.unfinished.store(false, Ordering::Relaxed);
        Ok(())
    }
}
