//! The one writer of a workspace in this process: loads and changes wait here for each other, in the order in which they
//! came, and hold the right to write against other processes.

mod identity_rules;
mod message_ids;
mod takeover;

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use super::flush::FLUSH_BUFFER;
use super::load::Load;
use super::recent_failure::RecentFailure;
use super::rules::{RuleChange, Rules};
use super::snapshot::Snapshot;
use super::state::Workspace;
use crate::error::{Error, Kind, Result};
use crate::identity::IdentityGraph;
use crate::store::WriterLock;
use crate::store::dedupe::{DedupeIndex, LoadKeys, Sealed, Shrinkage};
use crate::store::delta::{CHECKPOINT_VERSIONS, Change, ChangeKind, DataFile, WrittenFile};
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
    /// The highest number that a load got.
    last_load: u32,
    /// Message ids of the loads that are under way.
    pub(super) loads: Vec<Weak<Mutex<LoadKeys>>>,
    /// Message ids that were sealed for a flush and are in no run yet, the oldest first.
    pub(super) unwritten_keys: Vec<Sealed>,
    /// Why they could not be made anew from the stored events, which takes reading all of them.
    pub(super) keys_failure: Option<RecentFailure>,
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
        writer.know_keys().await?;
        Ok(writer)
    }

    /// The same for what appends no record, such as to put files in place of others or to remove some: neither a disk
    /// without space for the log keeps anybody from that, nor message ids that are lost. Whoever wants these asks
    /// [`Self::writer`], which tries again.
    pub async fn writer_of_files(self: &Arc<Self>) -> Result<Writer> {
        let writing = self.turn().await;
        let mut writer = Writer { workspace: Arc::clone(self), writing };
        writer.lock().await?;
        match writer.prepare().await {
            Err(error) if error.tells_full_disk() => {
                tracing::warn!(workspace = %self.name(), %error, "no row is taken until there is space; queries go on");
                writer.read_without_log().await?;
            }
            outcome => {
                outcome?;
                writer.know_keys_if_possible().await?;
            }
        }
        Ok(writer)
    }

    /// The same for records alone: the log itself sees whether another process has taken over, before it acknowledges.
    pub(super) async fn writer_of_records(self: &Arc<Self>) -> Result<Writer> {
        let writing = self.turn().await;
        let mut writer = Writer { workspace: Arc::clone(self), writing };
        if !writer.is_ready() {
            writer.lock().await?;
            writer.prepare().await?;
            writer.know_keys().await?;
        }
        Ok(writer)
    }
}

impl Writer {
    /// Whether it can write without reading anything before.
    pub(super) fn is_ready(&self) -> bool {
        self.is_read() && self.writing.keys.is_some()
    }

    /// Whether it can append a record without reading anything before, but for what message ids are stored.
    fn is_read(&self) -> bool {
        let Writing { prepared, graph, log, needs_fence, is_closed, .. } = &*self.writing;
        let is_read = *prepared && graph.is_some() && !needs_fence;
        is_read && !is_closed && log.as_ref().is_some_and(Log::is_open)
    }

    /// A number for a load, which no other one has.
    ///
    /// # Errors
    /// `Busy` when all are given.
    pub fn new_load_number(&mut self) -> Result<u32> {
        let newest = self.snapshot().loads().map(|load| load.number).max().unwrap_or_default();
        let last = self.writing.last_load.max(newest);
        let number =
            last.checked_add(1).ok_or_else(|| Error::busy("the workspace has 2^32 loads: no number is left"))?;
        self.writing.last_load = number;
        Ok(number)
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

    /// To be called behind each commit to the events, with what came of it: this process may have slept since [`Self::check`]
    /// while the workspace was dropped, and nobody is told of a commit that went to another one of its name.
    ///
    /// # Errors
    /// That of the commit; `Conflict` when the workspace was dropped.
    pub(super) async fn confirm(&self, committed: Result<()>) -> Result<()> {
        committed?;
        match &self.writing.lock {
            Some(lock) => lock.confirm().await,
            None => Err(Error::internal("a writer without its lock")),
        }
    }

    /// To be called before files are written for nothing.
    ///
    /// # Errors
    /// `Corrupt` when another program made the events a table that only later writers may write.
    pub(super) async fn check_table(&mut self) -> Result<()> {
        if self.workspace.events().check_writable().await.is_ok() {
            return Ok(());
        }
        // It may have taken that back.
        self.refresh().await?;
        self.know_keys().await?;
        self.workspace.events().check_writable().await
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
        self.workspace.memory().message_ids.set(0);
    }

    /// The graph of the newest state.
    pub(super) fn graph(&mut self) -> Result<&mut IdentityGraph> {
        self.writing.graph.as_mut().ok_or_else(|| Error::internal("a writer without an identity graph"))
    }

    /// The open log.
    pub(super) fn log(&mut self) -> Result<&mut Log> {
        self.writing.log.as_mut().ok_or_else(|| Error::internal("a writer without its log"))
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
        let committed = self.workspace.events().rewrite(version, change, held.flushed).await;
        if let Err(error) = self.confirm(committed).await {
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
    /// `Conflict` for settings that leave out an identifier type of which there are identifiers, or spell it anew.
    pub async fn change_rules(&mut self, change: RuleChange) -> Result<Arc<Rules>> {
        let held = self.workspace.snapshot();
        if let Some(settings) = &change.settings {
            identity_rules::check_change(&held, &settings.rulebook()?)?;
        }
        // A revision bears a number alone: it would be one of another workspace of this name, too.
        self.check().await?;
        // Should it break off between here and there, the next writer reads what holds.
        self.writing.prepared = false;
        let rules = held.rules.write_next(&self.workspace.store(), self.workspace.clock(), change).await?;
        self.adopt(rules).await?;
        self.writing.prepared = true;
        Ok(Arc::clone(&self.workspace.snapshot().rules))
    }

    /// Makes other rules those of the newest snapshot.
    async fn adopt(&mut self, rules: Rules) -> Result<()> {
        let mut identity = self.workspace.snapshot().identity.clone();
        if rules.types() != self.workspace.snapshot().rules.types() {
            // Types have other numbers then: the log is read with those of its time.
            self.flush(FLUSH_BUFFER).await?;
            let mut graph = self.workspace.replay(Arc::clone(rules.types())).await?;
            identity = graph.snapshot();
            self.writing.graph = Some(graph);
        }
        let held = self.workspace.snapshot();
        self.workspace.publish(Snapshot { identity, rules: Arc::new(rules), ..held.as_ref().clone() });
        Ok(())
    }
}
