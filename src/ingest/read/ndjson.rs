//! NDJSON (one JSON object a line) to input batches, objects of the Segment spec included.
//!
//! Row numbers are line numbers. Must not know how values are typed: `draft` does.

mod line;
mod object;
mod roles;
mod unused;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use serde::de::IgnoredAny;

use self::line::{Line, LineReader};
use self::object::ObjectReader;
use super::csv::TO_UTF8;
use super::look_alike::Notes;
use super::options::ReadOptions;
use super::reader::{BATCH_BYTES, BATCH_ROWS};
use super::source::{CountedFile, MAX_RECORD_BYTES, capped};
use crate::error::{Error, Result};
use crate::ingest::input::{InputBuilder, InputRow};

/// An open NDJSON file.
pub struct NdjsonBatches {
    path: PathBuf,
    lines: LineReader,
    objects: ObjectReader,
    notes: Notes,
    builder: InputBuilder,
}

impl NdjsonBatches {
    pub fn open(path: &Path, options: &ReadOptions, progress: Arc<AtomicU64>, notes: &Notes) -> Result<Self> {
        let mut lines = LineReader::new(CountedFile::open(path, progress)?);
        let start = lines.start().map_err(|error| Error::from(error).context(path.display()))?;
        match start.trim_ascii_start().first() {
            None if start.is_empty() => {
                return Err(Error::invalid(format!(
                    "{}: is empty: it must hold one JSON object a line",
                    path.display()
                )));
            }
            Some(b'[') => {
                return Err(Error::invalid(format!(
                    "{}: holds a JSON array: write one object a line, for example with jq -c '.[]'",
                    path.display()
                )));
            }
            _ if is_over_lines(start) => {
                return Err(Error::invalid(format!(
                    "{}: its first object goes over several lines: write one object a line, for example with jq -c .",
                    path.display()
                )));
            }
            _ => {}
        }
        let objects = ObjectReader::new(options, notes)?;
        Ok(Self { path: path.to_owned(), lines, objects, notes: notes.clone(), builder: InputBuilder::default() })
    }

    /// The next batch; `None` after the last row.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut bytes = 0;
        while self.builder.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let row = self.lines.number() + 1;
            let line = self.lines.next().map_err(|error| Error::from(error).context(self.path.display()))?;
            let (text, too_long) = match line {
                Line::End => break,
                Line::Whole(text) => (text, false),
                Line::Cut(text) => (text, true),
            };
            bytes += text.len() as u64;
            if text.trim_ascii().is_empty() {
                continue;
            }
            let outcome = match (too_long, std::str::from_utf8(text)) {
                (true, _) => Err(format!("is longer than {} MiB", MAX_RECORD_BYTES >> 20)),
                (false, Ok(text)) => self.objects.push(row, text, &mut self.builder),
                (false, Err(_)) => {
                    return Err(Error::invalid(format!("{}: row {row} is not UTF-8: {TO_UTF8}", self.path.display())));
                }
            };
            match outcome {
                Ok(false) => {}
                Ok(true) => self.builder.push_raw(&capped(text)),
                Err(reason) => {
                    let raw = capped(text);
                    self.builder.push(&InputRow {
                        row: Some(row),
                        reject_reason: Some(&reason),
                        raw: Some(&raw),
                        ..InputRow::default()
                    });
                }
            }
        }
        if self.builder.is_empty() {
            self.objects.check_mapped(&self.path)?;
            self.objects.note_look_alikes(&self.notes);
            return Ok(None);
        }
        self.objects.check_time(&self.path)?;
        self.builder.finish().map(Some)
    }
}

/// Whether a file that starts so is laid out for people: a first line that is the beginning of an object, and a second one
/// that goes on with it. A line that was cut off is a row to reject, and the next one begins an object.
fn is_over_lines(start: &[u8]) -> bool {
    let mut lines = start.trim_ascii_start().splitn(3, |byte| *byte == b'\n');
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    let breaks_off = serde_json::from_slice::<IgnoredAny>(first).is_err_and(|error| error.is_eof());
    first.starts_with(b"{") && breaks_off && matches!(second.trim_ascii_start().first(), Some(b'"' | b'}'))
}
