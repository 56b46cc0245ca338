use super::*;
use crate::ingest::input::{InputBuilder, InputRow};

fn spelled(row: &InputRow<'_>) -> RecordBatch {
    let mut builder = InputBuilder::default();
    builder.push(row);
    spell(&builder.finish().unwrap(), &BlockedValues::new(&[])).unwrap()
}

fn text(batch: &RecordBatch, column: &str) -> Option<String> {
    let texts = batch.column_by_name(column).unwrap().as_string::<i32>();
    texts.is_valid(0).then(|| texts.value(0).to_owned())
}

#[test]
fn names_lose_the_blanks_around_them() {
    let batch = spelled(&InputRow {
        kind: Some(" Track"),
        event: Some("\u{a0}Order Completed\u{3000}"),
        channel: Some("web\u{feff}"),
        brand: Some("\t\u{200b}"),
        user_id: Some("\u{202a}+86 138\u{202c}"),
        ..InputRow::default()
    });
    assert_eq!(text(&batch, "type").as_deref(), Some("track"));
    assert_eq!(text(&batch, "event").as_deref(), Some("Order Completed"));
    assert_eq!(text(&batch, "channel").as_deref(), Some("web"));
    assert_eq!(text(&batch, "brand"), None);
    assert_eq!(text(&batch, "user_id").as_deref(), Some("+86 138"));
}

#[test]
fn currencies_are_in_upper_case_and_nothing_is_none() {
    for (given, expected) in
        [("usd", Some("USD")), (" Eur ", Some("EUR")), ("NaN", None), ("n/a", None), ("-", None), ("{}", None)]
    {
        let batch = spelled(&InputRow { currency: Some(given), ..InputRow::default() });
        assert_eq!(text(&batch, "currency").as_deref(), expected, "{given}");
    }
}

/// A sign is no code, and it is not nothing: it stays for the message about it.
#[test]
fn signs_of_currencies_are_something() {
    for given in ["$", "€", "¥", "US$", "$$", "($)", "#", "%", "?", "0", "000", "840", "1.38E+10", "."] {
        let batch = spelled(&InputRow { currency: Some(given), ..InputRow::default() });
        assert_eq!(text(&batch, "currency").as_deref(), Some(given));
    }
}

#[test]
fn whole_numbers_in_identifiers_are_digits() {
    let identifiers = [("Email", " a@x.cn "), ("phone", "13800138000.0"), ("member_no", " ")];
    let batch = spelled(&InputRow {
        user_id: Some("123.0"),
        order_id: Some("1.3800138E10"),
        product_id: Some("007.0"),
        identifiers: &identifiers,
        ..InputRow::default()
    });
    assert_eq!(text(&batch, "user_id").as_deref(), Some("123"));
    assert_eq!(text(&batch, "order_id").as_deref(), Some("13800138000"));
    assert_eq!(text(&batch, "product_id").as_deref(), Some("007.0"));
    let pairs = batch.column_by_name("identifiers").unwrap().as_list::<i32>().value(0);
    let (kinds, values) =
        (pairs.as_struct().column(0).as_string::<i32>(), pairs.as_struct().column(1).as_string::<i32>());
    assert_eq!(kinds.iter().flatten().collect::<Vec<_>>(), ["email", "phone", "member_no"]);
    assert_eq!(values.iter().collect::<Vec<_>>(), [Some("a@x.cn"), Some("13800138000"), Some("")]);
}

#[test]
fn what_is_spelled_right_is_passed_on() {
    let mut builder = InputBuilder::default();
    let identifiers = [("email", "a@x.cn")];
    builder.push(&InputRow {
        user_id: Some("u1"),
        currency: Some("CNY"),
        identifiers: &identifiers,
        ..InputRow::default()
    });
    let batch = builder.finish().unwrap();
    assert_eq!(spell(&batch, &BlockedValues::new(&[])).unwrap(), batch);
}
