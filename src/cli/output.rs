//! Rows on standard output in one of four formats, and words for people on standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};

use super::arguments::Format;
use crate::error::{Error, Result};
use crate::flight::output::Output;

mod layout;

/// Rows of a table on the terminal at most; other formats have no limit.
const TABLE_ROWS: usize = 1_000;

/// Batches of one schema, from an engine or from a server.
pub(super) struct ResultRows {
    pub(super) schema: SchemaRef,
    pub(super) batches: std::pin::Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>,
}

impl ResultRows {
    /// Rows of the engine in the types that a client of a server gets.
    pub(super) fn of_engine(logical: &Schema, stream: SendableRecordBatchStream) -> Self {
        let output = Output::of(logical);
        let schema = output.schema().clone();
        Self { schema, batches: Box::pin(stream.map(move |batch| output.adapt(&batch?))) }
    }
}

impl ResultRows {
    /// Rows of texts, for lists that come from no query.
    pub(super) fn of_texts(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Result<Self> {
        let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let schema = SchemaRef::new(Schema::new(fields));
        let texts = (0..columns.len()).map(|column| -> ArrayRef {
            Arc::new(StringArray::from_iter(rows.iter().map(|row| row[column].as_deref())))
        });
        let batch = RecordBatch::try_new(SchemaRef::clone(&schema), texts.collect())?;
        Ok(Self { schema, batches: Box::pin(futures::stream::iter([Ok(batch)])) })
    }
}

/// A line for people.
pub(super) fn complain(text: &str) {
    // Nobody is left to tell when standard error is closed.
    writeln!(io::stderr(), "{text}").ok();
}

/// A line of the command's result. A closed pipe ends the command quietly.
pub(super) fn say(text: &str) -> Result<()> {
    quiet_on_closed_pipe(writeln!(io::stdout(), "{text}"))
}

/// The number with its noun.
pub(super) fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn quiet_on_closed_pipe(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(Error::from),
    }
}

/// Prints all rows; returns how many.
pub(super) async fn print(rows: ResultRows, format: Format) -> Result<u64> {
    let schema = Arc::clone(&rows.schema);
    match format {
        Format::Table => print_table(rows).await,
        Format::Csv => {
            let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(BufWriter::new(io::stdout()));
            // The header stands there even without rows.
            writer.write(&RecordBatch::new_empty(flat_schema(&schema)))?;
            each_batch(rows, |batch| Ok(writer.write(&flat(batch)?)?)).await
        }
        Format::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(BufWriter::new(io::stdout()));
            let count = each_batch(rows, |batch| Ok(writer.write(batch)?)).await?;
            writer.finish()?;
            Ok(count)
        }
        Format::Arrow => {
            let mut writer = arrow::ipc::writer::StreamWriter::try_new(BufWriter::new(io::stdout()), &schema)?;
            let count = each_batch(rows, |batch| Ok(writer.write(batch)?)).await?;
            writer.finish()?;
            Ok(count)
        }
    }
}

/// Writes batch after batch; returns the number of rows.
async fn each_batch(mut rows: ResultRows, mut write: impl FnMut(&RecordBatch) -> Result<()>) -> Result<u64> {
    let mut count = 0;
    while let Some(batch) = rows.batches.next().await {
        let batch = batch?;
        count += batch.num_rows() as u64;
        write(&batch)?;
    }
    Ok(count)
}

/// CSV has no nesting: lists and structs become text.
fn flat_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        if field.data_type().is_nested() {
            field.as_ref().clone().with_data_type(DataType::Utf8)
        } else {
            field.as_ref().clone()
        }
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

fn flat(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| -> Result<arrow::array::ArrayRef> {
        if !column.data_type().is_nested() {
            return Ok(Arc::clone(column));
        }
        let formatter = ArrayFormatter::try_new(column, &FormatOptions::default())?;
        let texts: arrow::array::StringArray =
            (0..column.len()).map(|row| (!column.is_null(row)).then(|| formatter.value(row).to_string())).collect();
        Ok(Arc::new(texts))
    });
    Ok(RecordBatch::try_new(flat_schema(&batch.schema()), columns.collect::<Result<Vec<_>>>()?)?)
}

async fn print_table(mut rows: ResultRows) -> Result<u64> {
    let mut shown: Vec<Vec<String>> = Vec::new();
    let mut count = 0;
    while let Some(batch) = rows.batches.next().await {
        let batch = batch?;
        let room = TABLE_ROWS.saturating_sub(shown.len());
        add_rows(&mut shown, &batch.slice(0, batch.num_rows().min(room)))?;
        count += batch.num_rows() as u64;
    }
    say(&layout::render(&rows.schema, &shown, layout::terminal_width()))?;
    if count as usize > TABLE_ROWS {
        complain(&format!("{TABLE_ROWS} of {count} rows are shown; --format csv, json or arrow prints all"));
    }
    Ok(count)
}

fn add_rows(shown: &mut Vec<Vec<String>>, batch: &RecordBatch) -> Result<()> {
    let options = FormatOptions::default().with_null("NULL");
    let formatters = batch
        .columns()
        .iter()
        .map(|column| Ok(ArrayFormatter::try_new(column, &options)?))
        .collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        shown.push(formatters.iter().map(|formatter| formatter.value(row).to_string()).collect());
    }
    Ok(())
}
