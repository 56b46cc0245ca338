//! Times with the year first that no reader takes for another, in forms beside those of ISO: parts without a zero in front
//! of them, `2024/3/4 9:05`, as spreadsheets write them, and an hour of half a day, `2024-03-05 3:05 PM`.

use super::clock::{Half, split_half};

/// The text with two digits for month, day and hour, and the hour of a whole day; `None` for a text of another shape.
/// Whether there is such a time is not asked.
pub(super) fn write_out(text: &str) -> Option<String> {
    let (date, time) = match text.find([' ', 'T', 't']) {
        // The separator is one byte.
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let separator = if date.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = date.split(separator).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let year = Some(year).filter(|year| year.len() == 4)?;
    let mut written = format!("{year}{separator}{}{separator}{}", two_digits(month)?, two_digits(day)?);
    if let Some(time) = time {
        written.push(' ');
        written.push_str(&write_out_clock(time)?);
    }
    Some(written)
}

fn write_out_clock(time: &str) -> Option<String> {
    let (clock, half) = split_half(time);
    let (hour, rest) = clock.split_once(':')?;
    let hour = two_digits(hour)?;
    let Some(half) = half else { return Some(format!("{hour}:{rest}")) };
    let hour: u32 = hour.parse().ok().filter(|hour| (1..=12).contains(hour))?;
    let start = if half == Half::Afternoon { 12 } else { 0 };
    Some(format!("{:02}:{rest}", hour % 12 + start))
}

fn two_digits(part: &str) -> Option<String> {
    let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{part:0>2}"))
}

#[cfg(test)]
mod tests {
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
}
