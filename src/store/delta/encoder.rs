//! Rows of any table into one Parquet file with the statistics that the log wants. Nothing counts until it is committed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;

use super::data_file::WrittenFile;
use super::file_layout::FileLayout;
use super::statistics::FileStatistics;
use crate::error::Result;
use crate::store::{objects, paths};

/// The first digits of the content's BLAKE3 hash, as they stand in a file's name.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..paths::HASH_DIGITS].to_owned()
}

/// Encodes one file batch by batch.
pub struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    statistics: FileStatistics,
}

impl Encoder {
    pub fn new(layout: &FileLayout) -> Result<Self> {
        let columns = || Arc::clone(&layout.columns);
        let writer = ArrowWriter::try_new(Vec::new(), columns(), Some(layout.properties.clone()))?;
        Ok(Self { writer, statistics: FileStatistics::new(columns(), layout.may_bound) })
    }

    /// Takes a batch of the layout's columns.
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

/// A complete Parquet file in memory.
pub struct Encoded {
    bytes: Vec<u8>,
    statistics: FileStatistics,
    hash: String,
}

impl Encoded {
    /// For the file's name.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What the log will say of it under this path below the table.
    pub fn to_file(&self, path: String, partition: Option<String>, written_at: DateTime<Utc>) -> WrittenFile {
        WrittenFile::new(path, partition, self.bytes.len() as u64, &self.statistics, written_at)
    }

    /// Writes it durably under a name that nobody else can choose.
    pub async fn write(self, store: &dyn ObjectStore, location: &Path) -> Result<()> {
        objects::create_unique(store, location, self.bytes).await
    }
}
