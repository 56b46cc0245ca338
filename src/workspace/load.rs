//! A large load under way: its rows become files while others write, and it takes turns with them. Nothing of it shows
//! before it is committed; one that is dropped before leaves numbers of identifiers behind that are nobody's.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::hot::HotPart;
use super::snapshot::Snapshot;
use super::state::Workspace;
use super::writer::Writer;
use crate::error::{Error, Kind, Result};
use crate::identity::{Crowded, LoadNumbers, SetBuilder};
use crate::store::dedupe::{LoadKeys, MessageKey};
use crate::store::delta::WrittenFile;
use crate::store::events::LoadRecord;
use crate::store::wal::record::RecordKind;

/// So long a load has its turn though others ask: each end of a turn is a record of the log.
const SHORTEST_TURN: Duration = Duration::from_millis(20);

/// Bytes of new identifiers in one record, which takes about as many: far from what a record may have, since a batch of
/// rows comes on top.
const MOST_NEW_BYTES: usize = 64 << 20;

pub struct Load {
    workspace: Arc<Workspace>,
    settings_revision: u64,
    /// While it has its turn.
    writer: Option<Writer>,
    turn_began: Instant,
    /// Who is who by its events.
    sets: SetBuilder,
    keys: Arc<Mutex<LoadKeys>>,
}

/// All of a load that is to be committed.
pub struct LoadedFiles {
    /// Durable.
    pub files: Vec<WrittenFile>,
    pub dead_letters: Vec<RecordBatch>,
    pub record: LoadRecord,
    /// When its rows were received, in microseconds since 1970.
    pub received_at: i64,
    /// Bytes of rows that may be held for encoding.
    pub buffer: usize,
    /// Of [`crate::identity::IdentityGraph::crowded`].
    pub most_beside: usize,
}

impl Load {
    pub(super) fn new(mut writer: Writer) -> Self {
        let keys = Arc::default();
        writer.writing.loads.retain(|load| load.strong_count() > 0);
        writer.writing.loads.push(Arc::downgrade(&keys));
        Self {
            workspace: Arc::clone(&writer.workspace),
            settings_revision: writer.snapshot().rules.revision,
            writer: Some(writer),
            turn_began: Instant::now(),
            sets: SetBuilder::default(),
            keys,
        }
    }

    /// Waits for what comes next; others get their turn as soon as one of them asks for it.
    ///
    /// # Errors
    /// `Busy` when the log has no space for the identifiers that were numbered, `Conflict` when another process has taken
    /// over.
    pub async fn wait_for<T>(&mut self, next: impl Future<Output = T>) -> Result<T> {
        let mut next = std::pin::pin!(next);
        if self.writer.is_some() {
            let asked = async {
                tokio::time::sleep_until(self.turn_began + SHORTEST_TURN).await;
                self.workspace.until_asked().await;
            };
            tokio::select! {
                biased;
                // Before what comes next: of a fast source there is always something.
                () = asked => {}
                came = &mut next => return Ok(came),
            }
            self.end_turn().await?;
        }
        Ok(next.await)
    }

    /// # Errors
    /// `Conflict` when another process writes, or when settings have changed since the load began.
    pub async fn take_turn(&mut self) -> Result<()> {
        if self.writer.is_some() {
            return Ok(());
        }
        let writer = self.workspace.writer().await?;
        if writer.snapshot().rules.revision != self.settings_revision {
            return Err(Error::conflict("the settings of the workspace have changed meanwhile: load it again"));
        }
        self.writer = Some(writer);
        self.turn_began = Instant::now();
        Ok(())
    }

    /// Makes what was numbered durable when it is much: a record has a limit.
    ///
    /// # Errors
    /// As [`Self::wait_for`].
    pub async fn store_numbers_if_many(&mut self) -> Result<()> {
        let is_much = match &mut self.writer {
            Some(writer) => writer.graph()?.new_bytes() >= MOST_NEW_BYTES,
            None => false,
        };
        if is_much {
            self.end_turn().await?;
        }
        Ok(())
    }

