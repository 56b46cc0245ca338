//! The one writer of a workspace in this process: loads and changes wait here for each other, in the order in which they
//! came, and hold the right to write against other processes.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use super::flush::FLUSH_BUFFER;
use super::load::Load;
use super::manifest::Manifest;
use super::rules::{self, RuleChange, Rules};
use super::snapshot::Snapshot;
use super::state::Workspace;
use crate::error::{Error, Kind, Result};
use crate::identity::IdentityGraph;
use crate::store::WriterLock;
use crate::store::dedupe::{DedupeIndex, LoadKeys, Sealed, Shrinkage};
use crate::store::delta::{CHECKPOINT_VERSIONS, Change, ChangeKind, DataFile, WrittenFile};
use crate::store::events::CommitRecord;
use crate::store::wal::Log;

/// This process as the writer of the workspace.
#[derive(Default)]
pub(super) struct Writing {
    pub(super) lock: Option<WriterLock>,
    /// The table is there, and what others committed before this process got the lock has been read.
    pub(super) prepared: bool,
    /// The graph of the newest state; read again from what is stored where there is none.
    pub(super) graph: Option<IdentityGraph>,
    /// Which message ids are stored; read again from what is stored where there is none.
    pub(super) keys: Option<DedupeIndex>,
    /// Message ids of the loads that are under way.
    pub(super) loads: Vec<Weak<Mutex<LoadKeys>>>,
    /// Message ids that were sealed for a flush and are in no run yet, the oldest first.
    pub(super) unwritten_keys: Vec<Sealed>,
    /// It was said that message ids do not fit into memory.
    pub(super) window_is_told: bool,
    /// Open as long as nothing went wrong with it.
    log: Option<Log>,
    /// Somebody else, or this process before an error, may still commit by a state of before: see
    /// [`Writer::fence_commits`].
    needs_fence: bool,
    /// The log was opened under this lock, or was to be: another opening needs another claim.
    claim_is_used: bool,
    /// The process stops: nothing is written any more.
    is_closed: bool,
}

impl Writing {
    /// Nobody who still waits for his turn may open the log again.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Ends the log well: the next writer opens it anew.
    pub(super) async fn end_log(&mut self) -> Result<()> {
        match self.log.take() {
            Some(mut log) => log.close().await,
            None => Ok(()),
        }
    }
}

/// Commits of a writer that slept which may come in between while its successor begins.
const MOST_FENCES: u32 = 8;

/// The right to commit: of those who ask for it one has it at a time.
pub struct Writer {
    pub(super) workspace: Arc<Workspace>,
    pub(super) writing: OwnedMutexGuard<Writing>,
}

impl Workspace {
    /// Waits for those who asked before and takes the right to commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace, `Busy` when this one stops.
    pub async fn writer(self: &Arc<Self>) -> Result<Writer> {
        let writing = self.turn().await;
        let mut writer = Writer { workspace: Arc::clone(self), writing };
        writer.lock().await?;
        writer.prepare().await?;
        Ok(writer)
    }

    /// The same for records alone: the log itself sees whether another process has taken over, before it acknowledges.
    pub(super) async fn writer_of_records(self: &Arc<Self>) -> Result<Writer> {
        let writing = self.turn().await;
        let mut writer = Writer { workspace: Arc::clone(self), writing };
        if !writer.is_ready() {
            writer.lock().await?;
            writer.prepare().await?;
        }
        Ok(writer)
    }
}

impl Writer {
    /// Whether it can write without reading anything before.
    pub(super) fn is_ready(&self) -> bool {
        let Writing { prepared, graph, keys, log, needs_fence, is_closed, .. } = &*self.writing;
        let is_read = *prepared && graph.is_some() && keys.is_some() && !needs_fence;
        is_read && !is_closed && log.as_ref().is_some_and(Log::is_open)
    }

