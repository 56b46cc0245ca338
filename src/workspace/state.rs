//! One open workspace: the newest snapshot, the identity graph behind it, and the way to a new version.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::ObjectStore;
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::manifest::Manifest;
use super::rules::{self, RuleChange, Rules};
use super::snapshot::{Snapshot, SnapshotId};
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::ids::WorkspaceName;
use crate::store::events::{EventsTable, LoadRecord, WrittenFile};
use crate::store::{Root, WriterLock, objects, paths};

/// Snapshots kept for tickets that were given out for them.
const KEPT_SNAPSHOTS: usize = 32;

/// An open workspace, shared by all that read and write it.
pub struct Workspace {
    name: WorkspaceName,
    manifest: Manifest,
    root: Root,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    events: EventsTable,
    identity: RwLock<IdentityGraph>,
    /// Newest last; never empty.
    snapshots: RwLock<VecDeque<Arc<Snapshot>>>,
    /// Held during a load; the lock file is taken by the first one.
    writer: Mutex<Option<WriterLock>>,
    /// A load has begun to change the identity graph and has not committed: it failed, or nobody waits for it any more.
    unfinished: AtomicBool,
}

/// What one load adds to a workspace. The files and objects are durable already, but count only once committed.
pub struct Commit {
    pub files: Vec<WrittenFile>,
    pub record: LoadRecord,
}

/// The right to commit, for the length of one load.
pub struct WriterGuard<'a> {
    _lock: MutexGuard<'a, Option<WriterLock>>,
}

impl Workspace {
    /// Opens an existing workspace at its newest version.
    pub(super) async fn open(root: Root, name: WorkspaceName, manifest: Manifest) -> Result<Self> {
        let store = root.workspace_store(&name);
        let rules = Arc::new(Rules::load(&store, &manifest).await?);
        let workspace = Self {
            events: EventsTable::new(&root, &name)?,
            store,
            identity: RwLock::new(IdentityGraph::new(Arc::clone(&rules.types))),
            snapshots: RwLock::new(VecDeque::from([Arc::new(Snapshot { rules, ..Snapshot::default() })])),
            writer: Mutex::new(None),
            unfinished: AtomicBool::new(false),
            name,
            manifest,
            root,
        };
        workspace.refresh().await?;
        Ok(workspace)
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

    /// The identity graph; entries beyond a snapshot's nodes belong to later snapshots.
    pub fn identity(&self) -> &RwLock<IdentityGraph> {
        &self.identity
    }

    /// Reads what was committed since, by this or another process. The rules stay those it was opened with.
    pub async fn refresh(&self) -> Result<()> {
        let events = self.events.snapshot().await?;
        let held = self.snapshot();
        let is_opened = SnapshotId { settings_revision: 0, ..held.id() } != SnapshotId::default();
        if events.version == held.events.version && is_opened {
            return Ok(());
        }
        let new_loads = self.events.loads(held.events.version, events.version).await?;
        let mut batches = Vec::new();
        let types = Arc::clone(self.identity.read().types());
        for path in new_loads.iter().filter_map(|load| load.identity.as_deref()) {
            batches.push(self.read_identity(&types, path).await?);
        }
        let identity = {
            let mut graph = self.identity.write();
            batches.iter().try_for_each(|batch| graph.replay(batch))?;
            graph.snapshot()
        };
        let mut loads = held.loads.as_ref().clone();
        loads.extend(new_loads);
        self.publish(Snapshot { events, identity, loads: Arc::new(loads), rules: Arc::clone(&held.rules) });
        Ok(())
    }

    async fn read_identity(&self, types: &IdentifierTypes, path: &str) -> Result<IdentityBatch> {
        let bytes = objects::read(&self.store, &path.into()).await?.ok_or_else(|| {
            Error::corrupt(format!("object '{path}' of workspace '{}' is missing: run `convoke check`", self.name))
        })?;
        IdentityBatch::from_record_batches(types, &objects::decode_parquet(bytes)?)
    }

    fn publish(&self, snapshot: Snapshot) {
        let mut held = self.snapshots.write();
        held.push_back(Arc::new(snapshot));
        while held.len() > KEPT_SNAPSHOTS {
            held.pop_front();
        }
    }

    /// Waits for the load before and takes the right to commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn writer(&self) -> Result<WriterGuard<'_>> {
        let mut lock = self.writer.lock().await;
        if lock.is_none() {
            *lock = Some(WriterLock::acquire(&self.root, &self.name)?);
            self.events.create().await?;
            // Another process may have committed, or set rules, before this one got the lock.
            self.refresh().await?;
            if rules::newest(&self.store).await? != self.snapshot().rules.revision {
                let rules = Rules::load(&self.store, &self.manifest).await?;
                self.adopt(rules).await?;
            }
        }
        let writer = WriterGuard { _lock: lock };
        if self.unfinished.load(Ordering::Relaxed) {
            self.recover(&writer).await?;
        }
        Ok(writer)
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
    pub async fn commit(&self, _writer: &WriterGuard<'_>, commit: Commit) -> Result<Arc<Snapshot>> {
        let held = self.snapshot();
        let version = held.events.version + 1;
        self.events.commit(version, commit.files, &commit.record).await?;
        let events = self.events.snapshot().await?;
        let identity = match &commit.record.identity {
            Some(_) => self.identity.write().snapshot(),
            None => held.identity.clone(),
        };
        let mut loads = held.loads.as_ref().clone();
        loads.push(commit.record);
        self.publish(Snapshot { events, identity, loads: Arc::new(loads), rules: Arc::clone(&held.rules) });
        self.unfinished.store(false, Ordering::Relaxed);
        Ok(self.snapshot())
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
        let mut graph = IdentityGraph::new(types);
        for load in self.snapshot().loads.iter() {
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
