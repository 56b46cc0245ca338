use std::path::PathBuf;

use super::*;
use crate::workspace::reference::RATE_ONE;

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn day(text: &str) -> i32 {
    arrow::datatypes::Date32Type::from_naive_date(text.parse().unwrap())
}

#[test]
fn names_come_from_one_row_or_several_in_the_order_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let csv =
        "\u{feff}Day,Name\n2024-02-10,春节\n2024-11-11,Singles' Day; Double 11\n2024-02-10,New Year\n2024-02-10,春节\n";
    let json = r#"{"day":"2024-02-10","names":["春节","New Year"]}

{"day":"2024-11-11","name":"Singles' Day","x":1}
{"day":"2024-11-11","name":"Double 11"}"#;
    let from_csv = read_dates(&file(&folder, "a.csv", csv)).unwrap();
    assert_eq!(from_csv, read_dates(&file(&folder, "a.ndjson", json)).unwrap());
    assert_eq!(from_csv.names[&day("2024-02-10")], ["春节", "New Year"]);
    assert_eq!(from_csv.names[&day("2024-11-11")], ["Singles' Day", "Double 11"]);
}

#[test]
fn rates_keep_their_digits_whatever_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let csv = file(&folder, "a.csv", "currency,day,rate\nidr,2024-01-05,0.000064123456\nEUR,2024-01-05,1.1\n");
    let json = file(
        &folder,
        "a.ndjson",
        "{\"day\":\"2024-01-05\",\"currency\":\"IDR\",\"rate\":0.000064123456}\n\
         {\"day\":\"2024-01-05\",\"currency\":\"EUR\",\"rate\":\"1.10\"}\n",
    );
    let rates = read_fx_rates(&csv, "USD").unwrap();
    assert_eq!(rates, read_fx_rates(&json, "USD").unwrap());
    assert_eq!(rates.rate("IDR", day("2024-01-05"), 0), Some(64_123_456));
    assert_eq!(rates.rate("EUR", day("2024-01-05"), 0), Some(RATE_ONE / 10 * 11));
}

/// Rates of the ECB are in EUR: in a workspace of USD they would be wrong by that rate.
#[test]
fn rates_in_another_base_currency_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = "day,currency,rate,Base\n2024-01-05,GBP,1.16,EUR\n";
    let json = r#"{"day":"2024-01-05","currency":"GBP","rate":1.16,"base_currency":"EUR"}"#;
    for path in [file(&folder, "a.csv", text), file(&folder, "a.ndjson", json)] {
        let error = read_fx_rates(&path, "USD").unwrap_err();
        assert!(error.message().contains("the rate is in EUR, the base currency is USD"), "{error}");
        assert!(error.message().contains("workspace set NAME base_currency=CODE"), "{error}");
        assert_eq!(read_fx_rates(&path, "EUR").unwrap().rates.len(), 1);
    }
    let own = file(&folder, "b.csv", "day,currency,rate\n2024-01-05,EUR,1\n2024-01-05,USD,1.09\n");
    let error = read_fx_rates(&own, "USD").unwrap_err();
    assert!(
        error.message().contains("its rate is 1, not 1.09; if rates are to be in the base currency of this file"),
        "{error}"
    );
}

#[test]
fn parquet_gives_the_same_rows() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Float64Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
    let folder = tempfile::tempdir().unwrap();
    let mut names = ListBuilder::new(StringBuilder::new());
    names.append_value([Some("a"), Some("b")]);
    let days: ArrayRef = Arc::new(Date32Array::from(vec![day("2024-01-05")]));
    let columns: [(&str, ArrayRef); 4] = [
        ("day", days),
        ("names", Arc::new(names.finish())),
        ("currency", Arc::new(StringArray::from(vec!["EUR"]))),
        ("rate", Arc::new(Float64Array::from(vec![1.25]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.path().join("a.parquet");
    let bytes = crate::store::objects::encode_parquet(batch.schema(), &[batch]).unwrap();
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read_dates(&path).unwrap().names[&day("2024-01-05")], ["a", "b"]);
    assert_eq!(read_fx_rates(&path, "USD").unwrap().rate("EUR", day("2024-01-05"), 0), Some(RATE_ONE / 4 * 5));
}

#[test]
fn a_faulty_row_is_named_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let rates = |text: &str| read_fx_rates(&file(&folder, "r.csv", text), "USD").unwrap_err().to_string();
    let good = "day,currency,rate\n2024-01-05,EUR,1.1\n";
    for (row, part) in [
        ("2024-13-05,EUR,1.1", "not a day"),
        ("1989-12-31,EUR,1.1", "out of the calendar"),
        ("2024-01-06,euro,1.1", "not a currency"),
        ("2024-01-06,U5D,1.1", "not a currency"),
        ("2024-01-06,usd,1.2", "its rate is 1"),
        ("2024-01-05,eur,1.2", "two rates"),
        ("2024-01-06,EUR,0", "not a rate"),
        ("2024-01-06,EUR,-1", "not a rate"),
        ("2024-01-06,EUR,1e30", "not a rate"),
        ("2024-01-06,EUR,", "'rate' is empty"),
        ("2024-01-05,EUR,1.2", "two rates"),
        ("2024-01-06,USD,1.2", "its rate is 1"),
        ("2024-01-06,EUR", "2 fields"),
    ] {
        let message = rates(&format!("{good}\n{row}\n"));
        assert!(message.contains("line 4") && message.contains(part), "{row}: {message}");
        assert!(message.contains("nothing was imported"), "{message}");
    }
    assert!(rates("day,curency,rate\n").contains("did you mean curency"), "{}", rates("day,curency,rate\n"));
    assert!(rates("day,currency,rate\n").contains("no rows"));
    let semicolons = rates("day;currency;rate\n2024-01-05;EUR;1,1\n");
    assert!(semicolons.contains("its columns are separated by ';': save it with commas"), "{semicolons}");
    let dates = |name: &str, text: &str| read_dates(&file(&folder, name, text)).unwrap_err().to_string();
    assert!(dates("d.csv", "day,name\n2024-01-05, ;\n").contains("line 2: column 'name' is empty"));
    assert!(
        dates("d.ndjson", "{\"day\":\"2024-01-05\",\"name\":\"x\"}\nnonsense\n").contains("line 2: not a JSON object")
    );
    assert!(dates("d.xlsx", "").contains("unknown kind of file"));
}
