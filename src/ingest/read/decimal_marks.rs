//! Columns of numbers of which some have a decimal comma, `49,90`, and others a point before three digits, `1.250`: where
//! the comma is decimal that is 1250, and read as 1.25 nothing would tell. Such a file is refused as a whole, since rows
//! that were kept could not be told from right ones. Where nothing else in a file has a point, be it in one number or
//! in all, nothing tells: the file is loaded, and its owner told how they were read.
//!
//! Must not know any file format, nor which columns hold numbers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::coerce::trim_blanks;
use crate::error::{Error, Result};

/// The decimal marks of a file's numbers. All clones share them.
#[derive(Debug, Clone, Default)]
pub struct DecimalMarks {
    columns: Arc<Mutex<BTreeMap<String, Samples>>>,
    /// Whether a number of the file has a point that can be no other than decimal: most files have one in each row.
    has_point: Arc<AtomicBool>,
}

/// The first values of a column that tell of its marks, as they are written.
#[derive(Debug, Default)]
struct Samples {
    with_comma: Option<String>,
    in_doubt: Option<String>,
    /// Another one than that.
    in_doubt_too: Option<String>,
}

impl Samples {
    fn add(&mut self, mark: Mark, text: &str) {
        let sample = match mark {
            Mark::Point => return,
            Mark::Comma => &mut self.with_comma,
            Mark::InDoubt if self.in_doubt.as_deref().is_some_and(|first| first != text) => &mut self.in_doubt_too,
            Mark::InDoubt => &mut self.in_doubt,
        };
        sample.get_or_insert_with(|| text.to_owned());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The comma is decimal, or points stand between thousands.
    Comma,
    /// One point before three digits: decimal, or between thousands.
    InDoubt,
    /// One point that stands where none stands between thousands.
    Point,
}

impl DecimalMarks {
    /// Takes note of a number as it is written.
    pub fn note(&self, column: &str, text: &str) {
        let text = trim_blanks(text);
        let Some(mark) = mark_of(text) else { return };
        if mark == Mark::Point {
            self.has_point.store(true, Ordering::Relaxed);
            return;
        }
        let mut columns = self.columns.lock();
        match columns.get_mut(column) {
            Some(samples) => samples.add(mark, text),
            None => {
                let mut samples = Samples::default();
                samples.add(mark, text);
                columns.insert(column.to_owned(), samples);
            }
        }
    }

    /// Likewise of a value in JSON, whose own numbers have a decimal point: only a text is in doubt.
    pub fn note_json(&self, key: &str, value: &str) {
        if let Some(text) = text_in_json(value) {
            self.note(key, text);
        }
    }

    /// Whether there is anything to note of a value in JSON.
    pub fn tells(&self, value: &str) -> bool {
        match text_in_json(value).and_then(|text| mark_of(trim_blanks(text))) {
            Some(Mark::Point) => !self.has_point.load(Ordering::Relaxed),
            mark => mark.is_some(),
        }
    }

    /// How numbers were read of which nothing in the file tells what their points are; complete behind the last row.
    pub fn notes(&self) -> Vec<String> {
        if self.has_point.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let columns = self.columns.lock();
        let in_doubt = columns.iter().filter_map(|(column, samples)| {
            let first = samples.in_doubt.as_deref()?;
            Some(match samples.in_doubt_too.as_deref() {
                Some(other) => note_of_several(column, first, other),
                None => note_of_one(column, first),
            })
        });
        in_doubt.collect()
    }

