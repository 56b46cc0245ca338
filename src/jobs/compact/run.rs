//! The files of one run as they are written.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::delta::{Encoder, FileLayout, WrittenFile};
use crate::store::paths;
use crate::workspace::Workspace;

/// What its files are called.
pub(super) enum RunName {
    /// A sorted run of a month.
    Sorted { month: String, run: Uuid },
    /// In the place of neighbours, the last of which has `id` in its name.
    Joined { id: String, run: Uuid },
}

impl RunName {
    fn file(&self, number: usize, hash: &str) -> String {
        match self {
            Self::Sorted { month, run } => paths::sorted_events_file(month, *run, number, hash),
            Self::Joined { id, run } => paths::joined_table_file(id, number, *run, hash),
        }
    }

    fn partition(&self) -> Option<String> {
        match self {
            Self::Sorted { month, .. } => Some(month.clone()),
            Self::Joined { .. } => None,
        }
    }
}

pub(super) struct Run<'a> {
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    layout: &'a FileLayout,
    name: RunName,
    file_size: usize,
    encoder: Option<Encoder>,
    written: Vec<WrittenFile>,
    /// Where it writes.
    begun: &'a mut Vec<Path>,
}

impl<'a> Run<'a> {
    /// A file of `file_size` bytes is full.
    pub(super) fn new(
        workspace: &Workspace,
        layout: &'a FileLayout,
        name: RunName,
        file_size: usize,
        begun: &'a mut Vec<Path>,
    ) -> Self {
        let (store, clock) = (workspace.store(), workspace.clock().clone());
        let file_size = file_size.min(layout.most_bytes);
        Self { store, clock, layout, name, file_size, encoder: None, written: Vec::new(), begun }
    }

    /// Takes the next rows.
    pub(super) async fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(self.layout)?,
        };
        let encoder = off_thread(move || {
            let mut encoder = encoder;
            encoder.push(&batch).map(|()| encoder)
        })
        .await?;
        let full = encoder.bytes() >= self.file_size;
        self.encoder = Some(encoder);
        if full { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<()> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        let encoded = off_thread(move || encoder.finish()).await?;
        let path = self.name.file(self.written.len(), encoded.hash());
        let file = encoded.to_file(path, self.name.partition(), self.clock.now());
        let location = self.layout.location(&file.file().path);
        self.begun.push(location.clone());
        encoded.write(self.store.as_ref(), &location).await?;
        self.written.push(file);
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<Vec<WrittenFile>> {
        self.close().await?;
        Ok(self.written)
    }
}

/// Encoding takes long enough to hold up others on the same thread.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(format!("encoding a file: {error}")))?
}
