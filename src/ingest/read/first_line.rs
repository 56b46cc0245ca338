//! What a CSV file's first line seems to be where it does not name the columns that are needed: a row, a title, Excel's
//! line about separators, or a header of another separator. Told, never acted upon: a guess may be wrong.

use std::path::Path;

use csv::StringRecord;

use super::coerce::{TimeParser, decimal_from_text, shown, trimmed};
use super::field::EventField;
use super::options::ReadOptions;
use crate::error::{Error, Result};

/// Refuses the line `sep=;` that Excel writes, and reads itself.
pub(super) fn check_no_separator_line(path: &Path, line: &[u8]) -> Result<()> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_matches(['\r', '\n', '"']);
    match line.split_at_checked(4) {
        Some((name, separator)) if name.eq_ignore_ascii_case("sep=") && separator.chars().count() == 1 => {
            let written = if separator == "\t" { "\\t" } else { separator };
            Err(Error::invalid(format!(
                "{}: its first line, 'sep={written}', is one that Excel alone reads: remove it, and add --delimiter \
                 '{written}' unless its columns are separated by commas",
                path.display()
            )))
        }
        _ => Ok(()),
    }
}

/// The error for a first line that does not name the columns that are needed; `None` where it looks like a header.
pub(super) fn fault(
    path: &Path,
    header: &StringRecord,
    next: Option<&StringRecord>,
    delimiter: u8,
    options: &ReadOptions,
) -> Option<Error> {
    let said = other_delimiter(header, delimiter).or_else(|| title(header, next?)).or_else(|| row(header, options))?;
    Some(Error::invalid(format!("{}: {said}", path.display())))
}

fn cells(record: &StringRecord) -> impl Iterator<Item = &str> {
    record.iter().filter_map(trimmed)
}

fn other_delimiter(header: &StringRecord, delimiter: u8) -> Option<String> {
    const SEPARATORS: [(u8, &str); 4] = [(b';', ";"), (b'\t', "\\t"), (b'|', "|"), (b',', ",")];
    let only = header.get(0).filter(|_| header.len() == 1)?;
    let count = |separator: u8| only.bytes().filter(|byte| *byte == separator).count();
    let others = SEPARATORS.into_iter().filter(|(byte, _)| *byte != delimiter && count(*byte) > 0);
    let (_, written) = others.max_by_key(|(byte, _)| count(*byte))?;
    Some(format!(
        "its first line is one column, {}: if '{written}' separates its columns, add --delimiter '{written}'",
        shown(only)
    ))
}

/// A title above the header; Excel writes the separators of its empty cells, too.
fn title(header: &StringRecord, next: &StringRecord) -> Option<String> {
    let (only, below) = (cells(header).next()?, cells(next).count());
    let is_title = cells(header).count() == 1 && below > 1;
    is_title.then(|| {
        format!(
            "its first line holds nothing but {}, and the next one {below} cells: if it is a title, remove all lines above \
             the one that names the columns",
            shown(only)
        )
    })
}

fn row(header: &StringRecord, options: &ReadOptions) -> Option<String> {
    let names_field = |cell: &str| EventField::all().any(|field| field.name_match(cell).is_some());
    if cells(header).any(names_field) {
        return None;
    }
    let times = TimeParser::new(options.time_zone, options.ts_format.as_deref()).ok()?;
    let is_time = |cell: &&str| times.instant_of_text(cell).is_ok();
    // A year may well be a column's name.
    let is_year = |cell: &str| cell.len() == 4 && (cell.starts_with("19") || cell.starts_with("20"));
    let is_value = |cell: &&str| !is_year(cell) && (decimal_from_text(cell).is_ok() || is_time(cell));
    let is_date = |cell: &str| !cell.bytes().all(|byte| byte.is_ascii_digit()) && is_time(&cell);
    let (all, values) = (cells(header).count(), cells(header).filter(is_value).count());
    let is_row = cells(header).any(is_date) || (values > 0 && 2 * values >= all);
    is_row.then(|| {
        let shown: Vec<String> = cells(header).take(5).map(shown).collect();
        format!(
            "its first line reads as a row and not as names of columns, {}: the file seems to have no header line. Put one \
             above it that names its {} columns, such as ts,event,user_id",
            shown.join(", "),
            header.len()
        )
    })
}
