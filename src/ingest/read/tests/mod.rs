//! Files to batches: what each format gives, what is rejected and why, what refuses the whole file.

mod bad_files;
mod csv;
mod decimal_marks;
mod files;
mod mapping;
mod names;
mod ndjson;
mod parquet;
mod random;

use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tempfile::TempDir;

use super::{FileReader, Mapping, ReadOptions};
use crate::error::Result;
use crate::ingest::input::schema;

/// A file in a folder of its own, removed with it.
struct TestFile {
    _folder: TempDir,
    path: PathBuf,
}

impl TestFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Self { _folder: folder, path }
    }

    fn read(&self, options: ReadOptions) -> Result<Rows> {
        Ok(self.read_with_notes(options)?.0)
    }

    /// All rows, and what was noticed of the file.
    fn read_with_notes(&self, options: ReadOptions) -> Result<(Rows, Vec<String>)> {
        let reader = FileReader::open(&self.path, options)?;
        let notes = reader.notes();
        let mut batches = Vec::new();
        for batch in reader.batches() {
            let batch = batch?;
            assert_eq!(batch.schema(), schema());
            batches.push(batch);
        }
        Ok((Rows { batch: concat_batches(&schema(), &batches)? }, notes.to_vec()))
    }
}

/// All rows of a file.
struct Rows {
    batch: RecordBatch,
}

impl Rows {
    fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// A value as text, `-` for NULL; rows count from 0.
    fn get(&self, row: usize, column: &str) -> String {
        let options = FormatOptions::default().with_null("-");
        let column = self.batch.column_by_name(column).unwrap();
        ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
    }

    fn all(&self, column: &str) -> Vec<String> {
        (0..self.len()).map(|row| self.get(row, column)).collect()
    }

    fn is_null(&self, row: usize, column: &str) -> bool {
        self.batch.column_by_name(column).unwrap().is_null(row)
    }

    fn rejected(&self) -> usize {
        let reasons = self.batch.column_by_name("reject_reason").unwrap();
        reasons.len() - reasons.null_count()
    }
}

/// Options with a mapping and a default event name.
fn options(mapping: &str) -> ReadOptions {
    ReadOptions { mapping: Mapping::parse(mapping).unwrap(), event: Some("sale".into()), ..ReadOptions::default() }
}

/// The message of a file that cannot be read at all.
fn refusal(name: &str, content: impl AsRef<[u8]>, options: ReadOptions) -> String {
    match TestFile::new(name, content).read(options) {
        Ok(rows) => panic!("{name} gave {} rows", rows.len()),
        Err(error) => error.message().to_owned(),
    }
}
