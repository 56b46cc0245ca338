//! Finds the rows of given orders in data files without reading more of them than it must: row groups are passed over by
//! the bounds of their order numbers and nodes, and of the others the columns that tell an order are read first.
//!
//! Must not know what an order is: it is given numbers, nodes and names of events.

use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, RowFilter};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;

use super::file_bytes::FileBytes;
use super::schema;
use crate::error::{Error, RUN_CHECK, Result};
use crate::store::delta::DataFile;
use crate::store::paths;

/// Bytes read from a file's end at once: mostly the whole footer.
const FOOTER_HINT: usize = 64 << 10;
/// Files read at once.
const PARALLEL: usize = 8;

/// Orders, by what their events have in common.
#[derive(Debug, Clone, Default)]
pub struct WantedOrders {
    /// Order numbers.
    pub numbers: BTreeSet<String>,
    /// Nodes of which rows without a number are wanted.
    pub nodes: BTreeSet<i64>,
    /// Between which times these rows lie; both ends belong to it.
    pub nodes_between: (i64, i64),
    /// Names of the events; others are of no order.
    pub events: HashSet<String>,
    /// Columns to read.
    pub columns: &'static [&'static str],
}

/// How much may be looked at.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// Files whose footers are read.
    pub files: usize,
    /// Rows of row groups that may hold a wanted one.
    pub rows: u64,
    /// Rows that are found.
    pub found: usize,
}

/// What was found.
pub enum FoundRows {
    All(Vec<RecordBatch>),
    /// It would take more reading than allowed: nothing is said.
    TooMany,
}

/// The rows of the wanted orders in `files`. `store` has the workspace's folder as `/`.
///
/// # Errors
/// `Corrupt` for a file that cannot be read.
pub async fn rows_of_orders(
    store: &Arc<dyn ObjectStore>,
    files: &[Arc<DataFile>],
    wanted: Arc<WantedOrders>,
    limit: ReadLimit,
) -> Result<FoundRows> {
    let files: Vec<Arc<DataFile>> = files.iter().filter(|file| wanted.may_be_in(file)).cloned().collect();
    if files.len() > limit.files {
        return Ok(FoundRows::TooMany);
    }
    let open = |file| OpenFile::open(Arc::clone(store), file, Arc::clone(&wanted));
    let opens: Vec<_> = files.into_iter().map(open).collect();
    let opened: Vec<OpenFile> = stream::iter(opens).buffer_unordered(PARALLEL).try_collect().await?;
    if opened.iter().map(|file| file.rows).sum::<u64>() > limit.rows {
        return Ok(FoundRows::TooMany);
    }
    let worth_reading = opened.into_iter().filter(|file| file.rows > 0);
    let reads: Vec<_> = worth_reading.map(|file| file.read(Arc::clone(&wanted))).collect();
    let mut reads = stream::iter(reads).buffer_unordered(PARALLEL);
    let (mut found, mut rows) = (Vec::new(), 0);
    while let Some(batches) = reads.try_next().await? {
        rows += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        if rows > limit.found {
            return Ok(FoundRows::TooMany);
        }
        found.extend(batches);
    }
    Ok(FoundRows::All(found))
}

/// A data file, and which of its row groups may hold a wanted row.
struct OpenFile {
    store: Arc<dyn ObjectStore>,
    file: Arc<DataFile>,
    metadata: ArrowReaderMetadata,
    row_groups: Vec<usize>,
    /// Of these row groups.
    rows: u64,
}

impl OpenFile {
    async fn open(store: Arc<dyn ObjectStore>, file: Arc<DataFile>, wanted: Arc<WantedOrders>) -> Result<Self> {
        let metadata = ArrowReaderMetadata::load_async(&mut reader(&store, &file), ArrowReaderOptions::new()).await;
        let metadata = metadata.map_err(|error| damaged(&file, &error))?;
        let places = Places::of(metadata.parquet_schema());
        let groups = metadata.metadata().row_groups().iter().enumerate();
        let groups: Vec<_> = groups.filter(|(_, group)| wanted.may_be_in_group(group, &places)).collect();
        let rows = groups.iter().map(|(_, group)| group.num_rows().unsigned_abs()).sum();
        let row_groups = groups.into_iter().map(|(at, _)| at).collect();
        Ok(Self { store, file, metadata, row_groups, rows })
    }

    async fn read(self, wanted: Arc<WantedOrders>) -> Result<Vec<RecordBatch>> {
        let schema = self.metadata.parquet_schema();
        let keys = ProjectionMask::columns(schema, ["order_id", "node"]);
        let events = ProjectionMask::columns(schema, ["event"]);
        let columns = ProjectionMask::columns(schema, wanted.columns.iter().copied());
        let (of_keys, of_events) = (Arc::clone(&wanted), wanted);
        let filter = RowFilter::new(vec![
            Box::new(ArrowPredicateFn::new(keys, move |rows| of_keys.are_of_orders(&rows))),
            Box::new(ArrowPredicateFn::new(events, move |rows| of_events.are_events(&rows))),
        ]);
        let builder =
            ParquetRecordBatchStreamBuilder::new_with_metadata(reader(&self.store, &self.file), self.metadata.clone());
        let rows = builder.with_row_groups(self.row_groups).with_row_filter(filter).with_projection(columns).build();
        let read = async { rows?.try_collect().await };
        read.await.map_err(|error| damaged(&self.file, &error))
    }
}

