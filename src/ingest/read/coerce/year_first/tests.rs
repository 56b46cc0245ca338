use crate::ingest::read::coerce::TimeParser;

/// The times by hand; 12 AM is the first hour of the day, 12 PM that of noon.
#[test]
fn times_with_the_year_first_are_read_however_short() {
    let cases = [
        ("2024/3/4 20:04", "2024-03-04T20:04:00"),
        ("2024/10/21 23:50", "2024-10-21T23:50:00"),
        ("2024/3/14", "2024-03-14T00:00:00"),
        ("2024-3-4T9:05:07.25Z", "2024-03-04T09:05:07.25"),
        ("2024-03-04 9:05 +02:00", "2024-03-04T07:05:00"),
        ("2024-03-05 3:05 PM", "2024-03-05T15:05:00"),
        ("2024-03-05 03:05:09pm", "2024-03-05T15:05:09"),
        ("2024/3/5 12:00 AM", "2024-03-05T00:00:00"),
        ("2024/3/5 12:30 pm", "2024-03-05T12:30:00"),
        ("2024-03-05 11:59:59.5 am", "2024-03-05T11:59:59.5"),
    ];
    let parser = TimeParser::new(chrono_tz::Tz::UTC, None).unwrap();
    for (text, expected) in cases {
        let expected: chrono::NaiveDateTime = expected.parse().unwrap();
        assert_eq!(parser.instant_of_text(text), Ok(expected.and_utc().timestamp_micros()), "{text}");
    }
}

#[test]
fn what_could_be_another_time_is_none() {
    let parser = TimeParser::new(chrono_tz::Tz::UTC, None).unwrap();
    for text in [
        "24/3/4",
        "2024/3-4",
        "2024/13/4",
        "2024/2/30",
        "2024/3/4 24:00",
        "2024/3/4 9",
        "2024/3/4 9:5",
        "2024/3/4 9:05 M",
        "2024-03-05 13:05 PM",
        "2024-03-05 0:05 AM",
        "2024-03-05 PM",
        "2024-3-4 ",
        "2024--4",
        "2024/123/4",
        "2024/3/4/5",
        "２０２４/3/4",
    ] {
        assert!(parser.instant_of_text(text).is_err(), "{text}");
    }
}
