//! Stored rows by month into files: bounded memory, encoding on all cores.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use tokio::task::{JoinHandle, JoinSet};

use super::schema;
use super::writer::FileWriter;
use crate::error::{Error, Result};
use crate::store::delta::WrittenFile;

/// Rows a file at most: about 20 MB of events.
const FILE_ROWS: usize = 524_288;

/// Rows by the month that they are of.
type Months = Vec<(String, RecordBatch)>;

/// Gathers rows by month and writes files in the background.
pub struct Partitioner {
    writer: FileWriter,
    months: LocalMonths,
    /// Bytes that may be held before the largest month is written.
    budget: usize,
    /// Batches on their way to `held`, in their order.
    splitting: VecDeque<JoinHandle<Result<Months>>>,
    held: BTreeMap<String, Held>,
    held_bytes: usize,
    writing: JoinSet<Result<WrittenFile>>,
    written: Vec<WrittenFile>,
    parallel: usize,
}

#[derive(Default)]
struct Held {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Partitioner {
    pub fn new(writer: FileWriter, time_zone: Tz, budget: usize) -> Self {
        Self {
            writer,
            months: LocalMonths::new(time_zone),
            budget,
            splitting: VecDeque::new(),
            held: BTreeMap::new(),
            held_bytes: 0,
            writing: JoinSet::new(),
            written: Vec::new(),
            parallel: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Takes stored rows in any order of time.
    pub async fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let rows = self.months.rows_by_month(&batch)?;
        self.splitting.push_back(tokio::task::spawn_blocking(move || split(&batch, rows)));
        if self.splitting.len() > self.parallel { self.hold_next().await } else { Ok(()) }
    }

    /// Holds the batch that came first of those that are on their way.
    async fn hold_next(&mut self) -> Result<()> {
        let Some(splitting) = self.splitting.pop_front() else { return Ok(()) };
        let months =
            splitting.await.map_err(|error| Error::internal(format!("splitting rows by month: {error}")))??;
        for (month, rows) in months {
            let held = self.held.entry(month.clone()).or_default();
            let bytes = batch_bytes(&rows);
            held.rows += rows.num_rows();
            held.bytes += bytes;
            self.held_bytes += bytes;
            held.batches.push(rows);
            if held.rows >= FILE_ROWS {
                self.write(&month).await?;
            }
        }
        while self.held_bytes > self.budget {
            let largest = self.held.iter().max_by_key(|(_, held)| held.bytes).map(|(month, _)| month.clone());
            let Some(month) = largest else { break };
            self.write(&month).await?;
        }
        Ok(())
    }

    /// Writes what is left and returns all files, durable, in no particular order.
    pub async fn finish(&mut self) -> Result<Vec<WrittenFile>> {
        while !self.splitting.is_empty() {
            self.hold_next().await?;
        }
        while let Some(month) = self.held.keys().next().cloned() {
            self.write(&month).await?;
        }
        while let Some(done) = self.writing.join_next().await {
            self.written.push(joined(done)?);
        }
        Ok(std::mem::take(&mut self.written))
    }

    /// Waits for the files that are being written, however that ends, and writes no other: for one who gives up.
    pub async fn give_up(&mut self) {
        self.held.clear();
        while self.writing.join_next().await.is_some() {}
    }

    /// Hands a month's rows to a writing task; waits while all cores are busy with others.
    async fn write(&mut self, month: &str) -> Result<()> {
        let Some(held) = self.held.remove(month) else { return Ok(()) };
        self.held_bytes -= held.bytes;
        while self.writing.len() >= self.parallel {
            if let Some(done) = self.writing.join_next().await {
                self.written.push(joined(done)?);
            }
        }
        let (writer, month) = (self.writer.clone(), month.to_owned());
        self.writing.spawn(async move { writer.write(month, held.batches).await });
        Ok(())
    }
}

/// Bytes that the rows take. Columns that were read from one message share it: each would count all of it as its own.
pub fn batch_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &ArrayRef| match column.to_data().get_slice_memory_size() {
        Ok(bytes) => bytes,
        Err(_) => column.get_array_memory_size(),
    };
    batch.columns().iter().map(bytes).sum()
}

fn joined(done: Result<Result<WrittenFile>, tokio::task::JoinError>) -> Result<WrittenFile> {
    done.map_err(|error| Error::internal(format!("writing a Parquet file: {error}")))?
}

/// Each month's rows; one month costs no copy.
fn split(batch: &RecordBatch, by_month: BTreeMap<String, Vec<u32>>) -> Result<Months> {
    let is_one = by_month.len() == 1;
    let rows_of = |(month, rows)| match is_one {
        true => Ok((month, batch.clone())),
        false => Ok((month, take_record_batch(batch, &UInt32Array::from(rows))?)),
    };
    by_month.into_iter().map(rows_of).collect()
}

/// Months of a time zone as ranges of UTC microseconds, so that a row costs two comparisons.
pub struct LocalMonths {
    time_zone: Tz,
    /// The month of the row before: rows mostly come in runs.
    last: Option<Month>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Month {
    name: String,
    /// First microsecond, and the first one after.
    start: i64,
    end: i64,
}

impl LocalMonths {
    pub fn new(time_zone: Tz) -> Self {
        Self { time_zone, last: None }
    }

