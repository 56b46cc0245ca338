//! CSV and its kin (tab or any other separator) to input batches. The first line is the header.
//!
//! Row numbers count records after the header; empty lines are none. A record whose quotes are not those of the standard
//! is rejected with the line where it went wrong, and reading goes on at the next line: rows below are not lost in a field.
//! Must not know how values are typed: `draft` does.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use super::coerce::{Reason, trimmed};
use super::draft::{Draft, DraftRules, column_reason};
use super::field::EventField;
use super::first_line;
use super::json::{ObjectWriter, is_empty, parse_object};
use super::layout::Layout;
use super::look_alike::Notes;
use super::options::ReadOptions;
use super::quotes::{QuoteFault, RowsInside, find_fault, find_rows_inside};
use super::reader::{BATCH_BYTES, BATCH_ROWS};
use super::source::{BUFFER_BYTES, CountedFile, MAX_RECORD_BYTES, RecordText, capped, open};
use crate::error::{Error, Result};
use crate::ingest::input::{InputBuilder, InputRow};

/// An open CSV file.
pub struct CsvBatches {
    path: PathBuf,
    reader: Reader<CountedFile>,
    record_start: Arc<AtomicU64>,
    /// The file once more: records as they are written.
    text: RecordText,
    delimiter: u8,
    columns: Vec<String>,
    layout: Layout,
    rules: DraftRules,
    record: StringRecord,
    properties: ObjectWriter,
    /// Columns of which numbers are read.
    numbers: Vec<usize>,
    notes: Notes,
    row: i64,
    /// Where the last record lies, when its text was not looked at: at the end of the file its quote may be open.
    unchecked: Option<Span>,
    builder: InputBuilder,
}

/// The bytes of a record, and the line that the reader counted at their start, before empty lines.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
    line: u64,
}

/// A record with a fault in its quotes: what of it is given up, and where reading goes on.
struct Misquote {
    reason: Reason,
    raw: String,
    end: u64,
    /// The line at `end`.
    line: u64,
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
        let mut text = RecordText::new(raw);
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
        let written = text.read(0, reader.position().byte()).map_err(|error| damaged(path, error))?;
        let written = written.strip_prefix("\u{feff}".as_bytes()).unwrap_or(written);
        first_line::check_no_separator_line(path, written)?;
        check_header(path, written, delimiter)?;
        let mut explain = |error: Error| {
            let mut next = StringRecord::new();
            // A line that cannot be read says nothing about the one before it.
            let has_next = reader.read_record(&mut next).unwrap_or(false);
            first_line::fault(path, &header, has_next.then_some(&next), delimiter, options).unwrap_or(error)
        };
        let columns = column_names(path, &header).map_err(&mut explain)?;
        let layout = Layout::resolve(options, &columns, path, notes).map_err(explain)?;
        let rules = DraftRules::new(options, layout.column_names(&columns), notes)?;
        let numbers = layout.number_columns();
        Ok(Self {
            path: path.to_owned(),
            reader,
            record_start,
            text,
            delimiter,
            columns,
            layout,
            rules,
            record: StringRecord::new(),
            properties: ObjectWriter::default(),
            numbers,
            notes: notes.clone(),
            row: 0,
            unchecked: None,
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
        let (start, line) = self.record.position().map_or((before, 0), |position| (position.byte(), position.line()));
        let span = Span { start, end, line };
        if let Some(misquote) = self.find_misquote(span)? {
            self.reject(&misquote.reason, &misquote.raw);
            if misquote.end < end {
                self.resume_at(misquote.end, misquote.line)?;
            }
            return Ok(misquote.end - before);
        }
        let pushed = self.push_row();
        if !matches!(pushed, Ok(false)) {
            let raw = capped(self.text.read(start, end).map_err(|error| damaged(&self.path, error))?);
            match pushed {
                Ok(_) => self.builder.push_raw(&raw),
                Err(reason) => self.reject(&reason, &raw),
            }
        }
        Ok(end - before)
    }

    fn reject(&mut self, reason: &str, raw: &str) {
        self.builder.push(&InputRow {
            row: Some(self.row),
            reject_reason: Some(reason),
            raw: Some(raw),
            ..InputRow::default()
        });
    }

    /// What is wrong with the quotes of the record, if anything.
    ///
    /// # Errors
    /// `InvalidInput` for a quote that is never closed: what stands below it cannot be told apart.
    fn find_misquote(&mut self, span: Span) -> Result<Option<Misquote>> {
        // Values, separators and one line end: without more there is no pair of quotes.
        let plain_bytes = self.record.as_slice().len() + self.record.len();
        if span.end - span.start <= plain_bytes as u64 {
            self.unchecked = Some(span);
            return Ok(None);
        }
        self.unchecked = None;
        let text = self.text.read(span.start, span.end).map_err(|error| damaged(&self.path, error))?;
        let line_of = |at: usize| span.line + count_lines(&text[..at]);
        let line_end =
            |at: usize| text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1);
        let give_up = |end: usize, reason: Reason| {
            let raw = capped(&text[..end]);
            Ok(Some(Misquote { reason, raw, end: span.start + end as u64, line: line_of(end) }))
        };
        match find_fault(text, self.delimiter) {
            Some(QuoteFault::NeverClosed { opened }) => Err(never_closed(&self.path, line_of(opened), self.row)),
            Some(QuoteFault::TextBehind { opened }) => {
                give_up(line_end(opened), format!("line {}: {TEXT_BEHIND_QUOTE}", line_of(opened)))
            }
            None if !self.record.as_slice().contains('\n') => Ok(None),
            None => {
                let first = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or_default();
                let (width, ts) = (self.columns.len(), self.layout.field(EventField::Ts).first().copied());
                let is_row = |line: &[u8]| is_row(line, self.delimiter, width, ts, &self.rules);
                let reason = || format!("line {}: {ROWS_IN_QUOTES}", line_of(first));
                match find_rows_inside(&text[first..], self.delimiter, width, is_row) {
                    RowsInside::None => Ok(None),
                    RowsInside::Some => give_up(text.len(), reason()),
                    RowsInside::All => give_up(line_end(first), reason()),
                }
            }
        }
    }

