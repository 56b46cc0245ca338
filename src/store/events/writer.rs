//! Rows of one month into one Parquet file with the statistics that the log wants.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, SecondsFormat, Utc};
use deltalake_core::kernel::Add;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::encoding::{self, Order};
use super::schema;
use crate::error::{Error, Result};
use crate::store::{objects, paths};

/// A file that is durable but not yet part of the table.
#[derive(Debug, Clone)]
pub struct WrittenFile {
    path: String,
    month: String,
    bytes: u64,
    pub rows: u64,
    statistics: Value,
}

impl WrittenFile {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// `data_change`: the rows are new, not moved from other files.
    pub(super) fn into_add(self, data_change: bool) -> Add {
        Add {
            path: self.path,
            partition_values: HashMap::from([(schema::MONTH.to_owned(), Some(self.month))]),
            size: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            modification_time: Utc::now().timestamp_millis(),
            data_change,
            stats: Some(self.statistics.to_string()),
            ..Add::default()
        }
    }
}

/// Writes files of the events table, each in one piece. Cheap to clone.
#[derive(Clone)]
pub struct FileWriter {
    store: Arc<dyn ObjectStore>,
}

impl FileWriter {
    /// `store` has the workspace's folder as `/`.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
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
        let path = paths::events_file(&month, Uuid::now_v7(), &encoded.hash);
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
        Ok(WrittenFile { path, month, bytes: size, rows: encoded.rows, statistics: encoded.statistics })
    }
}

/// The first digits of the content's BLAKE3 hash, as they stand in a file's name.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..paths::HASH_DIGITS].to_owned()
}

/// A complete Parquet file in memory.
pub struct Encoded {
    bytes: Vec<u8>,
    statistics: Value,
    rows: u64,
    hash: String,
}

/// Encodes one file batch by batch.
pub struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    statistics: Statistics,
}

impl Encoder {
    pub fn new(order: Order) -> Result<Self> {
        let writer = ArrowWriter::try_new(Vec::new(), schema::stored(), Some(encoding::properties(order)))?;
        Ok(Self { writer, statistics: Statistics::default() })
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
        Ok(Encoded { bytes, rows: self.statistics.rows, statistics: self.statistics.to_json(), hash })
    }
}

/// Row count, null counts of the plain columns, and bounds of the columns that may have them.
#[derive(Default)]
struct Statistics {
    rows: u64,
    null_counts: HashMap<String, u64>,
    bounds: HashMap<&'static str, (i64, i64)>,
}

impl Statistics {
    fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if !field.data_type().is_nested() {
                *self.null_counts.entry(field.name().clone()).or_default() += column.null_count() as u64;
            }
        }
        for name in schema::MIN_MAX_COLUMNS {
            let Some((low, high)) = batch.column_by_name(name).and_then(|column| bounds(column)) else { continue };
            let held = self.bounds.entry(name).or_insert((low, high));
            *held = (held.0.min(low), held.1.max(high));
        }
    }

    /// The `stats` text of an add action.
    fn to_json(&self) -> Value {
        let bound = |high: bool| -> Map<String, Value> {
            self.bounds
                .iter()
                .map(|(name, (low, top))| ((*name).to_owned(), bound_text(name, if high { *top } else { *low }, high)))
                .collect()
        };
        json!({
            "numRecords": self.rows,
            "minValues": bound(false),
            "maxValues": bound(true),
            "nullCount": self.null_counts,
        })
    }
}

fn bounds(column: &dyn Array) -> Option<(i64, i64)> {
    if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
        return Some((min(integers)?, max(integers)?));
    }
    let instants = column.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some((min(instants)?, max(instants)?))
}

/// Numbers as they are; instants as milliseconds, minima cut down and maxima rounded up so that they stay bounds.
fn bound_text(column: &str, value: i64, high: bool) -> Value {
    if column == "node" {
        return json!(value);
    }
    let millis =
        if high { value.div_euclid(1_000) + i64::from(value.rem_euclid(1_000) != 0) } else { value.div_euclid(1_000) };
    match DateTime::from_timestamp_millis(millis) {
        Some(instant) => json!(instant.to_rfc3339_opts(SecondsFormat::Millis, true)),
        None => Value::Null,
    }
}