    /// The rows of `batch` by month.
    fn rows_by_month(&mut self, batch: &RecordBatch) -> Result<BTreeMap<String, Vec<u32>>> {
        let column = batch.column_by_name("ts").and_then(|ts| ts.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(instants) = column else {
            return Err(Error::internal("stored rows have no ts column"));
        };
        let mut by_month: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut current: Vec<u32> = Vec::new();
        for (row, ts) in instants.values().iter().enumerate() {
            if !self.last.as_ref().is_some_and(|month| (month.start..month.end).contains(ts)) {
                if let Some(month) = &self.last {
                    by_month.entry(month.name.clone()).or_default().append(&mut current);
                }
                self.last = Some(self.month_of(*ts)?);
            }
            current.push(row as u32);
        }
        if let Some(month) = &self.last {
            by_month.entry(month.name.clone()).or_default().append(&mut current);
        }
        by_month.retain(|_, rows| !rows.is_empty());
        Ok(by_month)
    }

    /// The rows with the month of each behind the stored columns.
    pub fn with_months(&mut self, rows: &RecordBatch) -> Result<RecordBatch> {
        let mut months = vec![""; rows.num_rows()];
        let by_month = self.rows_by_month(rows)?;
        for (month, of_month) in &by_month {
            of_month.iter().for_each(|row| months[*row as usize] = month);
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(StringArray::from(months)));
        Ok(RecordBatch::try_new(schema::with_month(), columns)?)
    }

    fn month_of(&self, ts: i64) -> Result<Month> {
        let instant = DateTime::from_timestamp_micros(ts)
            .ok_or_else(|| Error::invalid(format!("ts {ts} microseconds is out of the calendar")))?;
        let local = instant.with_timezone(&self.time_zone);
        let (year, month) = (local.year(), local.month());
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        Ok(Month {
            name: format!("{year:04}-{month:02}"),
            start: self.first_instant(year, month)?,
            end: self.first_instant(next_year, next_month)?,
        })
    }

    /// First microsecond of a local month; zones that skip midnight on that day begin an hour later.
    fn first_instant(&self, year: i32, month: u32) -> Result<i64> {
        let midnight = NaiveDate::from_ymd_opt(year, month, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        let starts = midnight.and_then(|midnight| {
            (0..4).find_map(|hours| {
                let local = midnight + chrono::Duration::hours(hours);
                self.time_zone.from_local_datetime(&local).earliest()
            })
        });
        starts
            .map(|start| start.timestamp_micros())
            .ok_or_else(|| Error::invalid(format!("month {year}-{month} is out of the calendar")))
    }
}

#[cfg(test)]
mod tests;