    fn resume_at(&mut self, byte: u64, line: u64) -> Result<()> {
        let mut position = Position::new();
        position.set_byte(byte).set_line(line);
        self.reader.seek(position).map_err(|error| read_error(&self.path, self.row, error))
    }

    /// As [`DraftRules::push`].
    fn push_row(&mut self) -> Result<bool, Reason> {
        if self.record.len() != self.columns.len() {
            return Err(other_width(self.record.len(), self.columns.len(), self.delimiter));
        }
        let record = &self.record;
        for column in &self.numbers {
            self.notes.decimal_marks.note(&self.columns[*column], record.get(*column).unwrap_or_default());
        }
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
        let Some(span) = self.unchecked else { return Ok(()) };
        let text = self.text.read(span.start, span.end).map_err(|error| damaged(&self.path, error))?;
        match find_fault(text, self.delimiter) {
            Some(QuoteFault::NeverClosed { opened }) => {
                Err(never_closed(&self.path, span.line + count_lines(&text[..opened]), self.row))
            }
            _ => Ok(()),
        }
    }
}

const TEXT_BEHIND_QUOTE: &str = "a field begins with a quote, and text follows the quote that ends it: write quotes inside of a field twice, \
     \"size 5\"\"\", or none at its start";

const ROWS_IN_QUOTES: &str = "a field begins with a quote that ends lines below, and these lines read as rows of the file: is the quote one too \
     many? Write quotes inside of a field twice, \"size 5\"\"\", or none at its start";

fn other_width(fields: usize, columns: usize, delimiter: u8) -> Reason {
    let separator = if delimiter == b'\t' { "\\t".to_owned() } else { char::from(delimiter).to_string() };
    let hint = match fields < columns {
        true => format!("write a '{separator}' for each cell, empty ones too"),
        false => format!("a value with a '{separator}' in it needs quotes around it"),
    };
    format!(
        "has {fields} fields, the header has {columns}: {hint}; --delimiter names another separator than '{separator}'"
    )
}

fn never_closed(path: &Path, line: u64, row: i64) -> Error {
    Error::invalid(format!(
        "{}: row {row}: a quote is opened and never closed, in line {line}: close it, or write it twice where it is a \
         character of the value",
        path.display()
    ))
}

fn damaged(path: &Path, error: std::io::Error) -> Error {
    Error::from(error).context(path.display())
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Whether a line inside of a field would be a row of the file: as many fields, and a time where rows have theirs.
fn is_row(line: &[u8], delimiter: u8, width: usize, ts: Option<usize>, rules: &DraftRules) -> bool {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
    let mut record = StringRecord::new();
    let is_read = reader.read_record(&mut record).is_ok_and(|found| found);
    let time = ts.and_then(|ts| record.get(ts));
    is_read && record.len() == width && time.is_some_and(|time| rules.is_time(time))
}

fn check_header(path: &Path, header: &[u8], delimiter: u8) -> Result<()> {
    let fault = match find_fault(header, delimiter) {
        None => return Ok(()),
        Some(QuoteFault::NeverClosed { .. }) => "a quote is opened and never closed",
        Some(QuoteFault::TextBehind { .. }) => TEXT_BEHIND_QUOTE,
    };
    Err(Error::invalid(format!("{}: the header: {fault}", path.display())))
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
    let read = file.by_ref().take(2).read_to_end(&mut start).and_then(|_| file.rewind());
    read.map_err(|error| damaged(path, error))?;
    match start.as_slice() {
        [] => Err(Error::invalid(format!("{}: is empty: its first line must name columns", path.display()))),
        [0xff, 0xfe] | [0xfe, 0xff] => Err(Error::invalid(format!("{}: is UTF-16: {TO_UTF8}", path.display()))),
        _ => Ok(()),
    }
}

pub const TO_UTF8: &str = "convert it to UTF-8 first, for example with iconv";

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
