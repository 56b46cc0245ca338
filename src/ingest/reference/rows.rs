//! The rows of a small file (CSV, NDJSON, Parquet) as texts, each with its line, for tables of a few columns.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::ingest::read::{Format, extension, open};
use crate::settings::did_you_mean;
use crate::workspace::reference::{Day, FIRST_YEAR, LAST_YEAR};

/// Rows of one file at most: a reference table is held in memory.
const MAX_ROWS: usize = 1_000_000;
/// Longest CSV file in bytes: it is held as a whole.
const MAX_CSV_BYTES: u64 = 256 << 20;
/// Longest line of NDJSON in bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// One row: a list of texts a column, empty for NULL and for no value.
pub(super) struct Row<'a> {
    path: &'a Path,
    /// Line of the file, or row of a Parquet file, from 1.
    line: u64,
    cells: Vec<Vec<String>>,
}

impl Row<'_> {
    /// The values of a column, trimmed and without empty ones.
    pub(super) fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.cells[column].iter().map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The one value of a column.
    pub(super) fn value(&self, column: usize, name: &str) -> Result<&str> {
        let mut values = self.values(column);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(self.fault(format!("column '{name}' is empty"))),
            (Some(_), Some(_)) => Err(self.fault(format!("column '{name}' holds a list"))),
        }
    }

    /// The day in column 0, such as 2024-02-10.
    pub(super) fn day(&self) -> Result<(NaiveDate, Day)> {
        let text = self.value(0, "day")?;
        // How a timestamp of midnight is written.
        let date = text.trim_end_matches('Z').trim_end_matches("T00:00:00");
        let day = NaiveDate::parse_from_str(date, "%Y-%m-%d")
            .map_err(|_| self.fault(format!("'{text}' is not a day: write it like 2024-02-10")))?;
        let year = chrono::Datelike::year(&day);
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return Err(self.fault(format!("{day} is out of the calendar, which has {FIRST_YEAR} to {LAST_YEAR}")));
        }
        Ok((day, arrow::datatypes::Date32Type::from_naive_date(day)))
    }

    /// What is wrong with this row, with its place.
    pub(super) fn fault(&self, what: impl std::fmt::Display) -> Error {
        fault(self.path, self.line, what)
    }
}

fn fault(path: &Path, line: u64, what: impl std::fmt::Display) -> Error {
    Error::invalid(format!("{}: line {line}: {what}; nothing was imported", path.display()))
}

/// Names that columns of a file may have, in the order of the cells.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) needed: &'a [&'a [&'a str]],
    /// Behind the needed ones; a file without them has them empty.
    pub(super) optional: &'a [&'a [&'a str]],
}

/// Calls `each` for every row.
pub(super) fn read(path: &Path, columns: Columns<'_>, mut each: impl FnMut(Row<'_>) -> Result<()>) -> Result<()> {
    let mut count = 0;
    let mut take = |line: u64, cells: Vec<Vec<String>>| {
        count += 1;
        if count > MAX_ROWS {
            return Err(fault(path, line, format!("more than {MAX_ROWS} rows")));
        }
        each(Row { path, line, cells })
    };
    match Format::of(path)? {
        Format::Csv => read_csv(path, columns, &mut take)?,
        Format::Ndjson => read_ndjson(path, columns, &mut take)?,
        Format::Parquet => read_parquet(path, columns, &mut take)?,
    }
    if count == 0 {
        return Err(Error::invalid(format!("{}: the file has no rows", path.display())));
    }
    Ok(())
}

type Take<'a> = dyn FnMut(u64, Vec<Vec<String>>) -> Result<()> + 'a;

/// Where the columns stand in a header; `None` for an optional one that it lacks.
fn places(path: &Path, columns: Columns<'_>, header: &[String]) -> Result<Vec<Option<usize>>> {
    let find = |names: &&[&str]| header.iter().position(|known| names.contains(&known.trim().to_lowercase().as_str()));
    let place = |names: &&[&str]| {
        find(names).map(Some).ok_or_else(|| {
            let known = header.iter().map(String::as_str);
            let hint = did_you_mean(names[0], known, &format!("its columns are {}", header.join(", ")));
            Error::invalid(format!("{}: there is no column '{}'; {hint}", path.display(), names.join("' or '")))
        })
    };
    columns.needed.iter().map(place).chain(columns.optional.iter().map(|names| Ok(find(names)))).collect()
}

