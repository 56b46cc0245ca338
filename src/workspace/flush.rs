//! From the log into files: what is hot becomes Parquet and one commit of the events table.
//!
//! Files are encoded and written beside everything else; only the commit waits for its turn among the writers.

mod runs;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use self::runs::WrittenRuns;
use super::hot::HotPart;
use super::other_commits;
use super::registry::Workspaces;
use super::snapshot::Snapshot;
use super::state::Workspace;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentitySnapshot};
use crate::store::dedupe::{Hour, Run, Sealed};
use crate::store::delta::{Change, ChangeKind, WrittenFile};
use crate::store::events::{CommitRecord, Partitioner, schema};
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
    runs: WrittenRuns,
}

impl Workspace {
    /// Brings what is in the log now into files. `buffer` is how many bytes of rows may be held for encoding. Does
    /// nothing where there is nothing to flush; a flush that is under way is waited for.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn flush(self: &Arc<Self>, buffer: usize) -> Result<Arc<Snapshot>> {
        let _only_one = self.flushing().lock().await;
        let begun = Instant::now();
        let (sealed, held) = {
            let mut writer = self.writer().await?;
            if !self.snapshot().hot.is_empty() {
                writer.check_table().await?;
            }
            (writer.seal(self.snapshot().position)?, self.snapshot())
        };
        if sealed.parts.is_empty() {
            return Ok(held);
        }
        let flushed = self.write_parts(&sealed, held.rules.types(), buffer).await?;
        let mut writer = self.writer().await?;
        if !self.snapshot().hot.begins_with(&sealed.parts) {
            // A load with files took them along, or they were read anew from the log; what was written is for the next
            // vacuum.
            return Ok(self.snapshot());
        }
        // To its end, even when nobody waits for it any more: else the next commit finds its place taken.
        let position = flushed.record.position;
        let committing = tokio::spawn(async move { writer.commit_flush(flushed, None).await });
        let committed = committing.await;
        let state =
            committed.map_err(|error| Error::internal(format!("the commit of a flush broke off: {error}")))??;
        if self.is_served() {
            let rows: usize = sealed.parts.iter().map(|part| part.rows.num_rows()).sum();
            let seconds = begun.elapsed().as_millis() as f64 / 1_000.0;
            tracing::info!(workspace = %self.name(), rows, seconds, position, "rows of the log are in files now");
        }
        Ok(state)
    }

    /// Brings rows of the log into files, in the background, when they are many, the log takes half of what it
    /// may, or those of all workspaces take too much memory.
    pub fn flush_if_due(self: &Arc<Self>) {
        let (state, settings) = (self.snapshot(), self.log_settings());
        let hot = &state.hot;
        let is_half_full = self.log_monitor().gauge().size().bytes >= settings.disk_limit.0 as u64 / 2;
        let is_large = hot.rows() >= settings.flush_rows || hot.bytes() >= settings.flush_bytes.0;
        let is_due = is_large || is_half_full || !self.memory().hot_rows.has_room();
        if hot.is_empty() || !is_due || self.flushing().try_lock().is_err() {
            return;
        }
        let workspace = Arc::clone(self);
        tokio::spawn(async move { workspace.flush_or_tell(FLUSH_BUFFER).await });
    }

    /// A flush that nobody waits for; whether it succeeded.
    pub(super) async fn flush_or_tell(self: &Arc<Self>, buffer: usize) -> bool {
        let Err(error) = self.flush(buffer).await else { return true };
        match self.log_monitor().note_failed_flush(&error) {
            true => tracing::warn!(workspace = %self.name(), %error, "rows stay in the log"),
            false => tracing::debug!(workspace = %self.name(), %error, "rows stay in the log"),
        }
        false
    }

    /// Writes the rows, identity changes, rejected rows and message ids of parts as files and objects. Where that fails,
    /// as far as possible none is left.
    pub(super) async fn write_parts(
        &self,
        sealed: &Sealing,
        types: &IdentifierTypes,
        buffer: usize,
    ) -> Result<Flushed> {
        let (files, mut begun) = (self.file_writer(), Vec::new());
        let mut partitioner = Partitioner::new(files.clone(), self.manifest().time_zone, buffer);
        let written = self.write_sealed(sealed, types, &mut partitioner, &mut begun).await;
        if written.is_err() {
            partitioner.give_up().await;
            begun.extend(files.begun());
            self.remove_begun(begun).await;
        }
        written
    }

    /// The same. `begun` are the objects beside the files that it wrote, or tried to.
    async fn write_sealed(
        &self,
        sealed: &Sealing,
        types: &IdentifierTypes,
        partitioner: &mut Partitioner,
        begun: &mut Vec<Path>,
    ) -> Result<Flushed> {
        let id = self.clock().new_id();
        let mut record = CommitRecord::default();
        let mut letters = Vec::new();
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
            begun.push(path.clone());
            self.write_object(&path, IdentityBatch::schema(), rows).await?;
            record.identity = Some(path.to_string());
        }
        if !letters.is_empty() {
            let path = paths::dead_letters_in_workspace(id);
            begun.push(path.clone());
            self.write_object(&path, dead_letters::schema(), letters).await?;
            record.dead_letters = Some(path.to_string());
        }
        let runs = self.write_runs(sealed, &mut record.dedupe, begun).await?;
        Ok(Flushed { files: partitioner.finish().await?, record, runs })
    }

    /// Removes objects that were written before something failed, and of which no commit was tried: on a disk that is full
    /// each try would leave more. What stays is for the next vacuum.
    pub async fn remove_begun(&self, begun: Vec<Path>) {
        for path in begun {
            match self.store().delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::debug!(workspace = %self.name(), %error, "left for the next vacuum"),
            }
        }
    }

    async fn write_object(&self, path: &Path, schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let encoding = tokio::task::spawn_blocking(move || objects::encode_parquet(schema, &batches));
        let bytes = encoding.await.map_err(|error| Error::internal(format!("encoding a flush: {error}")))??;
        objects::create(self.store().as_ref(), path, bytes).await
    }
}

