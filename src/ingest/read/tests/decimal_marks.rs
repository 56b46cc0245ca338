//! A column with `49,90` and `1.250`: its file is refused, whatever its format, and nothing of it is kept.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use super::parquet::file_of;
use super::{TestFile, options, refusal};
use crate::ingest::read::ReadOptions;

fn german(column: &str, first: &str, second: &str) -> String {
    format!("ts;event;{column}\n2024-04-03;sale;{first}\n2024-04-04;sale;{second}\n")
}

fn semicolons() -> ReadOptions {
    ReadOptions { delimiter: Some(b';'), ..ReadOptions::default() }
}

#[test]
fn a_file_with_both_marks_is_refused_in_any_order() {
    for (first, second) in [("1.250", "49,90"), ("49,90", "1.250"), ("1.250,00", "1.250"), ("1.250.000", "1.250")] {
        for column in ["revenue", "cost", "quantity", "Price", "total"] {
            let message = refusal("g.csv", german(column, first, second), semicolons());
            let named = format!("column '{column}'");
            for part in [first, second, named.as_str(), "nothing of the file is loaded", "1234.56"] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
    }
    let mapped = ReadOptions { delimiter: Some(b';'), ..options("revenue=Summe") };
    let message = refusal("g.csv", german("Summe", "1.250", "49,90"), mapped);
    assert!(message.contains("column 'Summe' has '49,90'"), "{message}");
}

#[test]
fn one_mark_alone_and_columns_that_are_no_numbers_are_read_as_before() {
    for (first, second, rejected) in [
        ("1.250", "49.90", 0),
        ("12,50", "49,90", 2),
        ("1,250", "1.250", 1),
        ("1,234.50", "1.250", 1),
        ("0.125", "0,5", 1),
    ] {
        let rows = TestFile::new("g.csv", german("revenue", first, second)).read(semicolons()).unwrap();
        assert_eq!(rows.rejected(), rejected, "{first} {second}");
    }
    let rows = TestFile::new("g.csv", german("note", "1.250", "49,90")).read(semicolons()).unwrap();
    assert_eq!(rows.rejected(), 0);
}

#[test]
fn texts_in_json_and_parquet_are_in_doubt_and_numbers_are_not() {
    let line = |member: &str| format!("{{\"ts\":\"2024-01-01\",\"event\":\"a\",{member}}}\n");
    let both = |comma: &str, doubt: &str| line(comma) + &line(doubt);
    let text = both(r#""revenue":"49,90""#, r#""revenue":"1.250""#);
    assert!(refusal("g.ndjson", text, ReadOptions::default()).contains("column 'revenue' has '49,90'"));
    let lifted = both(r#""properties":{"quantity":"0,5"}"#, r#""properties":{"quantity":"1.250"}"#);
    assert!(refusal("g.ndjson", lifted, ReadOptions::default()).contains("column 'quantity' has '0,5'"));
    let numbers = both(r#""revenue":"49,90""#, r#""revenue":1.250"#);
    assert_eq!(TestFile::new("g.ndjson", numbers).read(ReadOptions::default()).unwrap().rejected(), 1);
    let column = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let file = file_of(vec![("ts", column(["2024-01-01"; 2])), ("revenue", column(["1.250", "49,90"]))]);
    let refused = file.read(options("")).err().unwrap();
    assert!(refused.message().contains("column 'revenue' has '49,90'"), "{refused}");
}

/// Amounts of whole thousands with points between them, as spreadsheets show them, look like decimals of three digits.
#[test]
fn numbers_of_which_nothing_tells_what_their_points_are_are_told() {
    let told = |first: &str, second: &str| {
        let file = TestFile::new("g.csv", german("Betrag", first, second));
        let mapped = ReadOptions { delimiter: Some(b';'), ..options("revenue=Betrag") };
        let (rows, notes) = file.read_with_notes(mapped).unwrap();
        assert_eq!(rows.rejected(), 0, "{first} {second}");
        notes
    };
    let notes = told("1.200", "-12.000");
    assert_eq!(notes.len(), 1, "{notes:?}");
    for part in ["column 'Betrag' has '1.200' and '-12.000'", "1.200 as 1.2. ", "thousand times as much", "(1200)"] {
        assert!(notes[0].contains(part), "{part}: {notes:?}");
    }
    assert!(told("12.000", "1.200")[0].contains("12.000 as 12. "));
    // Another count of digits tells that the point is decimal.
    for (first, second) in [("1.200", "0.750"), ("1.234", "2.5"), ("3.9", "1.200"), ("12.50", "9"), ("300", "9")] {
        assert_eq!(told(first, second), [""; 0], "{first} {second}");
    }
    // So does a number of another column.
    let text = "ts;event;revenue;cost\n2024-04-03;sale;1.200;0.5\n2024-04-04;sale;2.300;\n";
    let (_, notes) = TestFile::new("g.csv", text).read_with_notes(semicolons()).unwrap();
    assert_eq!(notes, [""; 0]);

    let line = |revenue: &str| format!("{{\"ts\":\"2024-01-01\",\"event\":\"a\",\"revenue\":{revenue}}}\n");
    let notes_of = |revenues: [&str; 3]| {
        let file = TestFile::new("g.ndjson", revenues.map(line).concat());
        file.read_with_notes(ReadOptions::default()).unwrap().1
    };
    assert_eq!(notes_of([r#""1.200""#, r#""2.300""#, "7"]).len(), 1);
    assert_eq!(notes_of([r#""1.200""#, r#""2.300""#, r#""7.5""#]), [""; 0]);
    assert_eq!(notes_of(["1.200", "2.300", "7"]), [""; 0], "numbers of JSON have a decimal point");
}

/// Whole euros, of which one amount alone reaches a thousand: 1234, 1.234, 50.
#[test]
fn one_number_in_doubt_among_whole_ones_is_told() {
    let notes_of = |amounts: &[&str]| {
        let rows = amounts.iter().map(|amount| format!("2024-04-03;sale;{amount}\n")).collect::<String>();
        let file = TestFile::new("g.csv", format!("ts;event;revenue\n{rows}"));
        let (rows, notes) = file.read_with_notes(semicolons()).unwrap();
        (rows.all("revenue"), notes)
    };
    let (revenues, notes) = notes_of(&["1234", "1.234", "50"]);
    assert_eq!(revenues, ["1234.0000", "1.2340", "50.0000"]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    for part in ["column 'revenue' has '1.234', and", "as a decimal, as 1.234. ", "thousand times as much", "(1234)"] {
        assert!(notes[0].contains(part), "{part}: {notes:?}");
    }
    for told in [&["1.200"][..], &["1.200", "1.200"], &["300", "", "1.200"]] {
        assert!(notes_of(told).1[0].contains("'1.200', and no number"), "{told:?}");
    }
    for evident in [&["1.234", "2.5"][..], &["1234", "1.234", "12.50"], &["3.9", "50", "1.234"], &["1234", "50"]] {
        assert_eq!(notes_of(evident).1, [""; 0], "{evident:?}");
    }
    let line = |revenue: &str| format!("{{\"ts\":\"2024-01-01\",\"event\":\"a\",\"revenue\":{revenue}}}\n");
    let text = [r#""1234""#, r#""1.234""#, "50"].map(line).concat();
    let notes = TestFile::new("g.ndjson", text).read_with_notes(ReadOptions::default()).unwrap().1;
    assert!(notes[0].contains("column 'revenue' has '1.234', and"), "{notes:?}");
    let column = |values: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let file = file_of(vec![("ts", column(["2024-01-01"; 2])), ("revenue", column(["1.234", "50"]))]);
    let notes = file.read_with_notes(options("")).unwrap().1;
    assert!(notes.iter().any(|note| note.starts_with("column 'revenue' has '1.234', and")), "{notes:?}");
}
