//! Are two answers the same? As bags of rows; numbers within rounding, whatever their types.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Rows of text, sorted; all numbers with as many places.
pub type Answer = Vec<Vec<String>>;

pub fn of_batches(batches: &[RecordBatch]) -> anyhow::Result<Answer> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Result<Vec<_>, _> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
        let columns = columns?;
        rows.extend(
            (0..batch.num_rows()).map(|row| -> Vec<String> {
                columns.iter().map(|column| plain(column.value(row).to_string())).collect()
            }),
        );
    }
    rows.sort();
    Ok(rows)
}

pub fn of_file(path: &Path) -> anyhow::Result<Answer> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
    of_batches(&reader.collect::<Result<Vec<_>, _>>()?)
}

fn plain(text: String) -> String {
    text.parse::<f64>().map(|number| format!("{number:.4}")).unwrap_or(text)
}

/// # Errors
/// The first rows that differ.
pub fn check_same(what: &str, ours: &Answer, theirs: &Answer) -> anyhow::Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let only = |one: &Answer, other: &Answer| -> Vec<Vec<String>> {
        one.iter().filter(|row| !other.contains(row)).take(3).cloned().collect()
    };
    anyhow::bail!(
        "{what}\nthe answers differ: {} and {} rows\nonly Convoke: {:?}\nonly DuckDB: {:?}",
        ours.len(),
        theirs.len(),
        only(ours, theirs),
        only(theirs, ours)
    )
}
