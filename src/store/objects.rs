//! Whole objects in and out: small JSON documents, and Parquet objects of a few record batches.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Writes a new object.
///
/// # Errors
/// `Conflict` when the path is taken.
pub async fn create(store: &dyn ObjectStore, path: &Path, bytes: impl Into<Bytes>) -> Result<()> {
    let payload = bytes.into().into();
    store.put_opts(path, payload, PutOptions::from(PutMode::Create)).await?;
    Ok(())
}

/// The whole object, or `None` when there is none.
pub async fn read(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Option<Bytes>> {
    match store.get(path).await {
        Ok(found) => Ok(Some(found.bytes().await?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub async fn create_json(store: &dyn ObjectStore, path: &Path, document: &impl Serialize) -> Result<()> {
    create(store, path, serde_json::to_vec_pretty(document)?).await
}

pub async fn read_json<T: DeserializeOwned>(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Option<T>> {
    match read(store, path).await? {
        None => Ok(None),
        Some(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Error::corrupt(format!("object '{path}' is not the JSON it should be: {error}"))),
    }
}

/// How every Parquet file of ours is written: zstd level 1, which costs a third of the time of level 3 here.
pub fn writer_properties() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()))
}

/// Parquet bytes of `batches`, all of `schema`.
pub fn encode_parquet(schema: SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(writer_properties().build()))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(bytes)
}

/// All batches of Parquet bytes; for objects that are small by construction.
pub fn decode_parquet(bytes: Bytes) -> Result<Vec<RecordBatch>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()?;
    reader.map(|batch| batch.map_err(Error::from)).collect()
}
