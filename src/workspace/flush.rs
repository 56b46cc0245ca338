//! From the log into files: what is hot becomes Parquet and one commit of the events table.
//!
//! Files are encoded and written beside everything else; only the commit waits for its turn among the writers.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::hot::HotPart;
use super::registry::Workspaces;
use super::snapshot::Snapshot;
use super::state::Workspace;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentitySnapshot};
use crate::store::dedupe::{Hour, Run, Sealed, merge};
use crate::store::delta::{Change, ChangeKind, WrittenFile};
use crate::store::events::{CommitRecord, Partitioner, RunChange, schema};
use crate::store::{dead_letters, objects, paths};

/// Bytes of rows that are held for encoding where nobody says how many may be.
pub(super) const FLUSH_BUFFER: usize = 64 << 20;

/// What is on its way into files: no later record is joined to it.
pub(super) struct Sealing {
    pub(super) parts: Vec<Arc<HotPart>>,
    /// Message ids that are in no run, the oldest first.
    keys: Vec<Sealed>,
    /// Runs of message ids that are to become one, and from which hour on: not while others wait.
    pub(super) merging: Option<(Vec<Arc<Run>>, Hour)>,
}

/// Files and objects of a flush; all durable, none counts before the commit.
pub(super) struct Flushed {
    pub(super) files: Vec<WrittenFile>,
    record: CommitRecord,
    runs: Vec<(Sealed, Run)>,
    merge: Option<Merge>,
}

/// Runs of message ids that became one, or none where all had left the window.
struct Merge {
    inputs: Vec<Path>,
    merged: Option<Run>,
}

impl Workspace {
    /// Brings what is in the log now into files. `buffer` is how many bytes of rows may be held for encoding. Does
    /// nothing where there is nothing to flush; a flush that is under way is waited for.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn flush(self: &Arc<Self>, buffer: usize) -> Result<Arc<Snapshot>> {
        let _only_one = self.flushing().lock().await;
        let (sealed, held) = {
            let mut writer = self.writer().await?;
            (writer.seal()?, self.snapshot())
        };
        if sealed.parts.is_empty() {
            return Ok(held);
        }
        let flushed = self.write_parts(&sealed, &held.rules.types, buffer).await?;
        let mut writer = self.writer().await?;
        if !self.snapshot().hot.begins_with(&sealed.parts) {
            // A load with files took them along, or they were read anew from the log; what was written is for the next
            // vacuum.
            return Ok(self.snapshot());
        }
        // To its end, even when nobody waits for it any more: else the next commit finds its place taken.
        let committing = tokio::spawn(async move { writer.commit_flush(flushed, None).await });
        committing.await.map_err(|error| Error::internal(format!("the commit of a flush broke off: {error}")))?
    }

    /// Brings rows of the log into files, in the background, when they are many, or the log takes half of what it may.
    pub fn flush_if_due(self: &Arc<Self>) {
        let (state, settings) = (self.snapshot(), self.log_settings());
        let hot = &state.hot;
        let is_half_full = self.log_monitor().gauge().size().bytes >= settings.disk_limit.0 as u64 / 2;
        let is_large = hot.rows() >= settings.flush_rows || hot.bytes() >= settings.flush_bytes.0;
        if hot.is_empty() || !(is_large || is_half_full) || self.flushing().try_lock().is_err() {
            return;
        }
        let workspace = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = workspace.flush(FLUSH_BUFFER).await {
                tracing::warn!(workspace = %workspace.name(), %error, "rows stay in the log");
            }
        });
    }

    /// Brings what is in the log into files and ends the log; who wants to write after that is refused. Does no more where
    /// this process is not the writer, or not yet: what it has not read it has not changed.
    pub(super) async fn close(self: &Arc<Self>) -> Result<()> {
        let mut writer = Writer { workspace: Arc::clone(self), writing: self.turn().await };
        let is_ready = writer.is_ready();
        writer.writing.close();
        if !is_ready {
            return Ok(());
        }
        writer.flush(FLUSH_BUFFER).await?;
        writer.writing.end_log().await
    }

    /// Writes the rows, identity changes, rejected rows and message ids of parts as files and objects.
    pub(super) async fn write_parts(
        &self,
        sealed: &Sealing,
        types: &IdentifierTypes,
        buffer: usize,
    ) -> Result<Flushed> {
        let id = self.clock().new_id();
        let mut record = CommitRecord::default();
        let mut letters = Vec::new();
        let mut partitioner = Partitioner::new(self.file_writer(), self.manifest().time_zone, buffer);
        let stored = Vec::from_iter(0..schema::stored().fields().len());
        for part in &sealed.parts {
            partitioner.push(part.rows.project(&stored)?).await?;
            letters.extend(part.dead_letters.iter().cloned());
            record.loads.extend(part.loads.iter().cloned());
            (record.position, record.epoch) = (part.last, part.epoch);
        }
        let (parts, types) = (sealed.parts.clone(), types.clone());
        let joining = tokio::task::spawn_blocking(move || {
            IdentityBatch::joined(parts.iter().map(|part| &part.identity))?.to_record_batches(&types)
        });
        let rows = joining.await.map_err(|error| Error::internal(format!("joining identities: {error}")))??;
        if !rows.is_empty() {
            let path = paths::identity_in_workspace(id);
            self.write_object(&path, IdentityBatch::schema(), rows).await?;
            record.identity = Some(path.to_string());
        }
        if !letters.is_empty() {
            let path = paths::dead_letters_in_workspace(id);
            self.write_object(&path, dead_letters::schema(), letters).await?;
            record.dead_letters = Some(path.to_string());
        }
        let (runs, merge) = self.write_runs(sealed, &mut record.dedupe).await?;
        Ok(Flushed { files: partitioner.finish().await?, record, runs, merge })
    }

    async fn write_runs(
        &self,
        sealed: &Sealing,
        change: &mut RunChange,
    ) -> Result<(Vec<(Sealed, Run)>, Option<Merge>)> {
        let store = self.store();
        let mut runs = Vec::new();
        for keys in &sealed.keys {
            let run = keys.write(&store, &paths::dedupe_run_in_workspace(self.clock().new_id())).await?;
            change.added.push(run.path().to_string());
            runs.push((keys.clone(), run));
        }
        let Some((inputs, horizon)) = &sealed.merging else { return Ok((runs, None)) };
        let path = paths::dedupe_run_in_workspace(self.clock().new_id());
        let merged = merge(inputs, &store, &path, *horizon).await?;
        let inputs: Vec<Path> = inputs.iter().map(|run| run.path().clone()).collect();
        change.removed.extend(inputs.iter().map(Path::to_string));
        change.added.extend(merged.iter().map(|run| run.path().to_string()));
        Ok((runs, Some(Merge { inputs, merged })))
    }

    async fn write_object(&self, path: &Path, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let encoding = tokio::task::spawn_blocking(move || objects::encode_parquet(schema, &batches));
        let bytes = encoding.await.map_err(|error| Error::internal(format!("encoding a flush: {error}")))??;
        objects::create(self.store().as_ref(), path, bytes).await
    }
}