    /// What numbers its events.
    ///
    /// # Errors
    /// `Internal` when it has no turn.
    pub fn numbers(&mut self) -> Result<LoadNumbers<'_>> {
        let writer = self.writer.as_mut().ok_or_else(without_turn)?;
        Ok(LoadNumbers::new(writer.graph()?, &mut self.sets))
    }

    /// Places of the keys of which no message is stored, nor came before in this load.
    ///
    /// # Errors
    /// `Busy` when another load is about to store one of them; `Internal` when it has no turn.
    pub async fn new_places(&mut self, keys: &[MessageKey]) -> Result<Vec<usize>> {
        let writer = self.writer.as_mut().ok_or_else(without_turn)?;
        let decision = writer.check_keys(keys).await?;
        writer.check_not_under_way(keys, Some(&self.keys))?;
        let mut own = self.keys.lock();
        Ok(decision.new_places().filter(|place| own.insert(keys[*place])).collect())
    }

    /// Lets others write: what was numbered is durable before, since they may refer to it.
    async fn end_turn(&mut self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        // To its end, even when nobody waits for it any more.
        let ending = tokio::spawn(async move { writer.append_numbers().await });
        ending.await.map_err(|error| Error::internal(format!("a record broke off: {error}")))?
    }

    /// Commits the load as the next version of the events table, and makes it visible, if `check` finds nothing against it
    /// in the newest state. Gives the identifiers that stand beside many others, too.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over; those of `check`. What landed all the same is seen by the next load.
    pub async fn commit(
        mut self,
        loaded: LoadedFiles,
        check: impl FnOnce(&Snapshot) -> Result<()>,
    ) -> Result<(Arc<Snapshot>, Vec<Crowded>)> {
        if self.writer.is_none() {
            // So that few rows are left to be written while others wait.
            self.workspace.flush(loaded.buffer).await?;
        }
        self.take_turn().await?;
        self.workspace.events().check_writable().await?;
        check(&self.workspace.snapshot())?;
        let writer = self.writer.take().ok_or_else(without_turn)?;
        let (sets, keys) = (std::mem::take(&mut self.sets), std::mem::take(&mut *self.keys.lock()));
        // It comes to its end even when nobody waits for it any more: what is half done is never left.
        let committing = tokio::spawn(commit(writer, sets, keys, loaded));
        committing.await.map_err(|error| Error::internal(format!("the commit of a load broke off: {error}")))?
    }
}

async fn commit(
    mut writer: Writer,
    sets: SetBuilder,
    keys: LoadKeys,
    loaded: LoadedFiles,
) -> Result<(Arc<Snapshot>, Vec<Crowded>)> {
    let LoadedFiles { files, dead_letters, record, received_at, buffer, most_beside } = loaded;
    // Taken out: without a graph the next writer reads what is stored.
    let mut graph = writer.writing.graph.take().ok_or_else(|| Error::internal("a writer without an identity graph"))?;
    let position = writer.append_load(&record, buffer).await?;
    let clock = writer.workspace.root().clock().clone();
    let placing = tokio::task::spawn_blocking(move || {
        graph.place(sets.finish(), position, &clock);
        let crowded = graph.crowded(most_beside);
        let (batch, identity) = (graph.finish_batch(), graph.snapshot());
        (graph, crowded, batch, identity)
    });
    let placed = placing.await.map_err(|error| Error::internal(format!("placing the events of a load: {error}")))?;
    let (graph, crowded, batch, identity) = placed;
    let mut part = HotPart { dead_letters, loads: vec![record], identity: batch, ..HotPart::default() };
    part.set_position(position);
    part.epoch = graph.epoch();
    let types = Arc::clone(graph.types());
    writer.keys_of_messages()?.add_load(keys, received_at);
    let mut sealed = writer.seal(position)?;
    sealed.merging = None;
    sealed.parts.push(Arc::new(part));
    let mut flushed = writer.workspace.write_parts(&sealed, &types, buffer).await?;
    flushed.files.extend(files);
    let committed = writer.commit_flush(flushed, Some(identity)).await?;
    writer.writing.graph = Some(graph);
    Ok((committed, crowded))
}

impl Writer {
    /// Gives a load its place among the records of the log; what it brings is there with the commit that says so. Where
    /// that fails, this position is no state's.
    async fn append_load(&mut self, record: &LoadRecord, buffer: usize) -> Result<u64> {
        let payload = Bytes::from(serde_json::to_vec(record)?);
        match self.log()?.append(RecordKind::Load, payload.clone()).await {
            // A load must not fail because rows of others fill the log.
            Err(error) if error.kind() == Kind::Busy && self.log()?.is_open() => {
                self.flush(buffer).await?;
                self.log()?.append(RecordKind::Load, payload).await
            }
            outcome => outcome,
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // What was numbered in its turn is not durable.
        let Some(mut writer) = self.writer.take() else { return };
        if writer.graph().is_ok_and(|graph| graph.is_as_stored()) {
            return;
        }
        // To make it durable is cheaper than to read everything again.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                if let Err(error) = writer.append_numbers().await {
                    tracing::warn!(%error, "the stored state is read again after a load that broke off");
                }
            })),
            Err(_) => writer.forget(),
        }
    }
}

fn without_turn() -> Error {
    Error::internal("a load goes on without its turn")
}

#[cfg(test)]
mod tests;
