//! Rows in and out of Parquet objects of a bounded size, each with its hash.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::store::objects;

/// Rows made at once: the dictionary is locked for so long.
const BATCH_ROWS: usize = 1 << 16;

/// One object of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Below the workspace.
    path: String,
    bytes: u64,
    rows: u64,
    /// BLAKE3 of the bytes, in hexadecimal.
    hash: String,
}

/// Where rows are written, and how.
pub(super) struct PartWriter<'a> {
    pub(super) store: &'a dyn ObjectStore,
    /// Rows of one object at most.
    pub(super) part_rows: usize,
    /// Counts the rows that were written.
    pub(super) written: &'a Arc<AtomicU64>,
}

impl PartWriter<'_> {
    /// Writes `total` rows, at least one object; `rows` makes those of a range.
    pub(super) async fn write(
        &self,
        schema: SchemaRef,
        properties: WriterProperties,
        total: usize,
        path: impl Fn(usize) -> Path + Send,
        rows: impl Fn(Range<usize>) -> Result<RecordBatch> + Send + Sync + 'static,
    ) -> Result<Vec<Part>> {
        let rows = Arc::new(rows);
        let mut parts = Vec::new();
        for (number, start) in (0..total.max(1)).step_by(self.part_rows).enumerate() {
            let range = start..total.min(start + self.part_rows);
            let count = range.len() as u64;
            let (schema, properties) = (Arc::clone(&schema), properties.clone());
            let (rows, written) = (Arc::clone(&rows), Arc::clone(self.written));
            let encoding = tokio::task::spawn_blocking(move || {
                encode(schema, properties, range, |batch| {
                    written.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    rows(batch)
                })
            });
            let bytes =
                encoding.await.map_err(|error| Error::internal(format!("encoding a checkpoint: {error}")))??;
            let path = path(number);
            parts.push(Part {
                path: path.to_string(),
                bytes: bytes.len() as u64,
                rows: count,
                hash: blake3::hash(&bytes).to_hex().to_string(),
            });
            objects::create(self.store, &path, bytes).await?;
        }
        Ok(parts)
    }
}

fn encode(
    schema: SchemaRef,
    properties: WriterProperties,
    range: Range<usize>,
    rows: impl Fn(Range<usize>) -> Result<RecordBatch>,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties))?;
    for start in range.clone().step_by(BATCH_ROWS) {
        writer.write(&rows(start..range.end.min(start + BATCH_ROWS))?)?;
    }
    writer.close()?;
    Ok(bytes)
}

impl Part {
    /// Gives all rows to `take`, in order.
    ///
    /// # Errors
    /// `Corrupt` when the object is missing or is not what was written.
    pub(super) async fn read(
        &self,
        store: &Arc<dyn ObjectStore>,
        mut take: impl FnMut(&RecordBatch) -> Result<()> + Send,
    ) -> Result<()> {
        let damaged = |why: &str| Error::corrupt(format!("object '{}' {why}", self.path));
        let bytes: Bytes =
            objects::read(store, &self.path.as_str().into()).await?.ok_or_else(|| damaged("is missing"))?;
        if bytes.len() as u64 != self.bytes || blake3::hash(&bytes).to_hex().as_str() != self.hash {
            return Err(damaged("is damaged"));
        }
        let mut rows = 0;
        for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(BATCH_ROWS).build()? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            take(&batch)?;
        }
        if rows == self.rows { Ok(()) } else { Err(damaged("has rows missing")) }
    }
}
