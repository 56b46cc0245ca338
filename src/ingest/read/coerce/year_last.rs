//! Times with the year behind day and month, `1/2/2024 4:30 PM`: which of the two comes first is not guessed, but the
//! formats that say it are told.

use super::clock::split_half;

/// The options that read a text of this shape; `None` for every other one.
pub(super) fn advise(text: &str) -> Option<String> {
    let separator =
        text.chars().find(|character| !character.is_ascii_digit()).filter(|found| "/.-".contains(*found))?;
    let (date, time) = text.split_once(' ').unwrap_or((text, ""));
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    let (first, second) = (number(first, 2)?, number(second, 2)?);
    let year = match (number(year, 4)?, year.len()) {
        (_, 4) => "%Y",
        (_, 2) => "%y",
        _ => return None,
    };
    let time = time_format(time.trim())?;
    let option = |one: &str, two: &str| format!("--ts-format '{one}{separator}{two}{separator}{year}{time}'");
    let (day_first, month_first) = (option("%d", "%m"), option("%m", "%d"));
    match ((1..=12).contains(&first), (1..=12).contains(&second)) {
        (true, true) => Some(format!("add {day_first} where the day comes first, {month_first} where the month does")),
        (false, true) if first <= 31 => Some(format!("add {day_first}")),
        (true, false) if second <= 31 => Some(format!("add {month_first}")),
        _ => None,
    }
}

fn number(digits: &str, most: usize) -> Option<u32> {
    let is_number = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// How the time behind a date is written, with the blank before it; empty for none.
fn time_format(time: &str) -> Option<String> {
    if time.is_empty() {
        return Some(String::new());
    }
    let (clock, half) = split_half(time);
    let (hour, half) = match half {
        None => ("%H", ""),
        // Behind the clock stand the two letters, or a blank and them.
        Some(_) if time.len() > clock.len() + 2 => ("%I", " %p"),
        Some(_) => ("%I", "%p"),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let written = match parts.as_slice() {
        [hours, minutes] if number(hours, 2).is_some() && number(minutes, 2).is_some() => format!("{hour}:%M"),
        [hours, minutes, seconds] if number(hours, 2).is_some() && number(minutes, 2).is_some() => {
            match seconds.split_once('.') {
                None => number(seconds, 2).map(|_| format!("{hour}:%M:%S"))?,
                Some((whole, parts)) => number(whole, 2).and(number(parts, 9)).map(|_| format!("{hour}:%M:%S%.f"))?,
            }
        }
        _ => return None,
    };
    Some(format!(" {written}{half}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::read::coerce::TimeParser;

    /// What is advised reads the text: the days by hand.
    #[test]
    fn the_formats_that_are_told_read_the_text() {
        let cases = [
            ("01/02/2024", &["2024-02-01T00:00:00", "2024-01-02T00:00:00"][..]),
            ("13/01/2024", &["2024-01-13T00:00:00"]),
            ("1/31/2024 11:59 PM", &["2024-01-31T23:59:00"]),
            ("31.1.2024 8:05:09", &["2024-01-31T08:05:09"]),
            ("5-6-24 08:05", &["2024-06-05T08:05:00", "2024-05-06T08:05:00"]),
            ("12/25/2024 1:02:03.5am", &["2024-12-25T01:02:03.500"]),
        ];
        for (text, expected) in cases {
            let advice = advise(text).unwrap();
            let formats: Vec<&str> = advice.split('\'').skip(1).step_by(2).collect();
            let read = formats.iter().map(|format| {
                let parser = TimeParser::new(chrono_tz::Tz::UTC, Some(format)).unwrap();
                let micros = parser.instant_of_text(text).unwrap();
                chrono::DateTime::from_timestamp_micros(micros).unwrap().naive_utc()
            });
            let expected: Vec<chrono::NaiveDateTime> = expected.iter().map(|time| time.parse().unwrap()).collect();
            assert_eq!(read.collect::<Vec<_>>(), expected, "{text}: {advice}");
        }
    }

    #[test]
    fn other_texts_get_no_such_advice() {
        for text in
            ["yesterday", "32/13/2024", "2024/1/5", "1/2", "1/2/3/2024", "01/02/2024 noon", "1/2-2024", "", "1.5"]
        {
            assert_eq!(advise(text), None, "{text}");
        }
    }
}
