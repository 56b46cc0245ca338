//! Rows of one month into one Parquet file with the statistics that the log wants.

use std::sync::Arc;

use arrow::array::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use uuid::Uuid;

use super::encoding::{self, Order};
use super::schema;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::delta::{FileStatistics, WrittenFile};
use crate::store::{objects, paths};

/// Writes files of the events table, each in one piece. Cheap to clone.
#[derive(Clone)]
pub struct FileWriter {
    store: Arc<dyn ObjectStore>,
    clock: Clock,
}

impl FileWriter {
    /// `store` has the workspace's folder as `/`.
    pub fn new(store: Arc<dyn ObjectStore>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Encodes `batches` (of [`schema::stored`], all of one month) and writes the file durably.
    pub async fn write(&self, month: String, batches: Vec<RecordBatch>) -> Result<WrittenFile> {
        let encode = move || -> Result<Encoded> {
            let mut encoder = Encoder::new(Order::AsLoaded)?;
            batches.iter().try_for_each(|batch| encoder.push(batch))?;
            encoder.finish()
        };
        let encoded = tokio::task::spawn_blocking(encode)
            .await
            .map_err(|error| Error::internal(format!("encoding a Parquet file: {error}")))??;
        let path = paths::events_file(&month, self.clock.new_id(), &encoded.hash);
        self.store(month, path, encoded).await
    }

    /// Writes file `number` of a sorted run durably.
    pub async fn write_sorted(&self, month: &str, run: Uuid, number: usize, encoded: Encoded) -> Result<WrittenFile> {
        let path = paths::sorted_events_file(month, run, number, &encoded.hash);
        self.store(month.to_owned(), path, encoded).await
    }

    async fn store(&self, month: String, path: String, encoded: Encoded) -> Result<WrittenFile> {
        let size = encoded.bytes.len() as u64;
        let target: Path = paths::events_file_in_workspace(&path);
        objects::create_unique(self.store.as_ref(), &target, encoded.bytes).await?;
        Ok(WrittenFile::new(path, Some(month), size, &encoded.statistics, self.clock.now()))
    }
}

/// The first digits of the content's BLAKE3 hash, as they stand in a file's name.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..paths::HASH_DIGITS].to_owned()
}

/// A complete Parquet file in memory.
pub struct Encoded {
    bytes: Vec<u8>,
    statistics: FileStatistics,
    hash: String,
}

/// Encodes one file batch by batch.
pub struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    statistics: FileStatistics,
}

impl Encoder {
    pub fn new(order: Order) -> Result<Self> {
        let writer = ArrowWriter::try_new(Vec::new(), schema::stored(), Some(encoding::properties(order)))?;
        let may_bound = |column: &str| schema::MIN_MAX_COLUMNS.contains(&column);
        Ok(Self { writer, statistics: FileStatistics::new(schema::stored(), may_bound) })
    }

    /// Takes a batch of [`schema::stored`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch)?;
        self.statistics.add(batch);
        Ok(())
    }

    /// Bytes of the file so far, roughly.
    pub fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    pub fn finish(self) -> Result<Encoded> {
        let bytes = self.writer.into_inner()?;
        let hash = content_hash(&bytes);
        Ok(Encoded { bytes, statistics: self.statistics, hash })
    }
}