    /// Refuses the file when a column has both.
    pub fn check(&self, path: &Path) -> Result<()> {
        let columns = self.columns.lock();
        let both = columns
            .iter()
            .find_map(|(column, samples)| Some((column, samples.with_comma.as_deref()?, samples.in_doubt.as_deref()?)));
        let Some((column, with_comma, in_doubt)) = both else { return Ok(()) };
        Err(Error::invalid(format!(
            "{}: column '{column}' has '{with_comma}', where a point is no decimal point, and '{in_doubt}', which would be \
             read with one: nothing of the file is loaded, since the latter may mean a thousand times as much. Write all \
             numbers of the column with a decimal point alone, such as 1234.56, without thousands separators; where \
             '{in_doubt}' is right as it is, correct '{with_comma}'",
            path.display()
        )))
    }
}

/// Why nothing tells what a point is, in a note.
const NOTHING_TELLS: &str = "no number of the file has a point before more or fewer digits than three";

/// What to do where the point of a note's numbers was meant otherwise.
const WHERE_MEANT_OTHERWISE: &str = "load each file once into another --data folder, or after `convoke workspace drop`";

fn note_of_several(column: &str, first: &str, other: &str) -> String {
    format!(
        "column '{column}' has '{first}' and '{other}', and {NOTHING_TELLS}: they are read as decimals, {first} as {}. Where \
         the point stands between thousands, they are a thousand times as much: write them without it ({}), and \
         {WHERE_MEANT_OTHERWISE}",
        as_decimal(first),
        first.replace('.', "")
    )
}

/// One value is in doubt as several are: the rest of its column may be below a thousand.
fn note_of_one(column: &str, number: &str) -> String {
    format!(
        "column '{column}' has '{number}', and {NOTHING_TELLS}: it is read as a decimal, as {}. Where the point stands \
         between thousands, it is a thousand times as much: write it without it ({}), and {WHERE_MEANT_OTHERWISE}",
        as_decimal(number),
        number.replace('.', "")
    )
}

/// A number in doubt as it is read, without the zeros at its end.
fn as_decimal(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

/// What stands between the quotes of a text.
fn text_in_json(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// What a number's text tells of the marks in its column: most tell nothing.
fn mark_of(text: &str) -> Option<Mark> {
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    match number.rsplit_once(',') {
        Some((whole, fraction)) => {
            let is_grouped = is_grouped(whole);
            // Three digits behind the only mark may be the last of a thousand.
            let is_decimal = is_grouped || whole == "0" || (is_digits(whole) && fraction.len() != 3);
            (is_decimal && is_digits(fraction)).then_some(Mark::Comma)
        }
        None => {
            let (whole, fraction) = number.split_once('.')?;
            match is_grouped(number) {
                true if fraction.contains('.') => Some(Mark::Comma),
                true => Some(Mark::InDoubt),
                false => (is_digits(whole) && is_digits(fraction)).then_some(Mark::Point),
            }
        }
    }
}

/// Whether points stand where they stand between thousands: `1.250`, `1.250.000`. A thousand does not begin with 0.
fn is_grouped(number: &str) -> bool {
    let mut groups = number.split('.');
    let first = groups.next().unwrap_or_default();
    let starts = is_digits(first) && first.len() <= 3 && !first.starts_with('0');
    let mut count = 0;
    let all_of_three = groups.all(|group| {
        count += 1;
        group.len() == 3 && is_digits(group)
    });
    starts && all_of_three && count > 0
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_text_of_a_number_tells() {
        let comma = ["49,90", "0,125", "1.250,00", "12.345.678,9", "-1,5", "+0,5", "1.250.000", "1250,5", "1.250,125"];
        let doubt = ["1.250", "-12.000", "999.999"];
        let point = ["12.50", "0.125", "1.2500", "1250.000", "007.250", "-3.5"];
        let nothing = [
            "1250",
            "1,250",
            "1,234,567",
            "1,234.50",
            "12,50.5",
            "1.250,",
            ",5",
            "1.25.000",
            "abc",
            "1.250 EUR",
            "a,5",
            "",
            "-",
            ".",
            ",",
            "1.",
            ".250",
            "1e5",
            "1.250e3",
        ];
        let cases = [
            (&comma[..], Some(Mark::Comma)),
            (&doubt[..], Some(Mark::InDoubt)),
            (&point[..], Some(Mark::Point)),
            (&nothing[..], None),
        ];
        for (texts, mark) in cases {
            for text in texts {
                assert_eq!(mark_of(text), mark, "{text}");
            }
        }
    }

    #[test]
    fn only_both_in_one_column_are_refused() {
        let marks = DecimalMarks::default();
        marks.note("a", "1.250");
        marks.note("b", "49,90");
        marks.note_json("b", "1.250");
        marks.note_json("b", "\"12.50\"");
        assert!(marks.check(Path::new("f")).is_ok());
        marks.note_json("b", "\" 2.000 \"");
        let refused = marks.check(Path::new("f")).unwrap_err();
        assert!(refused.message().starts_with("f: column 'b' has '49,90', where"), "{refused}");
        assert!(refused.message().contains("and '2.000', which would be read with one"), "{refused}");
    }
}
