//! Times and days as they are written. Knows no columns.

use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::clock::LocalClock;

/// A time as it was written.
pub(super) enum Written {
    Instant(DateTime<Utc>),
    Wall(NaiveDateTime),
}

/// As Arrow reads a time, and with fewer digits, as Postgres does: `2024-03-01 18:00`, `2024-3-1 6:00`.
///
/// # Errors
/// For a text that is no time.
pub(super) fn read_time(text: &str) -> Result<Written, ArrowError> {
    let text = text.trim();
    match read_in_full(text) {
        Ok(written) => Ok(written),
        Err(error) => in_full(text).map_or(Err(error), |text| read_in_full(&text)),
    }
}

/// Arrow's own reader does not say whether a zone stood in the text; read for another zone, a wall time is another instant.
fn read_in_full(text: &str) -> Result<Written, ArrowError> {
    const ELSEWHERE: Tz = Tz::Etc__GMTMinus1;
    let here = string_to_datetime(&Utc, text)?;
    let elsewhere = string_to_datetime(&ELSEWHERE, text)?;
    Ok(if here == elsewhere { Written::Instant(here) } else { Written::Wall(here.naive_utc()) })
}

/// The text with all digits of day, hour, minute and second; none where it is not built like a time of a day.
fn in_full(text: &str) -> Option<String> {
    let (day, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, "0:0"));
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let [year, month, day] = numbers_in(day, '-')?;
    let (minutes, seconds) = match clock.matches(':').count() {
        1 => (clock, "0"),
        _ => clock.rsplit_once(':')?,
    };
    let (seconds, fraction) = seconds.split_once('.').map_or((seconds, None), |(whole, part)| (whole, Some(part)));
    let [hour, minute] = numbers_in(minutes, ':')?;
    let [second] = numbers_in(seconds, ':')?;
    let fraction = fraction.filter(|part| !part.is_empty()).map(|part| format!(".{part}")).unwrap_or_default();
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn numbers_in<const COUNT: usize>(text: &str, separator: char) -> Option<[u16; COUNT]> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Option<Vec<u16>> =
        text.split(separator).map(|part| Some(part).filter(is_number)?.parse().ok()).collect();
    parts?.try_into().ok()
}

/// The day that a text says, in days since 1970: that of the calendar of the clock's zone where the text is an instant.
pub(super) fn read_day(text: &str, clock: &mut LocalClock) -> Option<i32> {
    const SECONDS_A_DAY: i64 = 86_400;
    const PLAIN: usize = "2024-03-01".len();
    let text = text.trim();
    let plain = || Date32Type::parse(text);
    if text.len() <= PLAIN {
        return plain();
    }
    match read_time(text) {
        Ok(Written::Wall(wall)) => Some(days_since_1970(wall.date())),
        Ok(Written::Instant(instant)) => {
            let seconds = instant.timestamp();
            i32::try_from(seconds.saturating_add(clock.offset_at(seconds)).div_euclid(SECONDS_A_DAY)).ok()
        }
        Err(_) => plain(),
    }
}

fn days_since_1970(day: NaiveDate) -> i32 {
    day.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}
