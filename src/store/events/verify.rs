//! Whether a data file is what the log says: there, whole, readable to its last page, with the counts and bounds noted.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::schema;
use super::writer::content_hash;
use crate::error::Result;
use crate::store::delta::DataFile;
use crate::store::{objects, paths};

/// What is wrong with the file, in words; nothing when all is well. `nodes`: numbers below it have been given.
///
/// # Errors
/// Only when the store does not answer.
pub async fn faults_of(
    store: &Arc<dyn ObjectStore>,
    file: &Arc<DataFile>,
    nodes: Option<usize>,
) -> Result<Vec<String>> {
    let location = paths::events_file_in_workspace(&file.path);
    let Some(bytes) = objects::read(store, &location).await? else {
        return Ok(vec!["is missing".to_owned()]);
    };
    let file = Arc::clone(file);
    let verified = tokio::task::spawn_blocking(move || faults_in(&bytes, &file, nodes)).await;
    // A damaged file may make the decoder panic.
    Ok(verified.unwrap_or_else(|_| vec!["makes the Parquet reader break off".to_owned()]))
}

fn faults_in(bytes: &Bytes, file: &DataFile, nodes: Option<usize>) -> Vec<String> {
    let mut faults = Vec::new();
    if bytes.len() as u64 != file.bytes {
        faults.push(format!("has {} bytes, the log says {}", bytes.len(), file.bytes));
    }
    if paths::hash_in_name(&file.path).is_some_and(|hash| hash != content_hash(bytes)) {
        faults.push("has another content than was written (its hash differs)".to_owned());
    }
    match Counted::of(bytes) {
        Ok(counted) => counted.compare(file, nodes, &mut faults),
        Err(error) => faults.push(format!("cannot be read as Parquet ({error})")),
    }
    faults
}

/// What was found by reading all rows.
#[derive(Default)]
struct Counted {
    rows: u64,
    nulls: Vec<u64>,
    ts: Option<(i64, i64)>,
    node: Option<(i64, i64)>,
}

impl Counted {
    fn of(bytes: &Bytes) -> Result<Self> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?.build()?;
        let mut counted = Self { nulls: vec![0; schema::stored().fields().len()], ..Self::default() };
        for batch in reader {
            counted.add(&batch?);
        }
        Ok(counted)
    }

    fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (at, field) in schema::stored().fields().iter().enumerate() {
            let nulls = batch.column_by_name(field.name()).map_or(batch.num_rows(), |column| column.null_count());
            self.nulls[at] += nulls as u64;
        }
        widen(
            &mut self.ts,
            batch.column_by_name("ts").and_then(|ts| {
                let ts = ts.as_primitive_opt::<TimestampMicrosecondType>()?;
                min(ts).zip(max(ts))
            }),
        );
        widen(
            &mut self.node,
            batch.column_by_name("node").and_then(|node| {
                let node = node.as_primitive_opt::<Int64Type>()?;
                min(node).zip(max(node))
            }),
        );
    }

    fn compare(&self, file: &DataFile, nodes: Option<usize>, faults: &mut Vec<String>) {
        if self.rows != file.rows {
            faults.push(format!("has {} rows, the log says {}", self.rows, file.rows));
        }
        for (name, found, noted) in [("ts", self.ts, schema::ts_of(file)), ("node", self.node, schema::node_of(file))] {
            let inside = match (found, noted) {
                (Some((low, high)), Some((least, most))) => least <= low && high <= most,
                (found, None) => found.is_none() || name == "ts",
                (None, Some(_)) => self.rows == 0,
            };
            if !inside {
                faults.push(format!("has values of {name} outside of the bounds in the log"));
            }
        }
        for (field, (found, noted)) in schema::stored().fields().iter().zip(self.nulls.iter().zip(&file.null_counts)) {
            if noted.is_some_and(|noted| noted != *found) {
                faults.push(format!("has {found} NULLs in {}, the log says {}", field.name(), noted.unwrap_or(0)));
            }
        }
        if let (Some(nodes), Some((low, high))) = (nodes, self.node)
            && (low < 0 || usize::try_from(high).is_ok_and(|high| high >= nodes))
        {
            faults.push(format!("has node {high}, but the identity objects give only {nodes} nodes"));
        }
    }
}

fn widen(held: &mut Option<(i64, i64)>, found: Option<(i64, i64)>) {
    *held = match (*held, found) {
        (Some(held), Some(found)) => Some((held.0.min(found.0), held.1.max(found.1))),
        (held, found) => held.or(found),
    };
}
