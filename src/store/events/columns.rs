//! Some columns of all rows of a data file, without the others. Must not know what they are read for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;

use super::order_rows::{damaged, reader};
use crate::error::Result;
use crate::store::delta::DataFile;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

/// These columns of the file, some rows at a time. `store` has the workspace's folder as `/`.
///
/// # Errors
/// `Corrupt` for a file that cannot be read.
pub async fn columns_of(
    store: &Arc<dyn ObjectStore>,
    file: Arc<DataFile>,
    columns: &'static [&'static str],
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let builder = ParquetRecordBatchStreamBuilder::new(reader(store, &file)).await;
    let builder = builder.map_err(|error| damaged(&file, &error))?.with_batch_size(BATCH_ROWS);
    let projection = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let rows = builder.with_projection(projection).build().map_err(|error| damaged(&file, &error))?;
    Ok(rows.map_err(move |error| damaged(&file, &error)).boxed())
}
