//! What a column of UNION becomes. PostgreSQL 15: "UNION types interval and text cannot be matched", and likewise with
//! integer, time and timestamp with time zone.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};

use super::column_type;

#[test]
fn only_lengths_become_intervals() {
    let (interval, difference) =
        (DataType::Interval(IntervalUnit::MonthDayNano), DataType::Duration(TimeUnit::Microsecond));
    let of = |third: &DataType| column_type([&interval, &difference, third].into_iter());
    for length in [&interval, &difference, &DataType::Null] {
        assert_eq!(of(length), Some(interval.clone()), "{length}");
    }
    for other in [DataType::Utf8, DataType::Int64, DataType::Date32, DataType::Timestamp(TimeUnit::Microsecond, None)] {
        assert_eq!(of(&other), None, "{other}");
    }
    assert_eq!(column_type([&difference, &DataType::Null].into_iter()), None);
}