/// Every `period` makes visible what other programs committed to the open workspaces, and flushes these. Runs until it is
/// dropped, which harms nothing at any moment.
pub async fn flush_by_time(workspaces: Workspaces, period: Duration, buffer: usize) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Before the flush, which else finds its place taken.
        other_commits::see(workspaces.opened()).await;
        for workspace in workspaces.opened().into_iter().filter(|workspace| !workspace.snapshot().hot.is_empty()) {
            workspace.flush_or_tell(buffer).await;
        }
    }
}

impl Writer {
    /// What is to be flushed, up to this position: no later record is joined to it.
    pub(super) fn seal(&mut self, position: u64) -> Result<Sealing> {
        let held = self.workspace.snapshot();
        let mut hot = held.hot.clone();
        let parts = hot.seal();
        if !parts.is_empty() {
            self.workspace.publish(Snapshot { hot, ..held.as_ref().clone() });
        }
        let keys = self.keys_of_messages()?;
        let sealed = keys.seal(position);
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
        self.workspace.events().check_writable().await?;
        let mut sealed = self.seal(held.position)?;
        sealed.merging = None;
        let flushed = self.workspace.write_parts(&sealed, held.rules.types(), buffer).await?;
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
        let Flushed { files, mut record, runs } = flushed;
        let held = self.workspace.snapshot();
        let version = held.events.version + 1;
        let change = Change { removed: &[], added: &files, kind: ChangeKind::Append };
        let expired = self.keys_of_messages()?.expire();
        record.dedupe.removed.extend(expired.iter().filter(|path| !runs.are_merged(path)).map(Path::to_string));
        let committed = self.workspace.events().commit(version, change, &record).await;
        if let Err(error) = self.confirm(committed).await {
            // What landed all the same is told by what is stored: the next one reads it.
            match identity.is_some() {
                true => self.doubt_commit(&error),
                false => self.forget(),
            }
            return Err(error);
        }
        let flushed = record.position;
        // That of a load is a state's only now.
        let position = held.position.max(flushed);
        let mut commits = held.commits.clone();
        commits.push(Arc::new(record));
        let (events, hot) = (held.events.changed(&change), held.hot.without(flushed));
        let identity = identity.unwrap_or_else(|| held.identity.clone());
        let held = held.as_ref().clone();
        self.workspace.publish(Snapshot { position, events, flushed, hot, identity, commits, ..held });
        if self.workspace.log_monitor().note_flush(self.workspace.clock().now()) {
            tracing::info!(workspace = %self.workspace.name(), "rows of the log come into files again");
        }
        let damage = self.take_runs(runs);
        self.checkpoint_log_if_due(version).await;
        if let Err(error) = self.log()?.trim(flushed).await {
            tracing::warn!(workspace = %self.workspace.name(), %error, "the log was not trimmed");
        }
        if let Some(damage) = damage {
            self.replace_damaged_runs(&damage).await;
        }
        Ok(self.workspace.snapshot())
    }
}

#[cfg(test)]
mod tests;
