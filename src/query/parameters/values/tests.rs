use arrow::datatypes::{IntervalUnit, TimeUnit};

use super::*;

const MONEY: DataType = DataType::Decimal128(18, 4);
const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn utc(milliseconds: i64) -> ScalarValue {
    ScalarValue::TimestampMillisecond(Some(milliseconds), Some("UTC".into()))
}

#[test]
fn a_place_takes_what_it_can_hold() {
    let micros = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
    for (value, place, taken) in [
        (ScalarValue::Float64(Some(10.0)), DataType::Int64, ScalarValue::Int64(Some(10))),
        (ScalarValue::Int64(Some(10)), MONEY, ScalarValue::Decimal128(Some(100_000), 18, 4)),
        (ScalarValue::Decimal128(Some(105), 3, 1), MONEY, ScalarValue::Decimal128(Some(105_000), 18, 4)),
        (ScalarValue::from("12"), DataType::Int64, ScalarValue::Int64(Some(12))),
        (ScalarValue::from(" -9.99000 "), MONEY, ScalarValue::Decimal128(Some(-99_900), 18, 4)),
        (ScalarValue::from("7"), DataType::Decimal128(10, 0), ScalarValue::Decimal128(Some(7), 10, 0)),
        (ScalarValue::Int64(Some(4)), DataType::Utf8, ScalarValue::from("4")),
        (ScalarValue::Null, DataType::Int64, ScalarValue::Int64(None)),
        (ScalarValue::Utf8(None), instant(), ScalarValue::TimestampMicrosecond(None, Some("UTC".into()))),
        (utc(1_500), instant(), micros(1_500_000)),
        (ScalarValue::Date32(Some(1)), instant(), micros(86_400_000_000)),
        (ScalarValue::from("1970-01-02"), instant(), micros(86_400_000_000)),
        (ScalarValue::TimestampMicrosecond(Some(86_400_000_000), None), DataType::Date32, ScalarValue::Date32(Some(1))),
        // 9,000 and 1,801.5 seconds; DuckDB 2.0.0 reads these texts so.
        (ScalarValue::from("1 day 02:30"), INTERVAL, ScalarValue::new_interval_mdn(0, 1, 9_000_000_000_000)),
        (ScalarValue::from("-00:30:01.5"), INTERVAL, ScalarValue::new_interval_mdn(0, 0, -1_801_500_000_000)),
        (ScalarValue::from("2 months 1 hour"), INTERVAL, ScalarValue::new_interval_mdn(2, 0, 3_600_000_000_000)),
    ] {
        assert_eq!(to_place(&value, &place, Tz::UTC).unwrap(), Some(taken), "{value:?} at {place}");
    }
}

#[test]
fn what_would_lose_something_stays_what_it_is() {
    for (value, place) in [
        (ScalarValue::Float64(Some(1.5)), DataType::Int64),
        (ScalarValue::Float64(Some(1e30)), DataType::Int64),
        (ScalarValue::Float64(Some(f64::NAN)), DataType::Int64),
        (ScalarValue::Int64(Some((1 << 53) + 1)), DataType::Float64),
        (ScalarValue::Int64(Some(1 << 40)), DataType::Int32),
        (ScalarValue::Decimal128(Some(100_005), 10, 5), MONEY),
        (ScalarValue::Boolean(Some(true)), DataType::Int64),
        (ScalarValue::Date32(Some(1)), DataType::Int64),
        (ScalarValue::TimestampMicrosecond(Some(1), None), DataType::Date32),
        // An instant is a day or a wall time in some zone only: that is for the statement to say.
        (utc(0), DataType::Date32),
        (ScalarValue::TimestampNanosecond(Some(1), Some("UTC".into())), instant()),
    ] {
        assert_eq!(to_place(&value, &place, Tz::UTC).unwrap(), None, "{value:?} at {place}");
    }
}

#[test]
fn a_text_that_is_no_value_of_the_type_is_an_error() {
    for place in [DataType::Int64, MONEY, DataType::Boolean, DataType::Date32, instant(), INTERVAL] {
        to_place(&ScalarValue::from("much"), &place, Tz::UTC).unwrap_err();
    }
    // A month where arrow reads it, a second in INTERVAL '1'.
    for text in ["1", "02:61:00", "1 02:30:00"] {
        to_place(&ScalarValue::from(text), &INTERVAL, Tz::UTC).unwrap_err();
    }
}

/// Rounded in silence it would be another number, as a decimal would be that is bound there.
#[test]
fn a_text_with_more_decimals_than_its_place_is_an_error() {
    let price = DataType::Decimal128(10, 2);
    for (text, place) in
        [("9.999", &price), ("-0.001", &price), ("1.00005", &MONEY), (".5", &DataType::Decimal128(10, 0))]
    {
        to_place(&ScalarValue::from(text), place, Tz::UTC).unwrap_err();
        to_place(&ScalarValue::Utf8View(Some(text.into())), place, Tz::UTC).unwrap_err();
    }
    let decimal = ScalarValue::Decimal128(Some(1_005), 4, 3);
    assert_eq!(to_place(&decimal, &price, Tz::UTC).unwrap(), None, "what cannot be stored is refused there");
}
