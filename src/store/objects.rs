//! Whole objects in and out: small JSON documents, and Parquet objects of a few record batches.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Larger objects go in parts, so that a broken connection costs one part.
const LARGE: usize = 16 << 20;
const PART: usize = 8 << 20;
/// Parts under way at once.
const PARTS_IN_FLIGHT: usize = 4;

/// Writes a new object. A store in a cloud may apply a write and lose the answer: `cloud` reads the object back then,
/// so that success means that these bytes lie there.
///
/// # Errors
/// `Conflict` when the path is taken by other bytes.
pub async fn create(store: &dyn ObjectStore, path: &Path, bytes: impl Into<Bytes>) -> Result<()> {
    let payload = bytes.into().into();
    store.put_opts(path, payload, PutOptions::from(PutMode::Create)).await?;
    Ok(())
}

/// Writes a new object under a name that nobody else can choose, such as one with a fresh UUID. Large ones go in parts,
/// which object stores do not offer as create-only.
pub async fn create_unique(store: &dyn ObjectStore, path: &Path, bytes: impl Into<Bytes>) -> Result<()> {
    let bytes = bytes.into();
    if bytes.len() <= LARGE {
        return create(store, path, bytes).await;
    }
    let mut upload = store.put_multipart_opts(path, PutMultipartOptions::default()).await?;
    let parts = (0..bytes.len()).step_by(PART).map(|start| bytes.slice(start..bytes.len().min(start + PART)));
    // Parts are numbered in the order of these calls, whenever each arrives.
    let sending: Vec<_> = parts.map(|part| upload.put_part(part.into())).collect();
    let sent = futures::stream::iter(sending).buffer_unordered(PARTS_IN_FLIGHT).try_collect::<()>().await;
    let outcome = match sent {
        Ok(()) => upload.complete().await,
        Err(error) => Err(error),
    };
    let Err(failure) = outcome else { return Ok(()) };
    // The last request may have been applied without its answer reaching us, and the name is ours alone.
    if store.head(path).await.is_ok_and(|found| found.size == bytes.len() as u64) {
        return Ok(());
    }
    // Parts left behind cost space, no more; the failure is what the caller must know.
    upload.abort().await.ok();
    Err(failure.into())
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

/// Puts a document in place of the one that is there. Only under the writer's lock: nobody else may write it then.
pub async fn replace_json(store: &dyn ObjectStore, path: &Path, document: &impl Serialize) -> Result<()> {
    let bytes = Bytes::from(serde_json::to_vec_pretty(document)?);
    store.put_opts(path, bytes.into(), PutOptions::from(PutMode::Overwrite)).await?;
    Ok(())
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
