//! One Parquet file: opened, read in batches of bounded bytes, each turned into an input batch.

use std::collections::HashSet;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;

use super::super::coerce::{TimeParser, trimmed};
use super::super::field::{EventField, EventKind, FIELD_COUNT, Treatment};
use super::super::layout::Layout;
use super::super::look_alike::Notes;
use super::super::options::ReadOptions;
use super::super::reader::{BATCH_BYTES, BATCH_ROWS};
use super::super::source::open;
use super::super::unread_revenue::is_absent;
use super::float_ids::id_array;
use super::nested::{IdentifierColumns, category_array, identifier_array};
use super::nulls::without_null_types;
use super::rejects::Rejects;
use super::rendered::{joined_properties, objects, property_batch};
use super::typed::{AMOUNTS, QUANTITIES, decimal_array, event_array, kind_array, text_array, time_array, with_default};
use crate::error::{Error, Result};
use crate::ingest::input::schema;

/// An open Parquet file.
pub struct ParquetBatches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    plan: Plan,
    size_bytes: u64,
    rows_total: u64,
    rows_read: u64,
    progress: Arc<AtomicU64>,
}

/// How a batch of the file becomes an input batch.
struct Plan {
    names: Vec<String>,
    layout: Layout,
    times: TimeParser,
    /// The column of times is INT96: by its writers' custom in UTC, though the type says no zone.
    ts_is_utc: bool,
    kind: EventKind,
    event: Option<String>,
    source: Option<String>,
    notes: Notes,
}

impl ParquetBatches {
    pub fn open(path: &Path, options: &ReadOptions, progress: Arc<AtomicU64>, notes: &Notes) -> Result<Self> {
        let file = open(path)?;
        let size_bytes = file.metadata().map_err(|error| Error::from(error).context(path.display()))?.len();
        // Plain Parquet types only: no dictionaries or views that the writing program happened to hold.
        let reading = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = guarded(path, || ParquetRecordBatchReaderBuilder::try_new_with_options(file, reading))?;
        let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut seen = HashSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::invalid(format!("{}: has two columns named '{name}': rename one", path.display())));
        }
        let layout = Layout::resolve(options, &names, path, notes)?;
        let ts_is_utc = layout.field(EventField::Ts).iter().any(|column| is_int96(&builder, &names[*column]));
        let times = TimeParser::new(options.time_zone, options.ts_format.as_deref())?;
        let plan = Plan {
            names,
            layout,
            times,
            ts_is_utc,
            kind: options.kind.unwrap_or_default(),
            event: options.event.clone(),
            source: options.source.clone(),
            notes: notes.clone(),
        };
        let rows_total = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let batch_rows = batch_rows(&builder);
        let reader = guarded(path, || builder.with_batch_size(batch_rows).build())?;
        Ok(Self { path: path.to_owned(), reader, plan, size_bytes, rows_total, rows_read: 0, progress })
    }

    /// The next batch; `None` after the last row.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = guarded(&self.path, || self.reader.next().transpose())? else {
            self.progress.store(self.size_bytes, Ordering::Relaxed);
            return Ok(None);
        };
        let first_row = self.rows_read + 1;
        self.rows_read += batch.num_rows() as u64;
        let share = self.rows_read as f64 / self.rows_total.max(1) as f64;
        self.progress.store((self.size_bytes as f64 * share.min(1.0)) as u64, Ordering::Relaxed);
        self.plan.convert(&batch, first_row as i64).map_err(|error| error.context(self.path.display())).map(Some)
    }
}

/// Runs the decoder, which panics on some damaged files: to the caller that is one more way of being damaged.
///
/// What `decode` holds is not used after a panic: opening fails, or the batches end.
fn guarded<T, E: std::fmt::Display>(path: &Path, decode: impl FnOnce() -> Result<T, E>) -> Result<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(decode)) {
        Ok(outcome) => outcome.map_err(|error| damaged(path, &error)),
        Err(_) => Err(damaged(path, &"its bytes make no sense to the decoder")),
    }
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("{}: is not a readable Parquet file: {error}", path.display()))
}

/// Rows of a batch so that it stays near [`BATCH_BYTES`], by the row group with the longest rows.
fn batch_rows(builder: &ParquetRecordBatchReaderBuilder<File>) -> usize {
    let row_bytes = builder.metadata().row_groups().iter().map(|group| {
        u64::try_from(group.total_byte_size()).unwrap_or_default() / u64::try_from(group.num_rows().max(1)).unwrap_or(1)
    });
    let rows = BATCH_BYTES / row_bytes.max().unwrap_or_default().max(1);
    usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
}

fn is_int96(builder: &ParquetRecordBatchReaderBuilder<File>, name: &str) -> bool {
    let columns = builder.parquet_schema().columns();
    columns.iter().any(|column| column.path().string() == name && column.physical_type() == Type::INT96)
}

