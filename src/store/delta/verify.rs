//! Whether a data file is what the log says: there, whole, readable to its last page, with the counts and bounds noted.
//! The same for all tables.

use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::data_file::DataFile;
use super::encoder::content_hash;
use super::file_layout::FileLayout;
use super::statistics::FileStatistics;
use crate::error::Result;
use crate::store::{objects, paths};

/// What was found by reading all rows of a file.
pub struct Verified {
    /// What is wrong, in words; nothing when all is well.
    pub faults: Vec<String>,
    /// `None` where the rows cannot be read.
    found: Option<FileStatistics>,
}

impl Verified {
    /// Between which the values of a column lie: numbers, days of dates, microseconds of instants. `None` where the layout
    /// bounds it not.
    pub fn bounds_of(&self, column: &str) -> Option<(i64, i64)> {
        self.found.as_ref()?.bounds_of(column)
    }
}

/// Reads a live file.
///
/// # Errors
/// Only when the store does not answer.
pub async fn verify(store: &Arc<dyn ObjectStore>, layout: &FileLayout, file: &Arc<DataFile>) -> Result<Verified> {
    let Some(bytes) = objects::read(store, &layout.location(&file.path)).await? else {
        return Ok(Verified { faults: vec!["is missing".to_owned()], found: None });
    };
    let (whole, noted) = (bytes.clone(), Arc::clone(file));
    let mut faults = tokio::task::spawn_blocking(move || compare_bytes(&whole, &noted)).await.unwrap_or_default();
    let statistics = FileStatistics::new(Arc::clone(&layout.columns), layout.may_bound);
    let counted = tokio::task::spawn_blocking(move || count(bytes, statistics)).await;
    let found = match counted {
        Ok(Ok(found)) => {
            compare(&found, file, &mut faults);
            Some(found)
        }
        Ok(Err(error)) => {
            faults.push(format!("cannot be read as Parquet ({error})"));
            None
        }
        // A damaged file may make the decoder panic.
        Err(_) => {
            faults.push("makes the Parquet reader break off".to_owned());
            None
        }
    };
    Ok(Verified { faults, found })
}

fn compare_bytes(bytes: &[u8], file: &DataFile) -> Vec<String> {
    let mut faults = Vec::new();
    if bytes.len() as u64 != file.bytes {
        faults.push(format!("has {} bytes, the log says {}", bytes.len(), file.bytes));
    }
    if paths::hash_in_name(&file.path).is_some_and(|hash| hash != content_hash(bytes)) {
        faults.push("has another content than was written (its hash differs)".to_owned());
    }
    faults
}

/// What all rows say.
fn count(bytes: Bytes, mut statistics: FileStatistics) -> Result<FileStatistics> {
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        statistics.add_by_name(&batch?);
    }
    Ok(statistics)
}

fn compare(found: &FileStatistics, file: &DataFile, faults: &mut Vec<String>) {
    if found.rows() != file.rows {
        faults.push(format!("has {} rows, the log says {}", found.rows(), file.rows));
    }
    for (index, field) in found.columns().fields().iter().enumerate() {
        let name = field.name();
        let is_within = match (found.bounds()[index], file.bounds_of(index)) {
            (Some((low, high)), Some((least, most))) => least <= low && high <= most,
            (None, Some(_)) => found.rows() == 0,
            // Years that are not of four digits cannot stand in the log.
            (_, None) => true,
        };
        if !is_within {
            faults.push(format!("has values of {name} outside of the bounds in the log"));
        }
        if let (Some(found), Some(noted)) = (found.null_counts()[index], file.nulls_in(index))
            && found != noted
        {
            faults.push(format!("has {found} NULLs in {name}, the log says {noted}"));
        }
    }
}

#[cfg(test)]
mod tests;
