use arrow::array::{Array, ArrayRef, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use datafusion::common::ScalarValue;

use super::*;

fn utc_micros() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn seconds(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

fn wall(text: &str) -> i64 {
    text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp()
}

fn instant_of(text: &str, zone: Tz) -> String {
    let local = wall(text);
    let instant = local - LocalClock::new(zone).offset_of_wall(local);
    DateTime::from_timestamp(instant, 0).unwrap().to_rfc3339()
}

/// Changes of the clock as the tz database has them: Berlin 2024-03-31 and 2024-10-27 at 01:00 UTC, New York 2024-03-10
/// 07:00 UTC and 2024-11-03 06:00 UTC, Havana at midnight, Samoa left out all of 2011-12-30.
#[test]
fn doubled_times_are_the_earlier_ones_and_skipped_ones_move_forward() {
    for (zone, local, instant) in [
        (Tz::Europe__Berlin, "2024-03-31T01:59:59", "2024-03-31T00:59:59+00:00"),
        (Tz::Europe__Berlin, "2024-03-31T02:30:00", "2024-03-31T01:30:00+00:00"),
        (Tz::Europe__Berlin, "2024-03-31T03:00:00", "2024-03-31T01:00:00+00:00"),
        (Tz::Europe__Berlin, "2024-10-27T02:30:00", "2024-10-27T00:30:00+00:00"),
        (Tz::Europe__Berlin, "2024-10-27T03:00:00", "2024-10-27T02:00:00+00:00"),
        (Tz::America__New_York, "2024-03-10T02:30:00", "2024-03-10T07:30:00+00:00"),
        (Tz::America__New_York, "2024-11-03T01:30:00", "2024-11-03T05:30:00+00:00"),
        (Tz::America__Havana, "2024-03-10T00:00:00", "2024-03-10T05:00:00+00:00"),
        (Tz::America__Havana, "2024-11-03T00:30:00", "2024-11-03T04:30:00+00:00"),
        (Tz::Pacific__Apia, "2011-12-30T12:00:00", "2011-12-30T22:00:00+00:00"),
        (Tz::Asia__Shanghai, "2024-03-01T00:30:00", "2024-02-29T16:30:00+00:00"),
        (Tz::UTC, "2024-03-01T00:30:00", "2024-03-01T00:30:00+00:00"),
    ] {
        assert_eq!(instant_of(local, zone), instant, "{local} in {zone}");
    }
}

/// The oracle is chrono: `earliest` of a time that exists.
#[test]
fn every_hour_of_ten_years_agrees_with_chrono() {
    for zone in [
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Asia__Shanghai,
        Tz::Africa__Casablanca,
        Tz::Australia__Lord_Howe,
    ] {
        let mut clock = LocalClock::new(zone);
        for step in 0..10 * 366 * 48 {
            let local = wall("2015-01-01T00:00:00") + step * 1_800;
            let naive = DateTime::from_timestamp(local, 0).unwrap().naive_utc();
            if let Some(expected) = zone.from_local_datetime(&naive).earliest() {
                assert_eq!(local - clock.offset_of_wall(local), expected.timestamp(), "{naive} in {zone}");
            }
            let shown = DateTime::from_timestamp(local, 0).unwrap().with_timezone(&zone).naive_local();
            assert_eq!(local + clock.offset_at(local), shown.and_utc().timestamp(), "{naive} in {zone}");
        }
    }
}

#[test]
fn the_second_of_two_hours_stays_the_second_when_it_is_near() {
    let mut berlin = LocalClock::new(Tz::Europe__Berlin);
    let two = wall("2024-10-27T02:00:00");
    assert_eq!(two - berlin.offset_of_wall_near(two, 3_600), seconds("2024-10-27T01:00:00Z"));
    assert_eq!(two - berlin.offset_of_wall_near(two, 7_200), seconds("2024-10-27T00:00:00Z"));
    let midnight = wall("2024-10-27T00:00:00");
    assert_eq!(midnight - berlin.offset_of_wall_near(midnight, 3_600), seconds("2024-10-26T22:00:00Z"));
}

#[test]
fn texts_with_a_zone_are_instants_and_others_are_read_in_ours() {
    let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec![
        Some("2024-03-01"),
        Some(" 2024-03-01 00:30:00 "),
        Some("2024-03-01T00:30:00Z"),
        Some("2024-03-01T00:30:00+02:00"),
        Some("2024-03-01 00:30:00 Europe/Berlin"),
        None,
    ]));
    let instants = instants_of(texts.as_ref(), &utc_micros(), Tz::Asia__Shanghai, OnError::Fail).unwrap();
    let shown: Vec<String> = (0..6).map(|row| array_value_to_string(&instants, row).unwrap()).collect();
    assert_eq!(
        shown,
        [
            "2024-02-29T16:00:00Z",
            "2024-02-29T16:30:00Z",
            "2024-03-01T00:30:00Z",
            "2024-02-29T22:30:00Z",
            "2024-02-29T23:30:00Z",
            "",
        ]
    );
}

#[test]
fn a_text_that_is_no_time_fails_or_becomes_null() {
    let texts = StringArray::from(vec!["tomorrow"]);
    assert!(instants_of(&texts, &utc_micros(), Tz::UTC, OnError::Fail).is_err());
    assert_eq!(instants_of(&texts, &utc_micros(), Tz::UTC, OnError::Null).unwrap().null_count(), 1);
    // Nanoseconds end in 2262.
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into()));
    let late = StringArray::from(vec!["9999-12-31"]);
    assert!(instants_of(&late, &nanos, Tz::Asia__Shanghai, OnError::Fail).is_err());
    assert_eq!(instants_of(&late, &utc_micros(), Tz::Asia__Shanghai, OnError::Fail).unwrap().null_count(), 0);
}

