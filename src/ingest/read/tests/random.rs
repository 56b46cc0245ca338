use std::fmt::Write;

use super::{TestFile, options};
use crate::ingest::read::ReadOptions;

/// Reads bytes under a name; every row that comes is kept or rejected, and numbers only rise.
fn check(name: &str, bytes: &[u8], options: ReadOptions) -> Option<usize> {
    let rows = TestFile::new(name, bytes).read(options).ok()?;
    let numbers: Vec<i64> = rows.all("row").iter().map(|number| number.parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    for row in 0..rows.len() {
        let is_rejected = !rows.is_null(row, "reject_reason");
        assert_eq!(is_rejected, rows.is_null(row, "ts"));
        // Of a time that lies beyond now it may be there, too.
        assert!(!is_rejected || !rows.is_null(row, "raw"));
    }
    Some(rows.len())
}

proptest::proptest! {
    #[test]
    fn any_bytes_as_csv(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let mut file = b"ts,event,x\n".to_vec();
        file.extend(&bytes);
        check("a.csv", &file, ReadOptions::default());
        check("b.csv", &bytes, options(""));
    }

    #[test]
    fn any_text_as_csv(text in "(ts|event|2024-01-01|[,\"\n\r 1a;.-]){0,60}") {
        check("a.csv", format!("ts,event\n{text}").as_bytes(), ReadOptions::default());
        check("b.tsv", format!("ts\tevent\n{text}").as_bytes(), ReadOptions::default());
    }

    #[test]
    fn any_bytes_as_ndjson(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        check("a.ndjson", &bytes, ReadOptions::default());
    }

    #[test]
    fn any_json_like_text_as_ndjson(
        text in "(\\{|\\}|\\[|\\]|:|,|\"|\n|null|1|\"ts\":\"2024-01-01\",|\"event\":\"a\"|\"properties\":|\\\\u00|\"traits\":){0,40}"
    ) {
        check("a.ndjson", text.as_bytes(), ReadOptions::default());
    }

    #[test]
    fn any_bytes_as_parquet(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let mut file = b"PAR1".to_vec();
        file.extend(&bytes);
        file.extend((bytes.len() as u32).to_le_bytes());
        file.extend(b"PAR1");
        check("a.parquet", &file, ReadOptions::default());
    }

    #[test]
    fn every_row_is_kept_or_rejected(values in proptest::collection::vec("[0-9x.]{1,6}", 1..50)) {
        let (mut csv, mut ndjson) = (String::from("ts,event,revenue\n"), String::new());
        for value in &values {
            writeln!(csv, "2024-01-01,a,{value}").unwrap();
            writeln!(ndjson, "{{\"ts\":\"2024-01-01\",\"event\":\"a\",\"revenue\":\"{value}\"}}").unwrap();
        }
        proptest::prop_assert_eq!(check("a.csv", csv.as_bytes(), ReadOptions::default()), Some(values.len()));
        proptest::prop_assert_eq!(check("a.ndjson", ndjson.as_bytes(), ReadOptions::default()), Some(values.len()));
    }
}
