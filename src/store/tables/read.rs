//! The rows of one file of a user table, in their order.

use std::sync::Arc;

use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use uuid::Uuid;

use crate::error::{Error, RUN_CHECK, Result};
use crate::store::delta::DataFile;
use crate::store::{objects, paths};

/// The rows of a file in table `folder`; `store` has the workspace's folder as `/`.
pub async fn rows_of(store: &Arc<dyn ObjectStore>, folder: Uuid, file: &DataFile) -> Result<ParquetRecordBatchReader> {
    let path = paths::table_file_in_workspace(folder, &file.path);
    // A file is small enough to be held whole: that is how it was written.
    let bytes = objects::read(store, &path).await?.ok_or_else(|| {
        Error::corrupt(format!("file '{}' of a user table is missing", file.path)).with_help(RUN_CHECK)
    })?;
    Ok(ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()?)
}

/// To be called with the rows that were read.
///
/// # Errors
/// `Corrupt` when they are not as many as the log says.
pub fn check_row_count(file: &DataFile, found: u64) -> Result<()> {
    if found == file.rows {
        return Ok(());
    }
    Err(Error::corrupt(format!("file '{}' of a user table has {found} rows, its log says {}", file.path, file.rows))
        .with_help(RUN_CHECK))
}
