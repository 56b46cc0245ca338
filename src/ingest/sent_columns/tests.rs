use arrow::array::{AsArray, Float64Array, Int64Array, LargeStringArray, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{Decimal128Type, TimeUnit, TimestampMicrosecondType};

use super::*;
use crate::error::Kind;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn converted(sent: &RecordBatch) -> Result<RecordBatch> {
    SentColumns::of(sent.schema_ref())?.convert(sent)
}

#[test]
fn columns_are_found_by_name_and_become_those_of_events() {
    // 2024-02-29 12:00 UTC is 1709208000 seconds after 1970 (date -u -d '2024-02-29 12:00' +%s).
    let times = TimestampNanosecondArray::from(vec![1_709_208_000_000_000_000]).with_timezone("Europe/Berlin");
    let sent = batch(vec![
        ("revenue", Arc::new(Float64Array::from(vec![19.9]))),
        ("event", Arc::new(LargeStringArray::from(vec!["order_completed"]))),
        ("ts", Arc::new(times)),
        ("quantity", Arc::new(Int64Array::from(vec![2]))),
    ]);
    let events = converted(&sent).unwrap();
    assert_eq!(events.schema(), input::schema());
    let column = |name: &str| Arc::clone(events.column_by_name(name).unwrap());
    assert_eq!(column("event").as_string::<i32>().value(0), "order_completed");
    assert_eq!(column("ts").as_primitive::<TimestampMicrosecondType>().value(0), 1_709_208_000_000_000);
    assert_eq!(column("revenue").as_primitive::<Decimal128Type>().value(0), 199_000);
    assert_eq!(column("quantity").as_primitive::<Decimal128Type>().value(0), 2 * input::QUANTITY_ONE);
    assert_eq!(column("user_id").null_count(), 1);
}

#[test]
fn what_does_not_fit_is_named() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let naive: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![0]));
    assert_eq!(*naive.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, None));
    for (column, sent, said) in [
        ("colour", Arc::clone(&text), "'colour'"),
        ("raw", Arc::clone(&text), "'raw'"),
        ("ts", naive, "without a zone"),
        ("ts", Arc::clone(&text), "'ts' has type Utf8"),
        ("revenue", text, "'revenue' has type Utf8"),
    ] {
        let error = converted(&batch(vec![(column, sent)])).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(said), "{}", error.message());
    }
}