#[test]
fn values_keep_their_unit_and_their_instant() {
    let zone = Tz::Asia__Shanghai;
    let nanos = ScalarValue::TimestampNanosecond(Some(1), None);
    let read = to_instant(nanos, zone).unwrap();
    assert_eq!(read, ScalarValue::TimestampNanosecond(Some(1 - 8 * 3_600_000_000_000), Some(UTC.into())));
    let elsewhere = ScalarValue::TimestampMillisecond(Some(7), Some("Europe/Berlin".into()));
    let read = to_instant(elsewhere.clone(), zone).unwrap();
    assert_eq!(read, ScalarValue::TimestampMillisecond(Some(7), Some(UTC.into())));
    // 1970-01-02, which begins on the 1st at 16:00 UTC.
    let day = to_instant(ScalarValue::Date32(Some(1)), zone).unwrap();
    assert_eq!(day, ScalarValue::TimestampMicrosecond(Some(16 * 3_600_000_000), Some(UTC.into())));
    assert_eq!(to_instant(ScalarValue::Int64(Some(5)), zone).unwrap(), ScalarValue::Int64(Some(5)));
    assert!(to_instant(ScalarValue::Date32(None), zone).unwrap().is_null());
    let late = ScalarValue::TimestampMicrosecond(Some(17 * 3_600_000_000), Some("Europe/Berlin".into()));
    assert_eq!(to_wall_time(&late, &DataType::Date32, zone).unwrap(), ScalarValue::Date32(Some(1)));
    let wall = to_wall_time(&late, &DataType::Timestamp(TimeUnit::Microsecond, None), zone).unwrap();
    assert_eq!(wall, ScalarValue::TimestampMicrosecond(Some(25 * 3_600_000_000), None));
}

#[test]
fn wall_times_and_days_follow_the_zone_in_every_unit() {
    let micros = TimestampMicrosecondArray::from(vec![Some(-1), None, Some(16 * 3_600_000_000)]).with_timezone(UTC);
    let days = days_of_instants(&micros, Tz::Asia__Shanghai).unwrap();
    let shown: Vec<String> = (0..3).map(|row| array_value_to_string(&days, row).unwrap()).collect();
    assert_eq!(shown, ["1970-01-01", "", "1970-01-02"]);
    let nanos = TimestampNanosecondArray::from(vec![-1]).with_timezone(UTC);
    let walls = walls_of(&nanos, TimeUnit::Nanosecond, Tz::America__New_York).unwrap();
    assert_eq!(array_value_to_string(&walls, 0).unwrap(), "1969-12-31T18:59:59.999999999");
}

/// By PostgreSQL's reading of these texts; the days of instants are those of the zone.
#[test]
fn texts_without_seconds_are_times() {
    let texts = StringArray::from(vec![
        "2024-03-01 18:00",
        "2024-3-1 6:05",
        "2024-03-01T18:00Z",
        "2024-03-01 18:00+00",
        "2024-03-01 8:00:1.5",
        " 2024-03-01 18:00 ",
    ]);
    let walls = walls_of_texts(&texts, TimeUnit::Microsecond, Tz::Asia__Shanghai, OnError::Fail).unwrap();
    let shown: Vec<String> = (0..texts.len()).map(|row| array_value_to_string(&walls, row).unwrap()).collect();
    assert_eq!(
        shown,
        [
            "2024-03-01T18:00:00",
            "2024-03-01T06:05:00",
            "2024-03-02T02:00:00",
            "2024-03-02T02:00:00",
            "2024-03-01T08:00:01.500",
            "2024-03-01T18:00:00"
        ]
    );
    for wrong in [
        "2024-03-01 18",
        "2024-03-01 25:00",
        "2024-03-01 18:60",
        "2024-13-01 18:00",
        "18:00",
        "x 18:00",
        "2024-03-01 1:2:3:4",
    ] {
        let text = StringArray::from(vec![wrong]);
        assert!(walls_of_texts(&text, TimeUnit::Microsecond, Tz::UTC, OnError::Fail).is_err(), "{wrong}");
        let none = walls_of_texts(&text, TimeUnit::Microsecond, Tz::UTC, OnError::Null).unwrap();
        assert_eq!(none.null_count(), 1, "{wrong}");
    }
}

#[test]
fn days_of_texts_follow_the_zone() {
    let texts = StringArray::from(vec![
        Some("2024-03-01T00:30:00+08:00"),
        Some("2024-02-29T16:30:00Z"),
        Some("2024-03-01"),
        Some("2024-3-1"),
        Some("2024-03-01 23:59"),
        None,
    ]);
    for (zone, days) in [
        (Tz::Asia__Shanghai, ["2024-03-01", "2024-03-01", "2024-03-01", "2024-03-01", "2024-03-01", ""]),
        (Tz::UTC, ["2024-02-29", "2024-02-29", "2024-03-01", "2024-03-01", "2024-03-01", ""]),
    ] {
        let read = days_of_texts(&texts, zone, OnError::Fail).unwrap();
        let shown: Vec<String> = (0..texts.len()).map(|row| array_value_to_string(&read, row).unwrap()).collect();
        assert_eq!(shown, days, "{zone}");
    }
    let wrong = StringArray::from(vec!["never"]);
    assert!(days_of_texts(&wrong, Tz::UTC, OnError::Fail).is_err());
    assert_eq!(days_of_texts(&wrong, Tz::UTC, OnError::Null).unwrap().null_count(), 1);
}
