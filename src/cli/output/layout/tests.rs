use arrow::datatypes::{DataType, Field};

use super::*;

fn schema(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>())
}

fn row(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

const LONG: &str = "a value that is longer than a column which can be read";

#[test]
fn columns_that_would_be_too_narrow_become_lines() {
    let schema = schema(&["id", "setting", "value"]);
    let rows = [row(&["1", LONG, "x\ny"]), row(&["2", LONG, LONG])];
    // 4 and 14 and 14 characters, and two borders.
    assert!(render(&schema, &rows, Some(34)).starts_with('┌'));
    let expected =
        format!("id:      1\nsetting: {LONG}\nvalue:   x\n         y\n\nid:      2\nsetting: {LONG}\nvalue:   {LONG}");
    assert_eq!(render(&schema, &rows, Some(32)), expected);
    assert!(render(&schema, &rows, None).starts_with('┌'), "a file has room");
    assert!(render(&schema, &[], Some(32)).starts_with('┌'), "the names show without rows, too");
}

#[test]
fn many_short_columns_stay_a_table() {
    let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = [row(&["1"; 20])];
    assert!(render(&schema(&names), &rows, Some(110)).starts_with('┌'));
    assert!(render(&schema(&names), &rows, Some(60)).starts_with("c0:"));
}
