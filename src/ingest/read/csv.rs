//! CSV and its kin (tab or any other separator) to input batches. The first line is the header.
//!
//! Row numbers count records after the header; empty lines are none. Must not know how values are typed: `draft` does.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::coerce::{Reason, trimmed};
use super::draft::{Draft, DraftRules, column_reason};
use super::field::EventField;
use super::json::{ObjectWriter, is_empty, parse_object};
use super::layout::Layout;
use super::look_alike::Notes;
use super::options::ReadOptions;
use super::reader::{BATCH_BYTES, BATCH_ROWS};
use super::source::{BUFFER_BYTES, CountedFile, MAX_RECORD_BYTES, open, raw_text};
use crate::error::{Error, Result};
use crate::ingest::input::{InputBuilder, InputRow};

/// An open CSV file.
pub struct CsvBatches {
    path: PathBuf,
    reader: Reader<CountedFile>,
    record_start: Arc<AtomicU64>,
    /// A second handle, which fetches the raw text of rejected rows.
    raw: File,
    columns: Vec<String>,
    layout: Layout,
    rules: DraftRules,
    record: StringRecord,
    properties: ObjectWriter,
    row: i64,
    /// Start and end of the last record, when its last field holds a line end: at the end of the file it may be open.
    open_ended: Option<(u64, u64)>,
    builder: InputBuilder,
}

impl CsvBatches {
    pub fn open(
        path: &Path,
        options: &ReadOptions,
        delimiter: u8,
        progress: Arc<AtomicU64>,
        notes: &Notes,
    ) -> Result<Self> {
        let mut raw = open(path)?;
        check_start(path, &mut raw)?;
        let file = CountedFile::open(path, progress)?;
        let record_start = file.record_start();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(file);
        let mut header = StringRecord::new();
        let found = reader.read_record(&mut header).map_err(|error| read_error(path, 0, error))?;
        if !found {
            return Err(Error::invalid(format!(
                "{}: no header line: its first line must name columns",
                path.display()
            )));
        }
        let columns = column_names(path, &header)?;
        let layout = Layout::resolve(options, &columns, path, notes)?;
        let rules = DraftRules::new(options, layout.column_names(&columns), notes)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            record_start,
            raw,
            columns,
            layout,
            rules,
            record: StringRecord::new(),
            properties: ObjectWriter::default(),
            row: 0,
            open_ended: None,
            builder: InputBuilder::default(),
        })
    }

    /// The next batch; `None` after the last row.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut bytes = 0;
        while self.builder.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.read_row()? {
                0 => break,
                length => bytes += length,
            }
        }
        if self.builder.is_empty() { Ok(None) } else { self.builder.finish().map(Some) }
    }

    /// Reads one row into the builder; gives its bytes, 0 at the end of the file.
    fn read_row(&mut self) -> Result<u64> {
        let before = self.reader.position().byte();
        self.record_start.store(before, Ordering::Relaxed);
        let found =
            self.reader.read_record(&mut self.record).map_err(|error| read_error(&self.path, self.row + 1, error))?;
        if !found {
            return self.check_closed().map(|()| 0);
        }
        self.row += 1;
        let end = self.reader.position().byte();
        let start = self.record.position().map_or(before, csv::Position::byte);
        let spans_lines = self.record.iter().next_back().is_some_and(|last| last.contains('\n'));
        self.open_ended = spans_lines.then_some((start, end));
        if let Err(reason) = self.push_row() {
            let raw = raw_text(&mut self.raw, start, end).map_err(|error| self.damaged(error))?;
            self.builder.push(&InputRow {
                row: Some(self.row),
                reject_reason: Some(&reason),
                raw: Some(&raw),
                ..InputRow::default()
            });
        }
        Ok(end - before)
    }

    fn push_row(&mut self) -> Result<(), Reason> {
        if self.record.len() != self.columns.len() {
            return Err(format!("has {} fields, the header has {}", self.record.len(), self.columns.len()));
        }
        let record = &self.record;
        let mut draft = Draft { row: self.row, ..Draft::default() };
        for field in EventField::all() {
            match *self.layout.field(field) {
                [] => {}
                [column] => draft.values[field.index()] = record.get(column).map(Cow::Borrowed),
                ref levels => {
                    draft.levels = levels.iter().filter_map(|column| record.get(*column)).map(Cow::Borrowed).collect()
                }
            }
        }
        for (kind, column) in &self.layout.identifiers {
            if let Some(value) = record.get(*column).and_then(trimmed) {
                draft.identifiers.push((Cow::Borrowed(kind), Cow::Borrowed(value)));
            }
        }
        if let [column] = *self.layout.field(EventField::Identifiers)
            && let Some(json) = record.get(column).and_then(trimmed)
        {
            draft.add_identifiers(json).map_err(|reason| self.rules.at(EventField::Identifiers, &reason))?;
        }
        draft.previous = self.layout.previous.and_then(|column| record.get(column)).map(Cow::Borrowed);
        if !self.layout.properties.is_empty() {
            self.properties.clear();
            write_properties(&mut self.properties, &self.layout, &self.columns, record)?;
            draft.values[EventField::Properties.index()] = self.properties.finish().map(Cow::Borrowed);
        }
        self.rules.push(&draft, &mut self.builder)
    }

    /// Refuses a file that ends inside quotes: the rows after the opening quote have all become one field.
    fn check_closed(&mut self) -> Result<()> {
        let Some((start, end)) = self.open_ended else { return Ok(()) };
        if ends_in_quote(&mut self.raw, start, end).map_err(|error| self.damaged(error))? {
            return Ok(());
        }
        Err(Error::invalid(format!("{}: row {}: a quote is opened and never closed", self.path.display(), self.row)))
    }

    fn damaged(&self, error: std::io::Error) -> Error {
        Error::from(error).context(self.path.display())
    }
}

