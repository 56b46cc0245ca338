//! What a writer knows of the message ids that are stored: read with the state; made anew from the stored events when runs
//! of them are lost, so that nobody who sends has to know of it.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;

use super::Writer;
use crate::error::{Error, Kind, Result};
use crate::store::dedupe::{BatchKey, Decision, DedupeIndex, MessageKey, Pending, Shrinkage};
use crate::store::delta::{Change, ChangeKind};
use crate::store::events::{CommitRecord, RunChange};
use crate::workspace::recent_failure::RecentFailure;
use crate::workspace::snapshot::Snapshot;

impl Writer {
    /// Reads the message ids of the newest state, unless they are known.
    ///
    /// # Errors
    /// As [`Self::make_keys_anew`] where some are lost.
    pub(super) async fn know_keys(&mut self) -> Result<()> {
        if self.writing.keys.is_some() {
            return Ok(());
        }
        match self.workspace.recover_keys(&self.snapshot()).await {
            Err(error) if error.kind() == Kind::Corrupt => self.make_keys_anew(&error).await,
            recovered => {
                let (keys, shrinkage) = recovered?;
                self.take_keys(keys, &shrinkage);
                Ok(())
            }
        }
    }

    /// The same for who can do without: where trying again ends in the same way they stay unknown, and whoever appends
    /// learns why.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn know_keys_if_possible(&mut self) -> Result<()> {
        match self.know_keys().await {
            Err(error) if self.writing.keys_failure.is_some() => {
                tracing::warn!(workspace = %self.workspace.name(), %error, "no event is taken until then; queries go on");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Which of these messages are stored.
    ///
    /// # Errors
    /// What the store says.
    pub(in crate::workspace) async fn check_keys(&mut self, keys: &[MessageKey]) -> Result<Decision> {
        match self.keys_of_messages()?.check(keys, &Pending::default()).resolve().await {
            Err(error) if error.kind() == Kind::Corrupt => {
                self.make_keys_anew(&error).await?;
                self.keys_of_messages()?.check(keys, &Pending::default()).resolve().await
            }
            decision => decision,
        }
    }

    /// The first result of a batch that is stored.
    ///
    /// # Errors
    /// What the store says.
    pub(in crate::workspace) async fn batch_result(&mut self, key: BatchKey) -> Result<Option<Bytes>> {
        let result = self.keys_of_messages()?.batch_result(key);
        match result.await {
            Err(error) if error.kind() == Kind::Corrupt => {
                self.make_keys_anew(&error).await?;
                let result = self.keys_of_messages()?.batch_result(key);
                result.await
            }
            result => result,
        }
    }

    /// Makes runs of all stored events, and commits them in the place of those that are lost: which of the keys these had
    /// nothing tells. The others stay, for the batch keys in them. Where none is lost they are read again.
    ///
    /// # Errors
    /// `Corrupt` when an events file is damaged, too, or when another program allows no commit: both are repeated for a
    /// while, as is that of a full disk.
    pub(in crate::workspace) async fn make_keys_anew(&mut self, damage: &Error) -> Result<()> {
        self.forget_keys();
        if let Some(error) = self.writing.keys_failure.as_ref().and_then(RecentFailure::repeat) {
            return Err(error);
        }
        let outcome = self
            .replace_lost_keys(damage)
            .await
            .map_err(|error| error.context("message ids are lost, and cannot be read from the stored events again"));
        self.writing.keys_failure = outcome.as_ref().err().filter(|error| lasts(error)).map(RecentFailure::new);
        outcome
    }

    async fn replace_lost_keys(&mut self, damage: &Error) -> Result<()> {
        if let Some(change) = self.write_keys_anew(damage).await? {
            self.commit_runs(change).await?;
        }
        let (keys, shrinkage) = self.workspace.recover_keys(&self.snapshot()).await?;
        self.take_keys(keys, &shrinkage);
        Ok(())
    }

    /// Writes what is to be committed; `None` where no run is lost.
    async fn write_keys_anew(&self, damage: &Error) -> Result<Option<RunChange>> {
        let state = self.snapshot();
        let removed = self.workspace.lost_runs(&state).await?;
        if removed.is_empty() {
            return Ok(None);
        }
        // Before all events are read, and runs written that nothing would name.
        self.workspace.events().check_writable().await?;
        tracing::warn!(
            workspace = %self.workspace.name(), error = %damage,
            lost = ?removed,
            "message ids are lost: they are read from the stored events again; batches whose keys were among them are \
             known by their message ids from now on, if they have any"
        );
        let added = self.workspace.write_runs_anew(&state).await?;
        tracing::info!(workspace = %self.workspace.name(), runs = added.len(), "message ids are written anew");
        Ok(Some(RunChange { added, removed }))
    }

    async fn commit_runs(&mut self, dedupe: RunChange) -> Result<()> {
        self.check().await?;
        let held = self.snapshot();
        let version = held.events.version + 1;
        let change = Change { removed: &[], added: &[], kind: ChangeKind::Append };
        // As the commit before left it: rows of the log are no part of this one.
        let epoch = held.commits.iter().next_back().map_or(0, |commit| commit.epoch);
        let position = held.flushed;
        let record = CommitRecord { position, epoch, dedupe, is_without_rows: true, ..CommitRecord::default() };
        let committed = self.workspace.events().commit(version, change, &record).await;
        let is_refused = matches!(&committed, Err(error) if error.kind() == Kind::Conflict || error.tells_full_disk());
        if let Err(error) = self.confirm(committed).await {
            self.doubt_commit(&error);
            if is_refused {
                // No version names them, and each try would leave more.
                self.workspace.remove_begun(record.dedupe.added.into_iter().map(Path::from).collect()).await;
            }
            return Err(error);
        }
        let mut commits = held.commits.clone();
        commits.push(Arc::new(record));
        let events = held.events.changed(&change);
        self.workspace.publish(Snapshot { events, commits, ..held.as_ref().clone() });
        self.checkpoint_log_if_due(version).await;
        Ok(())
    }

    pub(super) fn forget_keys(&mut self) {
        self.writing.keys = None;
        // Those of rows in the log are added again.
        self.writing.unwritten_keys.clear();
        self.workspace.memory().message_ids.set(0);
    }

    fn take_keys(&mut self, keys: DedupeIndex, shrinkage: &Shrinkage) {
        self.writing.keys = Some(keys);
        self.writing.keys_failure = None;
        self.tell_window(shrinkage);
    }
}

/// Whether trying at once ends in the same way.
fn lasts(error: &Error) -> bool {
    error.kind() == Kind::Corrupt || error.tells_full_disk()
}
