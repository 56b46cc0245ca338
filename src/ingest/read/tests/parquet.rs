use std::fs::File;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type, i256};
use parquet::arrow::ArrowWriter;

use super::{Rows, TestFile, options, refusal};
use crate::error::Result;
use crate::ingest::read::{FileReader, ReadOptions};

pub(super) fn file_of(columns: Vec<(&str, ArrayRef)>) -> TestFile {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let file = TestFile::new("t.parquet", "");
    let mut writer = ArrowWriter::try_new(File::create(&file.path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

/// Reads one column of two rows as a field, with times and names added.
fn read_as(field: &str, array: impl Array + 'static) -> Result<Rows> {
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2024-01-01"; array.len()]));
    file_of(vec![("ts", times), (field, Arc::new(array))]).read(options(""))
}

fn read_times(array: impl Array + 'static, zone: chrono_tz::Tz) -> Vec<String> {
    let rows = file_of(vec![("ts", Arc::new(array))]).read(ReadOptions { time_zone: zone, ..options("") }).unwrap();
    (0..rows.len()).map(|row| rows.get(row, "ts")).collect()
}

#[test]
fn times_of_every_type() {
    let shanghai = chrono_tz::Asia::Shanghai;
    let seconds = 1_717_163_100;
    let instant = "2024-05-31T13:45:00Z";
    let local = "2024-05-31T05:45:00Z";
    assert_eq!(read_times(TimestampMillisecondArray::from(vec![seconds * 1_000]), shanghai), [local]);
    assert_eq!(read_times(TimestampMicrosecondArray::from(vec![seconds * 1_000_000]), shanghai), [local]);
    assert_eq!(read_times(TimestampNanosecondArray::from(vec![seconds * 1_000_000_000]), shanghai), [local]);
    // What is finer than a microsecond is cut, and the second stays what it is: also before 1970.
    assert_eq!(
        read_times(TimestampNanosecondArray::from(vec![-1_500, -1, 1_500]), chrono_tz::UTC),
        ["1969-12-31T23:59:59.999998Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000001Z"]
    );
    let zoned = TimestampNanosecondArray::from(vec![seconds * 1_000_000_000]).with_timezone("Europe/Berlin");
    assert_eq!(read_times(zoned, shanghai), [instant]);
    assert_eq!(read_times(Date32Array::from(vec![19_874]), shanghai), ["2024-05-30T16:00:00Z"]);
    assert_eq!(read_times(Int64Array::from(vec![seconds, seconds * 1_000]), shanghai), [instant, instant]);
    assert_eq!(read_times(Int32Array::from(vec![20_240_531]), shanghai), ["2024-05-30T16:00:00Z"]);
    assert_eq!(
        read_times(Float64Array::from(vec![seconds as f64 + 0.5, 20_240_531.0]), chrono_tz::UTC),
        ["2024-05-31T13:45:00.500Z", "2024-05-31T00:00:00Z"]
    );
    assert_eq!(read_times(StringArray::from(vec![" 2024-05-31 21:45 "]), shanghai), [instant]);
}

#[test]
fn decimals_of_every_type() {
    let values = |rows: Rows| rows.all("revenue");
    assert_eq!(values(read_as("revenue", Float64Array::from(vec![Some(19.99), None])).unwrap()), ["19.9900", "-"]);
    assert_eq!(values(read_as("revenue", Float32Array::from(vec![0.1, -2.0])).unwrap()), ["0.1000", "-2.0000"]);
    assert_eq!(values(read_as("revenue", Int32Array::from(vec![3, -4])).unwrap()), ["3.0000", "-4.0000"]);
    assert_eq!(values(read_as("revenue", UInt64Array::from(vec![3, 4])).unwrap()), ["3.0000", "4.0000"]);
    assert_eq!(values(read_as("revenue", StringArray::from(vec![" 1.5 ", ""])).unwrap()), ["1.5000", "-"]);
    let six = Decimal128Array::from(vec![12_345_650, -12_345_650]).with_precision_and_scale(12, 6).unwrap();
    assert_eq!(values(read_as("revenue", six).unwrap()), ["12.3457", "-12.3457"]);
    let two = Decimal128Array::from(vec![1_999, 0]).with_precision_and_scale(7, 2).unwrap();
    assert_eq!(values(read_as("revenue", two).unwrap()), ["19.9900", "0.0000"]);
    let error = read_as("revenue", BooleanArray::from(vec![true, false])).err().unwrap();
    assert!(
        error.message().contains("column 'revenue' is of type Boolean, which cannot be read as a decimal number"),
        "{error}"
    );
}

/// What a quantity is multiplied by is to see all its digits: rounded to four, 0.00005 kg would be twice as much.
#[test]
fn quantities_of_every_type_keep_their_digits() {
    let (small, long) = ("0.000050000000000000000000", "1.234567890000000000000000");
    let values = |rows: Rows| rows.all("quantity");
    assert_eq!(values(read_as("quantity", Float64Array::from(vec![0.000_05, 1.234_567_89])).unwrap()), [small, long]);
    assert_eq!(values(read_as("quantity", StringArray::from(vec!["5e-5", " 1.23456789 "])).unwrap()), [small, long]);
    let ten = Decimal128Array::from(vec![500_000, 12_345_678_900]).with_precision_and_scale(20, 10).unwrap();
    assert_eq!(values(read_as("quantity", ten).unwrap()), [small, long]);
    let float = read_as("quantity", Float32Array::from(vec![Some(0.1), None])).unwrap();
    assert_eq!(values(float), ["0.100000000000000000000000", "-"]);
    let whole = read_as("quantity", Int32Array::from(vec![3, -4])).unwrap();
    assert_eq!(values(whole), ["3.000000000000000000000000", "-4.000000000000000000000000"]);
    let rows = read_as("quantity", Float64Array::from(vec![1e14, f64::NAN])).unwrap();
    assert_eq!(
        rows.get(0, "reject_reason"),
        "column 'quantity': '100000000000000' has more than 14 digits before the point"
    );
    assert_eq!(rows.get(1, "reject_reason"), "column 'quantity': 'NaN' is not a decimal number");
}

/// A decimal of more than 38 digits is rounded or rejected, as any other: it does not become NULL.
#[test]
fn wide_decimals_are_rounded_or_rejected() {
    let units = [i256::from_i128(12_345_650), i256::from_i128(10).wrapping_pow(45)];
    let wide = Decimal256Array::from(units.to_vec()).with_precision_and_scale(50, 6).unwrap();
    let rows = read_as("revenue", wide).unwrap();
    assert_eq!(rows.all("revenue"), ["12.3457", "-"]);
    let reason = rows.get(1, "reject_reason");
    assert!(
        reason.starts_with("column 'revenue': '1000000") && reason.ends_with("digits before the point"),
        "{reason}"
    );
}

#[test]
fn text_of_every_type() {
    let values = |rows: Rows| rows.all("user_id");
    assert_eq!(values(read_as("user_id", Int64Array::from(vec![Some(7), None])).unwrap()), ["7", "-"]);
    assert_eq!(values(read_as("user_id", Float64Array::from(vec![Some(123.0), None])).unwrap()), ["123", "-"]);
    assert_eq!(values(read_as("userId", StringArray::from(vec![" u1 ", " "])).unwrap()), ["u1", "-"]);
    assert_eq!(values(read_as("user_id", LargeStringArray::from(vec!["u1", ""])).unwrap()), ["u1", "-"]);
    assert_eq!(values(read_as("user_id", StringViewArray::from(vec!["u1", "u2"])).unwrap()), ["u1", "u2"]);
    let dictionary: DictionaryArray<Int32Type> = ["u1", "u1"].into_iter().collect();
    assert_eq!(values(read_as("user_id", dictionary).unwrap()), ["u1", "u1"]);
    assert_eq!(values(read_as("user_id", BinaryArray::from(vec![&b"u1"[..], b"u2"])).unwrap()), ["u1", "u2"]);
    assert!(read_as("user_id", BinaryArray::from(vec![&b"\xff"[..]])).is_err());
}

/// Of 2^53 and 2^53 + 1 there is one double, of 2^24 and 2^24 + 1 one float (IEEE 754: 53 and 24 binary digits).
#[test]
fn identifiers_that_floats_do_not_tell_apart_are_rejected() {
    let doubles = || vec![Some(9_007_199_254_740_991.0), Some(9_007_199_254_740_992.0), Some((-2_f64).powi(61)), None];
    for field in ["user_id", "order_id"] {
        let rows = read_as(field, Float64Array::from(doubles())).unwrap();
        assert_eq!(rows.all(field), ["9007199254740991", "-", "-", "-"]);
        let reason = rows.get(1, "reject_reason");
        assert!(reason.starts_with(&format!("column '{field}': 9007199254740992 is a float, which")), "{reason}");
        assert!(reason.contains("below 2^53") && reason.contains("text or BIGINT"), "{reason}");
        assert!(rows.get(2, "reject_reason").contains(": -2305843009213694000 is a float"));
        assert_eq!((rows.rejected(), rows.get(3, "reject_reason")), (2, "-".to_owned()));
    }
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2024-01-01"; 2]));
    let cards: ArrayRef = Arc::new(Float32Array::from(vec![16_777_215.0, 16_777_216.0]));
    let rows = file_of(vec![("ts", times), ("card", cards)]).read(options("id.member_no=card")).unwrap();
    assert_eq!(rows.get(0, "reject_reason"), "-");
    assert!(rows.get(1, "reject_reason").starts_with("column 'card': 16777216 is a float"));
    // Amounts have no identity: a float of this size is what it is.
    assert_eq!(read_as("revenue", Float32Array::from(vec![33_554_432.0])).unwrap().all("revenue"), ["33554432.0000"]);
}

#[test]
fn floats_in_lists_of_identifiers_and_in_aliases_are_rejected_alike() {
    let column = |name: &str, array: ArrayRef| (Arc::new(Field::new(name, array.data_type().clone(), true)), array);
    let kinds: ArrayRef = Arc::new(StringArray::from(vec!["phone", "phone", "member_no"]));
    let values: ArrayRef = Arc::new(Float64Array::from(vec![4_912_345.0, 4_912_345.0, 2_f64.powi(53)]));
    let pairs = StructArray::from(vec![column("type", kinds), column("value", values)]);
    let element = Arc::new(Field::new("element", pairs.data_type().clone(), true));
    let lists = ListArray::new(element, OffsetBuffer::from_lengths([1, 2]), Arc::new(pairs), None);
    let rows = read_as("identifiers", lists).unwrap();
    assert_eq!(rows.get(0, "reject_reason"), "-");
    assert!(rows.get(1, "reject_reason").starts_with("column 'identifiers': 9007199254740992 is a float"));

    let text = |values: [&'static str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let file = file_of(vec![
        ("ts", text(["2024-01-01"; 2])),
        ("type", text(["alias", "identify"])),
        ("userId", text(["u1", "u1"])),
        ("previousId", Arc::new(Float64Array::from(vec![2_f64.powi(54); 2]))),
    ]);
    let rows = file.read(ReadOptions::default()).unwrap();
    assert!(rows.get(0, "reject_reason").starts_with("column 'previousId': 18014398509481984 is a float"));
    // Of an event that is no alias it links nobody.
    assert_eq!(rows.get(1, "reject_reason"), "-");
}

#[test]
fn rejected_rows_show_themselves() {
    let file = file_of(vec![
        ("ts", Arc::new(StringArray::from(vec![Some("2024-01-01"), Some("soon"), None, Some("2024-01-02")]))),
        ("event", Arc::new(StringArray::from(vec![Some("a"), Some("a"), Some("a"), None]))),
        ("revenue", Arc::new(Float64Array::from(vec![f64::NAN, 1.0, 1.0, 1.0]))),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
    ]);
    let rows = file.read(ReadOptions::default()).unwrap();
    assert_eq!(rows.rejected(), 4);
    assert_eq!(rows.all("row"), ["1", "2", "3", "4"]);
    assert_eq!(rows.get(0, "reject_reason"), "column 'revenue': 'NaN' is not a decimal number");
    assert!(rows.get(1, "reject_reason").starts_with("column 'ts': 'soon' is not a time"));
    assert_eq!(rows.get(2, "reject_reason"), "column 'ts': the time of the event is missing");
    assert!(rows.get(3, "reject_reason").starts_with("column 'event': an event of type track needs a name"));
    assert_eq!(rows.get(1, "raw"), r#"{"ts":"soon","event":"a","revenue":1.0,"n":2}"#);
    assert_eq!(rows.all("type"), ["-", "-", "-", "-"]);
    assert_eq!(rows.all("identifiers"), ["-", "-", "-", "-"]);
}

#[test]
fn a_revenue_that_is_no_number_is_absent_where_a_total_is_one() {
    let file = file_of(vec![
        ("ts", Arc::new(StringArray::from(vec!["2024-01-01"; 4]))),
        ("event", Arc::new(StringArray::from(vec!["a"; 4]))),
        ("revenue", Arc::new(Float64Array::from(vec![f64::NAN, f64::NAN, 1e15, 2.0]))),
        ("total", Arc::new(Int64Array::from(vec![Some(7), None, Some(7), Some(7)]))),
    ]);
    let (rows, notes) = file.read_with_notes(ReadOptions::default()).unwrap();
    assert_eq!(rows.rejected(), 2);
    assert_eq!((rows.get(0, "reject_reason"), rows.get(0, "revenue")), ("-".into(), "-".into()));
    assert_eq!(rows.get(1, "reject_reason"), "column 'revenue': 'NaN' is not a decimal number");
    assert!(rows.get(2, "reject_reason").contains("more than 14 digits"), "{}", rows.get(2, "reject_reason"));
    assert_eq!(rows.get(3, "revenue"), "2.0000");
    assert_eq!(notes, ["1 event has a revenue that is no number: what else says its amount counts"]);
}

#[test]
fn properties_from_the_rest_and_from_an_object() {
    let nested = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let numbers = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1), Some(2)]), None]);
    let file = file_of(vec![
        ("ts", Arc::new(Date32Array::from(vec![19_723, 19_723]))),
        ("properties", Arc::new(StringArray::from(vec![Some(r#"{"color":"red"}"#), None]))),
        ("color", Arc::new(StringArray::from(vec!["blue", ""]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("price", Arc::new(Decimal128Array::from(vec![Some(1_990), None]).with_precision_and_scale(9, 2).unwrap())),
        ("nested", Arc::new(nested)),
        ("numbers", Arc::new(numbers)),
    ]);
    let rows = file.read(options("")).unwrap();
    assert_eq!(
        rows.get(0, "properties"),
        r#"{"color":"red","nested":{"x":1},"numbers":[1,2],"ok":true,"price":19.90}"#
    );
    assert_eq!(rows.get(1, "properties"), r#"{"color":"","nested":{}}"#);
}

#[test]
fn properties_alone_pass_unchanged_and_checked() {
    let text = r#"{"b":1.50, "a":{"c":[]}}"#;
    let rows = read_as("properties", StringArray::from(vec![Some(text), Some("{"), None])).unwrap();
    assert_eq!(rows.get(0, "properties"), text);
    assert!(rows.get(1, "reject_reason").starts_with("column 'properties': '{' is not a JSON object"));
    assert_eq!(rows.get(2, "properties"), "-");
    let object = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![5])) as ArrayRef,
    )]);
    assert_eq!(read_as("properties", object).unwrap().get(0, "properties"), r#"{"x":5}"#);
}

#[test]
fn lists_of_identifiers_and_levels() {
    // By their names, whatever their order is.
    let fields =
        Fields::from(vec![Field::new("Value", DataType::Utf8, true), Field::new("type", DataType::Utf8, true)]);
    let kinds: ArrayRef = Arc::new(StringArray::from(vec!["phone", "email", "member_no"]));
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some(" 138 "), Some("a@x"), None]));
    let structs = StructArray::new(fields.clone(), vec![values, kinds], None);
    let element = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let lists = ListArray::new(element, OffsetBuffer::from_lengths([2, 1]), Arc::new(structs), None);
    let mut levels = ListBuilder::new(StringBuilder::new());
    levels.append_value([Some("women"), Some("tops/knit")]);
    levels.append_value([Some(""), None]);
    let file = file_of(vec![
        ("ts", Arc::new(Date32Array::from(vec![19_723, 19_723]))),
        ("identifiers", Arc::new(lists)),
        ("mail", Arc::new(StringArray::from(vec![None, Some("b@x")]))),
        ("category", Arc::new(levels.finish())),
    ]);
    let rows = file.read(options("id.email=mail")).unwrap();
    assert_eq!(rows.get(0, "identifiers"), "[{type: phone, value: 138}, {type: email, value: a@x}]");
    assert_eq!(rows.get(1, "identifiers"), "[{type: email, value: b@x}]");
    assert_eq!(rows.all("category"), ["[women, tops/knit]", "-"]);
    let levels = file_of(vec![
        ("ts", Arc::new(Date32Array::from(vec![19_723]))),
        ("a", Arc::new(StringArray::from(vec!["x"]))),
        ("b", Arc::new(Int64Array::from(vec![7]))),
    ]);
    assert_eq!(levels.read(options("category=a/b")).unwrap().get(0, "category"), "[x, 7]");
    let error = read_as("identifiers", StringArray::from(vec!["x"])).err().unwrap();
    assert!(error.message().contains("a list of structs with type and value"), "{error}");
}

#[test]
fn long_rows_make_small_batches() {
    let text = "x".repeat(1 << 20);
    let file = file_of(vec![
        ("ts", Arc::new(Int64Array::from_iter_values((0..40).map(|n| 1_700_000_000 + n)))),
        ("event", Arc::new(StringArray::from_iter_values((0..40).map(|n| format!("{n}{text}"))))),
    ]);
    let reader = FileReader::open(&file.path, ReadOptions::default()).unwrap();
    let (size, progress) = (reader.size_bytes(), reader.progress());
    let sizes: Vec<usize> = reader.batches().map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 40);
    assert!(sizes.iter().all(|rows| *rows <= 8), "{sizes:?}");
    assert_eq!(progress.load(std::sync::atomic::Ordering::Relaxed), size);
}

#[test]
fn a_file_cut_short_or_damaged_is_refused_by_name() {
    let file = file_of(vec![
        ("ts", Arc::new(Int64Array::from_iter_values((0..5_000).map(|n| 1_700_000_000 + n * 7)))),
        ("event", Arc::new(StringArray::from_iter_values((0..5_000).map(|n| n.to_string())))),
    ]);
    let bytes = std::fs::read(&file.path).unwrap();
    assert!(
        refusal("cut.parquet", &bytes[..bytes.len() / 2], ReadOptions::default())
            .contains("cut.parquet: is not a readable")
    );
    for at in (4..bytes.len()).step_by(53) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5a;
        // A damaged value may still be a value; what counts is that nothing panics and errors name the file.
        if let Err(error) = TestFile::new("damaged.parquet", damaged).read(ReadOptions::default()) {
            assert!(error.message().contains("damaged.parquet"), "{error}");
        }
    }
}