/// Joins a `properties` column, if there is one, with the columns that have no field of their own.
fn write_properties(
    writer: &mut ObjectWriter,
    layout: &Layout,
    columns: &[String],
    record: &StringRecord,
) -> Result<(), Reason> {
    let given = match *layout.field(EventField::Properties) {
        [column] => record.get(column).and_then(trimmed).map(|text| (column, text)),
        _ => None,
    };
    let given = given
        .map(|(column, text)| parse_object(text).map_err(|reason| column_reason(&columns[column], &reason)))
        .transpose()?
        .unwrap_or_default();
    for (key, value) in &given {
        if !is_empty(value) {
            writer.raw(&key.0, value.get());
        }
    }
    for (key, column) in &layout.properties {
        if let Some(value) =
            record.get(*column).filter(|value| trimmed(value).is_some() && !given.contains_key(key.as_str()))
        {
            writer.inferred(key, value);
        }
    }
    Ok(())
}

/// The header's names without blanks around them; a column without a name gets its number.
fn column_names(path: &Path, header: &StringRecord) -> Result<Vec<String>> {
    let names = header.iter().enumerate().map(|(index, name)| match trimmed(name) {
        Some(name) => name.to_owned(),
        None => format!("column_{}", index + 1),
    });
    let names: Vec<String> = names.collect();
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => {
            Err(Error::invalid(format!("{}: the header names the column '{name}' twice: rename one", path.display())))
        }
        None => Ok(names),
    }
}

/// Refuses an empty file, and UTF-16 by its mark, which as UTF-8 would give a message about row 1 only.
fn check_start(path: &Path, file: &mut File) -> Result<()> {
    let mut start = Vec::with_capacity(2);
    file.take(2).read_to_end(&mut start).map_err(|error| Error::from(error).context(path.display()))?;
    match start.as_slice() {
        [] => Err(Error::invalid(format!("{}: is empty: its first line must name columns", path.display()))),
        [0xff, 0xfe] | [0xfe, 0xff] => Err(Error::invalid(format!("{}: is UTF-16: {TO_UTF8}", path.display()))),
        _ => Ok(()),
    }
}

pub const TO_UTF8: &str = "convert it to UTF-8 first, for example with iconv";

fn ends_in_quote(file: &mut File, start: u64, end: u64) -> std::io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    /// Enough to see whether the quotes at the end are pairs; a field that ends in more of them is no text.
    const TAIL: u64 = 4096;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(start.max(end.saturating_sub(TAIL))))?;
    file.take(end - start).read_to_end(&mut tail)?;
    let text = tail.trim_ascii_end();
    let quotes = text.iter().rev().take_while(|byte| **byte == b'"').count();
    Ok(quotes % 2 == 1)
}

fn read_error(path: &Path, row: i64, error: csv::Error) -> Error {
    let place = if row == 0 { "the header".to_owned() } else { format!("row {row}") };
    let message = match error.kind() {
        ErrorKind::Utf8 { .. } => format!("{}: {place} is not UTF-8: {TO_UTF8}", path.display()),
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::FileTooLarge => format!(
            "{}: {place} is longer than {} MiB: is a quote opened and never closed, or is it no CSV?",
            path.display(),
            MAX_RECORD_BYTES >> 20
        ),
        _ => format!("{}: {place}: {error}", path.display()),
    };
    Error::invalid(message).with_source(error)
}