fn read_csv(path: &Path, columns: Columns<'_>, take: &mut Take<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(MAX_CSV_BYTES).read_to_end(&mut bytes);
    if read.map_err(|error| Error::from(error).context(path.display()))? as u64 == MAX_CSV_BYTES {
        return Err(Error::invalid(format!("{}: longer than {MAX_CSV_BYTES} bytes", path.display())));
    }
    // A byte order mark is no part of the first name.
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let delimiter = if extension(path) == "tsv" { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let mut lines = Lines { text, counted: 0, line: 1 };
    let header = reader.headers().map_err(|error| fault(path, 1, error))?;
    let header: Vec<String> = header.iter().map(str::to_owned).collect();
    if let [only] = header.as_slice()
        && only.contains(';')
    {
        return Err(Error::invalid(format!(
            "{}: its columns are separated by ';': save it with commas between them, and with points in its numbers",
            path.display()
        )));
    }
    let places = places(path, columns, &header)?;
    for record in reader.records() {
        let record = record.map_err(|error| fault(path, lines.of(error.position()), &error))?;
        let line = lines.of(record.position());
        // One cell may hold several values.
        let text = |place: &Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
        let cell = |place: &Option<usize>| text(place).split(';').map(str::to_owned).collect();
        take(line, places.iter().map(cell).collect())?;
    }
    Ok(())
}

/// Lines of records that come in order. The reader's own numbers are those of the empty lines before a record.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.counted);
        let blank = self.text.iter().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let end = (start + blank).min(self.text.len());
        let passed = self.text.get(self.counted..end).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = end.max(self.counted);
        self.line
    }
}

fn read_ndjson(path: &Path, columns: Columns<'_>, take: &mut Take<'_>) -> Result<()> {
    let mut reader = BufReader::new(open(path)?);
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_line(&mut text);
        if read.map_err(|error| fault(path, line, error))? == 0 {
            break;
        }
        if text.len() as u64 == MAX_LINE_BYTES {
            return Err(fault(path, line, format!("longer than {MAX_LINE_BYTES} bytes")));
        }
        if text.trim().is_empty() {
            continue;
        }
        let object: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| fault(path, line, format!("not a JSON object: {error}")))?;
        let mut cells = Vec::new();
        for names in columns.needed.iter().chain(columns.optional) {
            let value = names.iter().find_map(|name| object.get(*name));
            let values = value.map_or_else(|| Ok(Vec::new()), |value| json_values(value.get()));
            cells.push(values.map_err(|error| fault(path, line, format!("column '{}': {error}", names[0])))?);
        }
        take(line, cells)?;
    }
    Ok(())
}

/// A number keeps the digits that it was written with.
fn json_values(raw: &str) -> Result<Vec<String>> {
    Ok(match raw.as_bytes().first() {
        Some(b'n') => Vec::new(),
        Some(b'"') => vec![serde_json::from_str(raw)?],
        Some(b'[') => serde_json::from_str(raw)?,
        Some(b'{') => return Err(Error::invalid("an object is no value")),
        _ => vec![raw.to_owned()],
    })
}

fn read_parquet(path: &Path, columns: Columns<'_>, take: &mut Take<'_>) -> Result<()> {
    let unreadable = |error: &dyn std::fmt::Display| Error::invalid(format!("{}: {error}", path.display()));
    let file: File = open(path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(&error))?;
    let header: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let places = places(path, columns, &header)?;
    let options = FormatOptions::default();
    let mut line = 0;
    for batch in builder.build().map_err(|error| unreadable(&error))? {
        let batch = batch.map_err(|error| unreadable(&error))?;
        for row in 0..batch.num_rows() {
            line += 1;
            let mut cells = Vec::with_capacity(places.len());
            for place in &places {
                let Some(place) = *place else {
                    cells.push(Vec::new());
                    continue;
                };
                let column = batch.column(place);
                cells.push(match column.as_list_opt::<i32>() {
                    _ if column.is_null(row) => Vec::new(),
                    Some(lists) => texts(lists.value(row).as_ref(), &options)?,
                    None => texts(column.slice(row, 1).as_ref(), &options)?,
                });
            }
            take(line, cells)?;
        }
    }
    Ok(())
}

fn texts(values: &dyn Array, options: &FormatOptions<'_>) -> Result<Vec<String>> {
    let formatter = ArrayFormatter::try_new(values, options)?;
    Ok((0..values.len()).map(|row| formatter.value(row).to_string()).collect())
}
