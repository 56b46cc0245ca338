//! How a writer begins: it takes over from other processes, or from itself after something went wrong, and reads what is
//! stored behind that.

use std::sync::Arc;

use super::{Writer, Writing};
use crate::error::{Error, Kind, Result};
use crate::store::WriterLock;
use crate::store::delta::{Change, ChangeKind};
use crate::store::events::CommitRecord;
use crate::store::wal::Log;
use crate::workspace::claim_watch::Fate;
use crate::workspace::manifest::Manifest;
use crate::workspace::rules::{self, Rules};
use crate::workspace::snapshot::Snapshot;

/// Commits of a writer that slept which may come in between while its successor begins.
const MOST_FENCES: u32 = 8;

impl Writer {
    /// Gets the right to write against other processes, or makes sure that it still has it.
    pub(super) async fn lock(&mut self) -> Result<()> {
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
            self.forget();
            *self.writing = Writing { loads: std::mem::take(&mut self.writing.loads), ..Writing::default() };
        }
        if self.writing.lock.is_none() {
            let workspace = &self.workspace;
            // It may have been dropped while this process slept, or since it read the manifest: it must not begin again
            // without that, nor be taken for another one of its name.
            workspace.check_fate(workspace.fate().await?)?;
            let lock = WriterLock::acquire(workspace.root(), workspace.name()).await?;
            // Once more: it may have been dropped in between, and what is claimed is not.
            let fate = workspace.look_for_fate().await;
            let is_dropped = matches!(fate, Ok(Fate::Dropped));
            if let Err(error) = fate.and_then(|fate| workspace.check_fate(fate)) {
                match is_dropped {
                    true => lock.release_of_dropped(workspace.root(), workspace.name()).await,
                    false => lock.release().await,
                }
                return Err(error);
            }
            if let Some(claim) = lock.claim() {
                workspace.claim_watch().follow(claim);
            }
            self.writing.claim_is_used = false;
            self.workspace.announce_in(self.writing.lock.insert(lock)).await;
        }
        Ok(())
    }

    /// Reads what others have written, or what is stored when a load has not come back.
    pub(super) async fn prepare(&mut self) -> Result<()> {
        if self.writing.prepared && self.writing.log.as_ref().is_some_and(Log::is_open) {
            if !self.is_read() {
                self.refresh().await?;
                self.fence_commits().await?;
            }
            return Ok(());
        }
        if !self.writing.prepared {
            self.workspace.events().create().await?;
            self.check_zone().await?;
        }
        // Should it break off, all of it is done again.
        self.writing.prepared = false;
        self.open_log().await?;
        // Another process may have committed, or set rules, before this one got the lock; what it wrote by those cannot be
        // read without them.
        let rules = self.newest_rules().await?;
        self.refresh_by(rules).await?;
        self.fence_commits().await?;
        self.writing.prepared = true;
        Ok(())
    }

    /// Reads what others have written beside a log that cannot be opened. The last group of it may be on no disk: nothing
    /// is flushed before the log is open.
    pub(super) async fn read_without_log(&mut self) -> Result<()> {
        let rules = self.newest_rules().await?;
        self.refresh_by(rules).await
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
        // Without a number it is held for as long as this process likes.
        if self.writing.claim_is_used
            && let Some(lock) = self.writing.lock.take_if(|lock| lock.term().is_some())
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
            if self.workspace.events().check_writable().await.is_err() {
                // Whoever knows that writes nothing either; for who does not, the commit that made it so took the place.
                self.writing.needs_fence = false;
                break;
            }
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

    /// Reads what was committed since, by this or another process. The rules stay as they are; message ids are read by
    /// whoever needs them.
    pub async fn refresh(&mut self) -> Result<()> {
        let rules = Arc::clone(&self.snapshot().rules);
        self.refresh_by(rules).await
    }

    /// The same by these rules: those that hold from now on.
    async fn refresh_by(&mut self, rules: Arc<Rules>) -> Result<()> {
        // Asked first: an error that passes costs nothing then.
        let events = self.workspace.events().newest().await?;
        // Taken out: one that is left in the middle of a replay must not be used again.
        let graph = self.writing.graph.take().filter(|_| rules.revision == self.snapshot().rules.revision);
        if graph.is_none() {
            // Something was left undone: message ids of it may be among them.
            self.forget_keys();
        }
        let before = self.snapshot();
        let log = self.writing.log.as_ref();
        self.writing.graph = Some(match graph {
            Some(graph) => self.workspace.catch_up(graph, events, log).await?,
            None => self.workspace.recover(&rules, log).await?,
        });
        let read = self.snapshot();
        let is_as_before = before.position == read.position && before.commits.len() == read.commits.len();
        if !is_as_before {
            self.forget_keys();
        }
        Ok(())
    }
}
