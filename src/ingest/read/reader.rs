//! Opens one file of events and yields its batches. Blocking: a server calls it on a blocking thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;

use super::csv::CsvBatches;
use super::files::{Format, extension};
use super::look_alike::Notes;
use super::ndjson::NdjsonBatches;
use super::options::ReadOptions;
use super::parquet::ParquetBatches;
use super::source::open;
use crate::error::{Error, Result};

/// Rows of a batch, at most.
pub const BATCH_ROWS: usize = 8192;

/// Bytes of input in a batch, at most by one record: what bounds memory when rows are long.
pub const BATCH_BYTES: u64 = 8 << 20;

/// A file that is about to be loaded.
pub struct FileReader {
    path: PathBuf,
    format: Format,
    delimiter: u8,
    options: ReadOptions,
    size_bytes: u64,
    progress: Arc<AtomicU64>,
    notes: Notes,
    batches: Batches,
}

/// What tells a file from others: BLAKE3 in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHashes {
    /// Of the bytes, and of the options as far as they change the events.
    pub content: String,
    /// Of the bytes alone.
    pub file: String,
}

/// The reader of each format.
enum Batches {
    Csv(Box<CsvBatches>),
    Ndjson(Box<NdjsonBatches>),
    Parquet(Box<ParquetBatches>),
}

impl FileReader {
    /// Opens a file and checks what can be known before the first row: format, header, mapping.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        options.check()?;
        let format = Format::of(path)?;
        let delimiter = options.delimiter_for(&extension(path));
        let size_bytes = open(path)?.metadata().map_err(|error| Error::from(error).context(path.display()))?.len();
        let progress = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&progress);
        let notes = Notes::default();
        let batches = match format {
            Format::Csv => Batches::Csv(Box::new(CsvBatches::open(path, &options, delimiter, shared, &notes)?)),
            Format::Ndjson => Batches::Ndjson(Box::new(NdjsonBatches::open(path, &options, shared, &notes)?)),
            Format::Parquet => Batches::Parquet(Box::new(ParquetBatches::open(path, &options, shared, &notes)?)),
        };
        Ok(Self { path: path.to_owned(), format, delimiter, options, size_bytes, progress, notes, batches })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Bytes read so far, for a progress bar; lives on when the reader has become its batches.
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.progress)
    }

    /// What was noticed of the file as a whole; complete when all of its batches have been read.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// What tells the file from others. Reads the whole file.
    pub fn hashes(&self) -> Result<FileHashes> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(open(&self.path)?).map_err(|error| Error::from(error).context(self.path.display()))?;
        // The bytes are hashed apart: no file's end can look like another file's options.
        let file = hasher.finalize();
        let mut hasher = blake3::Hasher::new();
        hasher.update(file.as_bytes());
        hasher.update(self.format.name().as_bytes());
        hasher.update(self.options.meaning(self.format, self.delimiter)?.as_bytes());
        let content = hasher.finalize();
        Ok(FileHashes { content: content.to_hex().to_string(), file: file.to_hex().to_string() })
    }

    /// All rows, kept and rejected, in file order. Ends after the first error.
    pub fn batches(self) -> InputBatches {
        InputBatches { path: self.path, notes: self.notes, batches: Some(self.batches) }
    }
}

/// Iterator over the batches of one file, each of [`crate::ingest::input::schema`].
pub struct InputBatches {
    path: PathBuf,
    notes: Notes,
    /// `None` after the end or an error.
    batches: Option<Batches>,
}

impl Iterator for InputBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.batches.as_mut()? {
            Batches::Csv(batches) => batches.next_batch(),
            Batches::Ndjson(batches) => batches.next_batch(),
            Batches::Parquet(batches) => batches.next_batch(),
        };
        let next = next.and_then(|batch| self.notes.decimal_marks.check(&self.path).map(|()| batch));
        if !matches!(next, Ok(Some(_))) {
            self.batches = None;
        }
        next.transpose()
    }
}