pub(super) fn reader(store: &Arc<dyn ObjectStore>, file: &DataFile) -> FileBytes {
    let location = paths::events_file_in_workspace(&file.path);
    FileBytes { store: Arc::clone(store), location, size: file.bytes, footer_hint: FOOTER_HINT }
}

pub(super) fn damaged(file: &DataFile, error: &ParquetError) -> Error {
    let path = paths::events_file_in_workspace(&file.path);
    Error::corrupt(format!("object '{path}' {error}")).with_help(RUN_CHECK)
}

/// Where the columns that tell an order are in a file.
struct Places {
    number: Option<usize>,
    node: Option<usize>,
}

impl Places {
    fn of(schema: &SchemaDescriptor) -> Self {
        let place = |name: &str| schema.columns().iter().position(|column| column.path().string() == name);
        Self { number: place("order_id"), node: place("node") }
    }
}

impl WantedOrders {
    /// By what the log says of the file, which has no bounds of order numbers.
    fn may_be_in(&self, file: &DataFile) -> bool {
        let meets = |bounds: Option<(i64, i64)>, low: i64, high: i64| {
            bounds.is_none_or(|(least, most)| least <= high && low <= most)
        };
        let (from, to) = self.nodes_between;
        let has_node = || {
            let (Some(low), Some(high)) = (self.nodes.first(), self.nodes.last()) else { return false };
            meets(schema::ts_of(file), from, to) && meets(schema::node_of(file), *low, *high)
        };
        !self.numbers.is_empty() || has_node()
    }

    fn may_be_in_group(&self, group: &RowGroupMetaData, places: &Places) -> bool {
        let statistics = |place: Option<usize>| place.and_then(|place| group.column(place).statistics());
        let only_nulls = |statistics: &Statistics| statistics.null_count_opt() == Some(group.num_rows().unsigned_abs());
        let has_number = !self.numbers.is_empty()
            && statistics(places.number).is_none_or(|statistics| {
                let bounds = statistics.min_bytes_opt().zip(statistics.max_bytes_opt());
                !only_nulls(statistics) && bounds.is_none_or(|(low, high)| self.has_number_between(low, high))
            });
        let has_node = !self.nodes.is_empty()
            && statistics(places.node).is_none_or(|statistics| {
                let Statistics::Int64(numbers) = statistics else { return true };
                let bounds = numbers.min_opt().zip(numbers.max_opt());
                !only_nulls(statistics)
                    && bounds.is_none_or(|(low, high)| low > high || self.nodes.range(low..=high).next().is_some())
            });
        has_number || has_node
    }

    /// Bounds may be cut, and then be no text.
    fn has_number_between(&self, low: &[u8], high: &[u8]) -> bool {
        let Ok(from) = std::str::from_utf8(low) else { return true };
        let first = self.numbers.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next();
        first.is_some_and(|number| number.as_bytes() <= high)
    }

    /// The wanted ones of rows that are in memory.
    ///
    /// # Errors
    /// `Internal` for rows without the columns of events.
    pub fn among(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let of_orders = filter_record_batch(rows, &self.are_of_orders(rows)?)?;
        let events = filter_record_batch(&of_orders, &self.are_events(&of_orders)?)?;
        let columns =
            self.columns.iter().map(|name| events.schema_ref().index_of(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(events.project(&columns)?)
    }

    fn are_of_orders(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let numbers = rows.column_by_name("order_id").and_then(|column| column.as_string_opt::<i32>());
        let nodes = rows.column_by_name("node").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(numbers), Some(nodes)) = (numbers, nodes) else { return Err(other_columns()) };
        let wanted = (0..rows.num_rows()).map(|row| match (numbers.is_valid(row), nodes.is_valid(row)) {
            (true, _) => self.numbers.contains(numbers.value(row)),
            (false, true) => self.nodes.contains(&nodes.value(row)),
            (false, false) => false,
        });
        Ok(wanted.map(Some).collect())
    }

    fn are_events(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let events = rows.column_by_name("event").and_then(|column| column.as_string_opt::<i32>());
        let events = events.ok_or_else(other_columns)?;
        Ok(events.iter().map(|event| Some(event.is_some_and(|event| self.events.contains(event)))).collect())
    }
}

fn other_columns() -> ArrowError {
    ArrowError::SchemaError("it has other columns than an events file".to_owned())
}

#[cfg(test)]
mod tests;
