use arrow::array::{
    AsArray, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, ListArray,
    ListBuilder, StringArray, StringBuilder, StructArray, TimestampMillisecondArray, TimestampNanosecondArray,
    UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Decimal128Type, Int32Type, TimeUnit, TimestampMicrosecondType};

use super::*;
use crate::error::Kind;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn converted(sent: &RecordBatch) -> Result<RecordBatch> {
    SentColumns::of(sent.schema_ref())?.convert(sent)
}

/// A column beside the times that every event has.
fn with_times(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let times = TimestampMillisecondArray::from(vec![1_709_208_000_000; columns[0].1.len()]).with_timezone("UTC");
    let times: (&str, ArrayRef) = ("ts", Arc::new(times));
    converted(&batch([vec![times], columns].concat()))
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

/// The second row's value is none that the column holds: it is rejected with its text, and the first one is kept.
#[test]
fn a_bad_value_rejects_its_row_alone() {
    let decimals = |values: [i128; 2]| {
        Arc::new(Decimal128Array::from_iter_values(values).with_data_type(DataType::Decimal128(38, 4)))
    };
    let none = TimestampMillisecondArray::from(vec![Some(1_709_208_000_000), None]).with_timezone("UTC");
    let beyond = TimestampMillisecondArray::from(vec![1_709_208_000_000, 1 << 62]).with_timezone("UTC");
    // The year 1811, and the last moment of the year 2200 and the next one (date -u -d '2201-01-01' +%s).
    let old = TimestampMillisecondArray::from(vec![1_709_208_000_000, -5_000_000_000_000]).with_timezone("UTC");
    let late = TimestampMillisecondArray::from(vec![7_289_654_399_999, 7_289_654_400_000]).with_timezone("UTC");
    let cases: [(&str, ArrayRef, &str); 10] = [
        ("revenue", Arc::new(Float64Array::from(vec![1.5, f64::NAN])), "NaN"),
        ("revenue", Arc::new(Float64Array::from(vec![1.5, f64::INFINITY])), "inf"),
        ("cost", Arc::new(Float64Array::from(vec![1.5, 1e30])), "14 digits"),
        ("revenue", decimals([10_000, 10_i128.pow(20)]), "14 digits"),
        ("quantity", Arc::new(Int64Array::from(vec![1, 1 << 62])), "14 digits"),
        ("quantity", Arc::new(UInt64Array::from(vec![1, u64::MAX])), "14 digits"),
        ("ts", Arc::new(beyond), "outside the years 1900 to 2200"),
        ("ts", Arc::new(old), "outside the years 1900 to 2200"),
        ("ts", Arc::new(late), "outside the years 1900 to 2200"),
        ("ts", Arc::new(none), "missing"),
    ];
    for (name, values, reason) in cases {
        let events: ArrayRef = Arc::new(StringArray::from(vec!["good", "bad"]));
        let columns = vec![(name, values), ("event", events)];
        let outcome = match name {
            "ts" => converted(&batch(columns)),
            _ => with_times(columns),
        };
        let converted = outcome.unwrap();
        let text = |column: &str| converted.column_by_name(column).unwrap().as_string::<i32>().clone();
        assert_eq!((text("reject_reason").is_null(0), text("event").value(0)), (true, "good"));
        let said = text("reject_reason").value(1).to_owned();
        assert!(said.starts_with(&format!("column '{name}': ")) && said.contains(reason), "{said}");
        let raw = text("raw").value(1).to_owned();
        assert!(raw.contains("\"event\":\"bad\"") && !raw.contains("ERROR"), "{raw}");
        assert!(converted.column_by_name(name).unwrap().is_valid(0), "{name}");
    }
}

/// As pyarrow writes a customer without an e-mail. The other elements stay.
#[test]
fn identifiers_without_type_or_value_are_left_out() {
    let kinds: ArrayRef = Arc::new(StringArray::from(vec![Some("email"), None, Some("Phone"), Some("email")]));
    let values: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a"), Some(" 13 "), Some("a@x.cn")]));
    let fields =
        Fields::from(vec![Field::new("type", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)]);
    let pairs = StructArray::try_new(fields.clone(), vec![kinds, values], None).unwrap();
    let element = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let lists = ListArray::try_new(element, OffsetBuffer::from_lengths([1, 3, 0]), Arc::new(pairs), None).unwrap();
    let events = with_times(vec![("identifiers", Arc::new(lists))]).unwrap();
    assert_eq!(events.column_by_name("reject_reason").unwrap().null_count(), 3);
    assert_eq!(identifiers(&events), ["", "phone=13 email=a@x.cn", ""]);
}

/// Names tell which is which, whatever the order of a program's fields.
#[test]
fn the_parts_of_identifiers_are_found_by_name() {
    let value: ArrayRef = Arc::new(StringArray::from(vec!["a@x.cn", "13"]));
    let kind: ArrayRef = Arc::new(LargeStringArray::from(vec!["email", "phone"]));
    let sent = |parts: [(&str, &ArrayRef); 2]| {
        let fields = parts.map(|(name, part)| Field::new(name, part.data_type().clone(), true));
        let pairs =
            StructArray::try_new(Fields::from(fields.to_vec()), parts.map(|(_, part)| Arc::clone(part)).into(), None);
        let element = Arc::new(Field::new("item", DataType::Struct(Fields::from(fields.to_vec())), true));
        let lists = ListArray::try_new(element, OffsetBuffer::from_lengths([1, 1]), Arc::new(pairs.unwrap()), None);
        with_times(vec![("identifiers", Arc::new(lists.unwrap()))])
    };
    for parts in [
        [("type", &kind), ("value", &value)],
        [("value", &value), ("type", &kind)],
        [("Value", &value), ("TYPE", &kind)],
    ] {
        assert_eq!(identifiers(&sent(parts).unwrap()), ["email=a@x.cn", "phone=13"], "{parts:?}");
    }
    for parts in [[("type", &kind), ("id", &value)], [("type", &kind), ("Type", &value)]] {
        assert!(sent(parts).unwrap_err().message().contains("column 'identifiers' has type"), "{parts:?}");
    }
}

/// Of each row, as `type=value` with blanks between.
fn identifiers(events: &RecordBatch) -> Vec<String> {
    let lists = events.column_by_name("identifiers").unwrap().as_list::<i32>();
    let of_row = |row: usize| {
        let pairs = lists.value(row);
        let part = |at: usize| pairs.as_struct().column(at).as_string::<i32>().clone();
        let (kinds, values) = (part(0), part(1));
        let pairs = kinds.iter().zip(&values).map(|(kind, value)| format!("{}={}", kind.unwrap(), value.unwrap()));
        pairs.collect::<Vec<String>>().join(" ")
    };
    (0..lists.len()).map(of_row).collect()
}

/// As a file does: what it links may be an anonymous id or a user id (case B1).
#[test]
fn an_alias_links_its_previous_id() {
    let texts = |values: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    for name in ["previous_id", "previousId"] {
        let kinds = ("type", texts([Some("Alias"), Some("track"), Some("alias")]));
        let previous = (name, texts([Some(" c9 "), Some("c8"), None]));
        let events = with_times(vec![kinds.clone(), previous.clone()]).unwrap();
        assert_eq!(identifiers(&events), ["user_id=c9 anonymous_id=c9", "", ""]);
        let twice = with_times(vec![kinds, previous.clone(), ("PREVIOUSID", previous.1)]).unwrap_err();
        assert!(twice.message().contains("'PREVIOUSID' is there twice"), "{twice}");
    }
    let number = with_times(vec![("previous_id", Arc::new(Int64Array::from(vec![7])))]).unwrap_err();
    assert!(number.message().contains("column 'previous_id' has type Int64: send Utf8"), "{number}");
}

/// Levels without a name are left out, and a path without levels is none; where all are right, too.
#[test]
fn categories_are_those_of_a_file() {
    let paths = |rows: &[Option<&[Option<&str>]>]| {
        let mut paths = ListBuilder::new(StringBuilder::new());
        for row in rows {
            match row {
                Some(levels) => paths.append_value(levels.iter().copied()),
                None => paths.append_null(),
            }
        }
        let events = with_times(vec![("category", Arc::new(paths.finish()))]).unwrap();
        let stored = events.column_by_name("category").unwrap().as_list::<i32>().clone();
        let texts = |row: usize| stored.value(row).as_string::<i32>().iter().flatten().collect::<Vec<_>>().join("/");
        (0..stored.len()).map(|row| stored.is_valid(row).then(|| texts(row))).collect::<Vec<_>>()
    };
    let a = Some("a".to_owned());
    assert_eq!(
        paths(&[Some(&[Some("a"), None]), Some(&[None]), Some(&[]), None, Some(&[Some("a")])]),
        [a.clone(), None, None, None, a.clone()]
    );
    assert_eq!(paths(&[Some(&[Some("a")]), Some(&[])]), [a, None]);
}

/// 66 rows that name one text of a megabyte are more than the 64 MiB of a batch; 60 are not.
#[test]
fn a_batch_is_bounded_by_what_its_dictionaries_stand_for() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
    let sent = |rows: usize| {
        let keys = Int32Array::from(vec![0; rows]);
        let events = DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&text)).unwrap();
        with_times(vec![("event", Arc::new(events))])
    };
    assert_eq!(sent(60).unwrap().num_rows(), 60);
    let error = sent(66).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("at most 67108864"), "{}", error.message());
    let rows: ArrayRef = Arc::new(Int64Array::from(vec![0; 65_537]));
    assert!(with_times(vec![("quantity", rows)]).unwrap_err().message().contains("at most 65536"));
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

/// Each row would be rejected alone otherwise.
#[test]
fn columns_without_times_are_refused() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let error = converted(&batch(vec![("event", Arc::clone(&text)), ("user_id", text)])).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().starts_with("events need a column 'ts'"), "{}", error.message());
}
