//! The quotes of one CSV record: whether each field closes the quote that it opens, as RFC 4180 says.
//!
//! Where one is left open, the `csv` crate takes the rows below into the field, up to the next quote, in silence. Must not
//! know what columns mean.

/// What is wrong with the quotes of a record, with the place of the quote that opens the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteFault {
    /// Text follows the quote that closes the field.
    TextBehind { opened: usize },
    /// The record ends inside of the field.
    NeverClosed { opened: usize },
}

#[derive(Clone, Copy)]
enum State {
    FieldStart,
    /// In a field without quotes: one inside of it is a character like others.
    Plain,
    Quoted {
        opened: usize,
    },
    /// Behind a quote inside of quotes: the field ends here, unless another quote follows.
    Closed {
        opened: usize,
    },
    /// Behind that and blanks.
    Padded {
        opened: usize,
    },
}

/// The first fault of a record as it stands in the file. Blanks behind a closing quote are none.
pub fn find_fault(record: &[u8], delimiter: u8) -> Option<QuoteFault> {
    if !record.contains(&b'"') {
        return None;
    }
    let mut state = State::FieldStart;
    for (at, byte) in record.iter().enumerate() {
        state = match (state, *byte) {
            (State::FieldStart, b'"') => State::Quoted { opened: at },
            (State::Quoted { opened }, b'"') => State::Closed { opened },
            (State::Closed { opened }, b'"') => State::Quoted { opened },
            (State::Quoted { .. }, _) => state,
            (_, b'\r' | b'\n') => State::FieldStart,
            (_, byte) if byte == delimiter => State::FieldStart,
            (State::Closed { opened } | State::Padded { opened }, b' ' | b'\t') => State::Padded { opened },
            (State::Closed { opened } | State::Padded { opened }, _) => return Some(QuoteFault::TextBehind { opened }),
            (State::FieldStart | State::Plain, _) => State::Plain,
        };
    }
    match state {
        State::Quoted { opened } => Some(QuoteFault::NeverClosed { opened }),
        _ => None,
    }
}

/// Lines below the first one that read as rows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsInside {
    None,
    Some,
    All,
}

/// Looks for rows among the lines of a record below its first. `is_row` is asked of lines that have as many separators as
/// a row of `width` fields.
pub fn find_rows_inside(record: &[u8], delimiter: u8, width: usize, is_row: impl Fn(&[u8]) -> bool) -> RowsInside {
    /// Of a time and a text, as in a log, a line inside of a text may have the shape of a row by chance.
    const MIN_WIDTH: usize = 3;
    if width < MIN_WIDTH {
        return RowsInside::None;
    }
    let reads_as_row =
        |line: &[u8]| line.iter().filter(|byte| **byte == delimiter).count() >= width - 1 && is_row(line);
    let lines = record.trim_ascii_end().split(|byte| *byte == b'\n').skip(1);
    let (mut all, mut any) = (true, false);
    for line in lines {
        let is_row = reads_as_row(line.strip_suffix(b"\r").unwrap_or(line));
        (all, any) = (all && is_row, any || is_row);
    }
    match (any, all) {
        (false, _) => RowsInside::None,
        (true, false) => RowsInside::Some,
        (true, true) => RowsInside::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(record: &str) -> Option<QuoteFault> {
        find_fault(record.as_bytes(), b',')
    }

    #[test]
    fn quotes_as_the_standard_has_them_are_no_fault() {
        for record in [
            "a,b\n",
            "\"a\",\"b\"\r\n",
            "a,\"say \"\"hi\"\", twice\",c",
            "\"\",\"\"\"\"\n",
            "\r\n\n\"a\nb\",c\r",
            "5\" pipe,a\"b\"\n",
            "\"a\" ,\"b\"\t \n",
        ] {
            assert_eq!(fault(record), None, "{record:?}");
        }
        assert_eq!(find_fault(b"\"a\"\t\"b\"", b'\t'), None, "a blank that separates");
    }

    #[test]
    fn text_behind_a_closing_quote_and_an_open_end_are() {
        assert_eq!(fault("a,\"fine\"x\n"), Some(QuoteFault::TextBehind { opened: 2 }));
        assert_eq!(fault("1,\"size 5\n2,x\n3,\"fine\"\n"), Some(QuoteFault::TextBehind { opened: 2 }));
        assert_eq!(fault("\"a\" b,c"), Some(QuoteFault::TextBehind { opened: 0 }));
        assert_eq!(
            fault("\"{\\\"a\\\":1}\""),
            Some(QuoteFault::TextBehind { opened: 0 }),
            "a backslash escapes nothing"
        );
        assert_eq!(fault("\"a\",\"b\nc,d\n"), Some(QuoteFault::NeverClosed { opened: 4 }));
    }

    #[test]
    fn rows_inside_of_a_field_are_told_from_text() {
        let starts_with_digit = |line: &[u8]| line.first().is_some_and(u8::is_ascii_digit);
        let find = |record: &str, width| find_rows_inside(record.as_bytes(), b',', width, starts_with_digit);
        assert_eq!(find("1,a,\"x\n2,b,y\n3,c,12\"\n", 3), RowsInside::All);
        assert_eq!(find("1,a,\"x\n2,b,y\nand so on\"\n", 3), RowsInside::Some);
        assert_eq!(find("1,a,\"x\n2, b\nthen, in the end, c\"\n", 3), RowsInside::None);
        assert_eq!(find("1,a,\"x\"\r\n", 3), RowsInside::None);
        assert_eq!(find("1,\"x\n2,b\"\n", 2), RowsInside::None);
    }
}