    /// Begins to load: no state shows any of it unless it is committed.
    pub fn begin_load(self) -> Load {
        Load::new(self)
    }

    pub fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// The newest state: nobody else changes it while this writer has its turn.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.workspace.snapshot()
    }

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

    async fn lock(&mut self) -> Result<()> {
        if self.writing.is_closed {
            return Err(Error::busy(format!(
                "nothing is written to workspace '{}' here any more: the server stops; send it again to the next one",
                self.workspace.name()
            )));
        }
        if let Some(lock) = &self.writing.lock
            && let Err(error) = lock.check().await
        {
            if error.kind() != Kind::Conflict {
                return Err(error);
            }
            // Another process has taken over, and may have ended since; its records are in its own log.
            *self.writing = Writing { loads: std::mem::take(&mut self.writing.loads), ..Writing::default() };
        }
        if self.writing.lock.is_none() {
            let lock = WriterLock::acquire(self.workspace.root(), self.workspace.name()).await?;
            self.writing.claim_is_used = false;
            self.workspace.announce_in(self.writing.lock.insert(lock)).await;
        }
        Ok(())
    }

    /// Reads what others have written, or what is stored when a load has not come back.
    async fn prepare(&mut self) -> Result<()> {
        if self.writing.prepared && self.writing.log.as_ref().is_some_and(Log::is_open) {
            if !self.is_ready() {
                self.refresh().await?;
                self.fence_commits().await?;
            }
            return Ok(());
        }
        if !self.writing.prepared {
            self.workspace.events().create().await?;
            self.check_zone().await?;
        }
        self.open_log().await?;
        // Another process may have committed, or set rules, before this one got the lock; what it wrote by those cannot be
        // read without them.
        let rules = self.newest_rules().await?;
        self.refresh_by(rules).await?;
        self.fence_commits().await?;
        self.writing.prepared = true;
        Ok(())
    }

    /// Takes the log over: what was written to it by others, or by this process before it failed, is read behind that.
    async fn open_log(&mut self) -> Result<()> {
        let workspace = Arc::clone(&self.workspace);
        match &self.writing.log {
            Some(log) if log.is_open() => return Ok(()),
            Some(log) => {
                log.check_may_open_again()?;
                self.writing.log = None;
                self.writing.claim_is_used = true;
            }
            None => {}
        }
        if self.writing.claim_is_used
            && let Some(lock) = self.writing.lock.take()
        {
            lock.release().await;
            self.lock().await?;
        }
        // Before the log is asked for: should that break off, the claim may be used all the same.
        self.writing.claim_is_used = true;
        let lock = self.writing.lock.as_ref().ok_or_else(|| Error::internal("a writer without its lock"))?;
        let (root, name, id) = (workspace.root(), workspace.name(), workspace.manifest().id);
        let held = workspace.snapshot();
        let reached = match held.is_read() {
            true => held.flushed,
            false => workspace.flushed_position().await?,
        };
        let limit = workspace.log_settings().disk_limit.0 as u64;
        let gauge = Arc::clone(workspace.log_monitor().gauge());
        let log = Log::open(root, name, id, lock, reached, limit, gauge).await?;
        self.writing.log = Some(log);
        self.writing.needs_fence |= self.writing.lock.as_ref().and_then(WriterLock::term).is_some_and(|term| term > 1);
        // Records that were not acknowledged may have become durable, or not: what is stored tells.
        self.forget();
        Ok(())
    }

    /// On an object store a writer that slept may still commit what it had numbered by a state of before: the version that
    /// it would write is taken, so that it fails.
    async fn fence_commits(&mut self) -> Result<()> {
        for attempt in 1.. {
            if !self.writing.needs_fence {
                break;
            }
            self.refresh().await?;
            let held = self.workspace.snapshot();
            let version = held.events.version + 1;
            let change = Change { removed: &[], added: &[], kind: ChangeKind::Append };
            let record = CommitRecord { position: held.flushed, ..CommitRecord::default() };
            match self.workspace.events().commit(version, change, &record).await {
                Ok(()) => {
                    let events = held.events.changed(&change);
                    self.workspace.publish(Snapshot { events, ..held.as_ref().clone() });
                    self.writing.needs_fence = false;
                }
                // It was just in time: what it wrote is read.
                Err(error) if error.kind() == Kind::Conflict && attempt < MOST_FENCES => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The message ids that are stored.
    pub(super) fn keys_of_messages(&mut self) -> Result<&mut DedupeIndex> {
        self.writing.keys.as_mut().ok_or_else(|| Error::internal("a writer without message ids"))
    }

    /// Says once when message ids do not fit into memory.
    pub(super) fn tell_window(&mut self, shrinkage: &Shrinkage) {
        if !shrinkage.dropped.is_empty() && !std::mem::replace(&mut self.writing.window_is_told, true) {
            tracing::warn!(
                workspace = %self.workspace.name(), hours = shrinkage.window_hours,
                "message ids do not fit into memory: duplicates are recognised for fewer hours"
            );
        }
    }

    /// What is stored is read again before the next one writes, after the commit of a load failed, which had numbers that
    /// are in no record of the log.
    pub(super) fn doubt_commit(&mut self, error: &Error) {
        // Where its answer was lost, an object store may still apply it; a place that is taken is none of these.
        self.writing.needs_fence |= error.kind() != Kind::Conflict && self.workspace.root().is_shared();
        self.forget();
    }

    /// What is stored is read again before the next one writes.
    pub(super) fn forget(&mut self) {
        (self.writing.graph, self.writing.keys) = (None, None);
    }

    /// The graph of the newest state.
    pub(super) fn graph(&mut self) -> Result<&mut IdentityGraph> {
        self.writing.graph.as_mut().ok_or_else(|| Error::internal("a writer without an identity graph"))
    }

    /// The open log.
    pub(super) fn log(&mut self) -> Result<&mut Log> {
        self.writing.log.as_mut().ok_or_else(|| Error::internal("a writer without its log"))
    }

    /// # Errors
    /// `Conflict` when another process chose the time zone after this one had opened the workspace: its days are others.
    async fn check_zone(&self) -> Result<()> {
        let (root, name) = (self.workspace.root(), self.workspace.name());
        let stored = Manifest::read(&root.store(), &root.paths(name).manifest(), name).await?;
        match stored.is_none_or(|stored| stored.time_zone == self.workspace.manifest().time_zone) {
            true => Ok(()),
            false => Err(Error::conflict(format!(
                "the time zone of workspace '{name}' was chosen after it was opened here: start again"
            ))),
        }
    }

    async fn newest_rules(&self) -> Result<Arc<Rules>> {
        let held = Arc::clone(&self.snapshot().rules);
        match rules::newest(&self.workspace.store()).await? == held.revision {
            true => Ok(held),
            false => Rules::load(&self.workspace.store(), self.workspace.manifest()).await.map(Arc::new),
        }
    }

    /// Reads what was committed since, by this or another process. The rules stay as they are.
    pub async fn refresh(&mut self) -> Result<()> {
        let rules = Arc::clone(&self.snapshot().rules);
        self.refresh_by(rules).await
    }

    /// The same by these rules: those that hold from now on.
    async fn refresh_by(&mut self, rules: Arc<Rules>) -> Result<()> {
        // Taken out: one that is left in the middle of a replay must not be used again.
        let graph = self.writing.graph.take().filter(|_| rules.revision == self.snapshot().rules.revision);
        if graph.is_none() {
            // Something was left undone: message ids of it may be among them.
            self.writing.keys = None;
        }
        let before = self.snapshot();
        let log = self.writing.log.as_ref();
        self.writing.graph = Some(match graph {
            Some(graph) => self.workspace.catch_up(graph, log).await?,
            None => self.workspace.recover(&rules, log).await?,
        });
        let read = self.snapshot();
        let is_as_before = before.position == read.position && before.commits.len() == read.commits.len();
        if self.writing.keys.is_none() || !is_as_before {
            self.writing.keys = None;
            self.writing.unwritten_keys.clear();
            let (keys, shrinkage) = self.workspace.recover_keys(&read).await?;
            self.writing.keys = Some(keys);
            self.tell_window(&shrinkage);
        }
        Ok(())
    }

    /// Puts files with the same rows in place of others, as the next version.
    ///
    /// # Errors
    /// `Conflict` when one of `removed` is not live any more.
    pub async fn replace_files(
        &mut self,
        removed: &[Arc<DataFile>],
        added: Vec<WrittenFile>,
        target_bytes: u64,
    ) -> Result<Arc<Snapshot>> {
        self.check().await?;
        let held = self.workspace.snapshot();
        if !removed.iter().all(|file| held.events.contains(file)) {
            return Err(Error::conflict("files that were to be compacted are not in the table any more"));
        }
        let version = held.events.version + 1;
        let change = Change { removed, added: &added, kind: ChangeKind::Rewrite { target_bytes } };
        if let Err(error) = self.workspace.events().rewrite(version, change, held.flushed).await {
            // Whatever went wrong, the log tells what is true now.
            self.refresh().await?;
            return Err(error);
        }
        self.workspace.publish(Snapshot { events: held.events.changed(&change), ..held.as_ref().clone() });
        self.checkpoint_log_if_due(version).await;
        Ok(self.workspace.snapshot())
    }

    /// The commit stands without its checkpoint: a failure is only logged.
    pub(super) async fn checkpoint_log_if_due(&self, version: u64) {
        if version.is_multiple_of(CHECKPOINT_VERSIONS)
            && let Err(error) = self.workspace.events().checkpoint(version).await
        {
            tracing::warn!(workspace = %self.workspace.name(), %error, "no checkpoint of the events table");
        }
    }

    /// Writes a new revision of the rules and makes it visible.
    ///
    /// # Errors
    /// `Conflict` for settings that leave out an identifier type of which there are identifiers.
    pub async fn change_rules(&mut self, change: RuleChange) -> Result<Arc<Rules>> {
        let held = self.workspace.snapshot();
        if let Some(settings) = &change.settings {
            let dropped = held.rules.settings.identifier_types.iter().filter(|old| {
                let is_kept = settings.identifier_types.iter().any(|new| new.name == old.name);
                !is_kept && held.rules.types.id(&old.name).is_ok_and(|kind| held.identity.uses(kind))
            });
            if let Some(used) = dropped.map(|old| &old.name).next() {
                return Err(Error::conflict(format!(
                    "identifier type '{used}' has identifiers: it cannot be taken away, name it with the others"
                )));
            }
        }
        // Should it break off between here and there, the next writer reads what holds.
        self.writing.prepared = false;
        let rules = held.rules.write_next(&self.workspace.store(), change).await?;
        self.adopt(rules).await?;
        self.writing.prepared = true;
        Ok(Arc::clone(&self.workspace.snapshot().rules))
    }

    /// Makes other rules those of the newest snapshot.
    async fn adopt(&mut self, rules: Rules) -> Result<()> {
        let mut identity = self.workspace.snapshot().identity.clone();
        if rules.types != self.workspace.snapshot().rules.types {
            // Types have other numbers then: the log is read with those of its time.
            self.flush(FLUSH_BUFFER).await?;
            let mut graph = self.workspace.replay(Arc::clone(&rules.types)).await?;
            identity = graph.snapshot();
            self.writing.graph = Some(graph);
        }
        let held = self.workspace.snapshot();
        self.workspace.publish(Snapshot { identity, rules: Arc::new(rules), ..held.as_ref().clone() });
        Ok(())
    }
}