/// Flushes every open workspace every `period`. Runs until it is dropped, which harms nothing at any moment.
pub async fn flush_by_time(workspaces: Workspaces, period: Duration, buffer: usize) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for workspace in workspaces.opened().into_iter().filter(|workspace| !workspace.snapshot().hot.is_empty()) {
            if let Err(error) = workspace.flush(buffer).await {
                tracing::warn!(workspace = %workspace.name(), %error, "rows stay in the log");
            }
        }
    }
}

impl Writer {
    /// What is to be flushed: no later record is joined to it.
    pub(super) fn seal(&mut self) -> Result<Sealing> {
        let held = self.workspace.snapshot();
        let mut hot = held.hot.clone();
        let parts = hot.seal();
        if !parts.is_empty() {
            self.workspace.publish(Snapshot { hot, ..held.as_ref().clone() });
        }
        let keys = self.keys_of_messages()?;
        let sealed = keys.seal(held.position);
        let merging = keys.plan_merge().map(|runs| (runs, keys.horizon()));
        self.writing.unwritten_keys.extend(sealed);
        Ok(Sealing { parts, keys: self.writing.unwritten_keys.clone(), merging })
    }

    /// Brings what is in the log into files while this writer has its turn.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over.
    pub async fn flush(&mut self, buffer: usize) -> Result<Arc<Snapshot>> {
        let held = self.workspace.snapshot();
        if held.hot.is_empty() {
            return Ok(held);
        }
        let mut sealed = self.seal()?;
        sealed.merging = None;
        let flushed = self.workspace.write_parts(&sealed, &held.rules.types, buffer).await?;
        self.commit_flush(flushed, None).await
    }

    /// Commits what was written of the first parts of the newest state; `identity` is that of a load whose files are among
    /// them.
    pub(super) async fn commit_flush(
        &mut self,
        flushed: Flushed,
        identity: Option<IdentitySnapshot>,
    ) -> Result<Arc<Snapshot>> {
        self.check().await?;
        let Flushed { files, mut record, runs, merge } = flushed;
        let held = self.workspace.snapshot();
        let version = held.events.version + 1;
        let change = Change { removed: &[], added: &files, kind: ChangeKind::Append };
        let expired = self.keys_of_messages()?.expire();
        let is_merged = |path: &Path| merge.as_ref().is_some_and(|merge| merge.inputs.contains(path));
        record.dedupe.removed.extend(expired.iter().filter(|path| !is_merged(path)).map(Path::to_string));
        if let Err(error) = self.workspace.events().commit(version, change, &record).await {
            // What landed all the same is told by what is stored: the next one reads it.
            match identity.is_some() {
                true => self.doubt_commit(&error),
                false => self.forget(),
            }
            return Err(error);
        }
        let position = record.position;
        let mut commits = held.commits.clone();
        commits.push(Arc::new(record));
        let (events, hot) = (held.events.changed(&change), held.hot.without(position));
        let identity = identity.unwrap_or_else(|| held.identity.clone());
        let flushed = position;
        self.workspace.publish(Snapshot { events, flushed, hot, identity, commits, ..held.as_ref().clone() });
        self.workspace.log_monitor().note_flush(self.workspace.clock().now());
        if let Err(error) = self.take_runs(runs, merge) {
            tracing::warn!(workspace = %self.workspace.name(), %error, "message ids are read again");
            self.forget();
        }
        self.checkpoint_log_if_due(version).await;
        if let Err(error) = self.log()?.trim(position).await {
            tracing::warn!(workspace = %self.workspace.name(), %error, "the log was not trimmed");
        }
        Ok(self.workspace.snapshot())
    }

    /// The message ids of a flush that stands are in runs now; those that memory has no room for are left out.
    fn take_runs(&mut self, runs: Vec<(Sealed, Run)>, merge: Option<Merge>) -> Result<()> {
        let written = runs.len().min(self.writing.unwritten_keys.len());
        self.writing.unwritten_keys.drain(..written);
        let budget = self.workspace.keys_budget;
        let keys = self.keys_of_messages()?;
        for (sealed, run) in runs {
            keys.install(&sealed, run)?;
        }
        if let Some(Merge { inputs, merged }) = merge {
            keys.replace(&inputs, merged)?;
        }
        let shrinkage = keys.shrink_to(budget);
        self.tell_window(&shrinkage);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