impl Plan {
    fn convert(&self, batch: &RecordBatch, first_row: i64) -> Result<RecordBatch> {
        let batch = &without_null_types(batch)?;
        let rows = batch.num_rows();
        let (mut rejects, mut unread_revenues) = (Rejects::default(), Rejects::default());
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((first_row..).take(rows)));
        let kinds = kind_array(self.column(batch, EventField::Kind), self.kind, rows, &mut rejects)?;
        let mut columns = vec![numbers];
        for field in EventField::all().collect::<Vec<_>>() {
            let column = match field {
                EventField::Kind => Arc::new(kinds.clone()),
                EventField::Event => {
                    event_array(self.column(batch, field), self.event.as_deref(), &kinds, &mut rejects)?
                }
                EventField::Identifiers => self.identifiers(batch, &kinds, &mut rejects)?,
                EventField::Revenue => self.field(batch, field, &mut unread_revenues)?,
                _ => self.field(batch, field, &mut rejects)?,
            };
            columns.push(column);
        }
        debug_assert_eq!(columns.len(), FIELD_COUNT + 1);
        self.judge_revenues(batch, &columns, unread_revenues, &mut rejects)?;
        rejects.finish(columns, batch)
    }

    /// Rejects the rows whose revenue cannot be read, unless they say their amount otherwise.
    fn judge_revenues(
        &self,
        batch: &RecordBatch,
        columns: &[ArrayRef],
        unread: Rejects,
        rejects: &mut Rejects,
    ) -> Result<()> {
        let mut unread = unread.into_reasons().peekable();
        let Some((name, column)) = self.column(batch, EventField::Revenue).filter(|_| unread.peek().is_some()) else {
            return Ok(());
        };
        let texts = text_array(name, column, trimmed)?;
        // Behind the column of row numbers.
        let properties = columns[EventField::Properties.index() + 1].as_string::<i32>();
        let products = &columns[EventField::ProductId.index() + 1];
        for (row, reason) in unread {
            let own = properties.is_valid(row).then(|| properties.value(row));
            let is_absent = texts.is_valid(row) && is_absent(texts.value(row), own, products.is_valid(row));
            match is_absent {
                true => self.notes.add_unread_revenue(),
                false => rejects.add(row, reason),
            }
        }
        Ok(())
    }

    /// The one column that feeds a field.
    fn column<'a>(&'a self, batch: &'a RecordBatch, field: EventField) -> Option<(&'a str, &'a ArrayRef)> {
        self.layout.field(field).first().map(|column| (self.names[*column].as_str(), batch.column(*column)))
    }

    fn field(&self, batch: &RecordBatch, field: EventField, rejects: &mut Rejects) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        if field == EventField::Properties {
            return self.properties(batch, rejects);
        }
        let Some((name, column)) = self.column(batch, field) else {
            let nothing = new_null_array(schema().field(field.index() + 1).data_type(), rows);
            return Ok(match field {
                EventField::Source => with_default(nothing.as_string::<i32>().clone(), self.source.as_deref()),
                _ => nothing,
            });
        };
        // What is text in the file was written by a person or for one.
        if let Some(texts) = column.as_string_opt::<i32>().filter(|_| field.is_number()) {
            texts.iter().flatten().for_each(|text| self.notes.decimal_marks.note(name, text));
        }
        match field.treatment() {
            Treatment::Time => time_array(name, column, self.ts_is_utc, &self.times, rejects),
            Treatment::Decimal => decimal_array(name, column, &AMOUNTS, rejects),
            Treatment::Quantity => decimal_array(name, column, &QUANTITIES, rejects),
            Treatment::Path => {
                let levels = self.layout.field(field).iter();
                let levels: Vec<_> = levels.map(|at| (self.names[*at].as_str(), batch.column(*at))).collect();
                category_array(&levels, rows)
            }
            Treatment::Object => objects(name, column, rejects),
            Treatment::Text => {
                let default = self.source.as_deref().filter(|_| field == EventField::Source);
                Ok(with_default(text_array(name, column, trimmed)?, default))
            }
            Treatment::Id => Ok(Arc::new(id_array(name, column, rejects)?)),
            Treatment::Kind | Treatment::Identifiers => Ok(Arc::new(text_array(name, column, trimmed)?)),
        }
    }

    fn identifiers(&self, batch: &RecordBatch, kinds: &StringArray, rejects: &mut Rejects) -> Result<ArrayRef> {
        let singles = self.layout.identifiers.iter();
        let columns = IdentifierColumns {
            list: self.column(batch, EventField::Identifiers),
            singles: singles.map(|(kind, at)| (kind.as_str(), self.names[*at].as_str(), batch.column(*at))).collect(),
            previous: self.layout.previous.map(|at| (self.names[at].as_str(), batch.column(at))),
        };
        identifier_array(&columns, kinds, rejects)
    }

    fn properties(&self, batch: &RecordBatch, rejects: &mut Rejects) -> Result<ArrayRef> {
        let given = self
            .column(batch, EventField::Properties)
            .map(|(name, column)| objects(name, column, rejects))
            .transpose()?;
        if self.layout.properties.is_empty() {
            let data_type = schema().field(EventField::Properties.index() + 1).data_type().clone();
            return Ok(given.unwrap_or_else(|| new_null_array(&data_type, batch.num_rows())));
        }
        let rest = self.layout.properties.iter().map(|(key, at)| (key.as_str(), Arc::clone(batch.column(*at))));
        let rest = property_batch(rest.collect(), batch.num_rows())?;
        joined_properties(given.as_deref().map(|given| given.as_string::<i32>()), &rest)
    }
}
