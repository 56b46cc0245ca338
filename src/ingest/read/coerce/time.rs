//! Times to microseconds since 1970 in UTC.
//!
//! A local time that exists twice is the earlier one; one that a clock change skips is moved forward by the gap.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::text::shown;
use super::{Reason, letters, year_first, year_last};
use crate::error::{Error, Result as CrateResult};

const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
/// The first of 1970 in the count of spreadsheets, whose day 0 is 1899-12-30.
const DAYS_TO_1970: i64 = 25_569;

/// Years that an event of a customer can lie in; others are mistakes such as year 24 or 20204.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// Start and end of [`YEARS`] in microseconds.
const EARLIEST: i64 = days_from_civil(1900, 1, 1) * DAY_SECONDS * SECOND;
const LATEST: i64 = days_from_civil(2201, 1, 1) * DAY_SECONDS * SECOND;

/// Digits of the shortest number read as an epoch: shorter ones (a year, a counter) are no times.
const MIN_EPOCH_DIGITS: usize = 9;

/// 1980-01-01 in milliseconds since 1970.
const MILLISECONDS_TO_1980: u64 = days_from_civil(1980, 1, 1).unsigned_abs() * 86_400_000;

/// Reads times; made once a file.
pub struct TimeParser {
    zone: Tz,
    format: Option<Format>,
}

struct Format {
    text: String,
    items: Vec<Item<'static>>,
}

/// A time as written: wall clock and, if given, its distance from UTC.
struct Written {
    local_seconds: i64,
    micros: i64,
    offset_seconds: Option<i64>,
}

impl TimeParser {
    pub fn new(zone: Tz, format: Option<&str>) -> CrateResult<Self> {
        let format = match format {
            None => None,
            Some(text) => Some(Format { text: text.to_owned(), items: format_items(text)? }),
        };
        Ok(Self { zone, format })
    }

    /// From trimmed text that is not empty.
    pub fn instant_of_text(&self, text: &str) -> Result<i64, Reason> {
        if let Some(format) = &self.format {
            return self.instant_of_format(text, format);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'.')
            && !text.get(1..).is_some_and(|rest| rest.contains('-'))
        {
            return self.instant_of_number_text(text);
        }
        let written_out = || year_first::write_out(text).and_then(|text| parse_iso(text.as_bytes()));
        let written = parse_iso(text.as_bytes()).or_else(written_out).ok_or_else(|| not_a_time(text))?;
        self.instant(&written, text)
    }

    fn instant(&self, written: &Written, text: &str) -> Result<i64, Reason> {
        let seconds = match written.offset_seconds {
            Some(offset) => written.local_seconds - offset,
            None => self.local_to_utc(written.local_seconds),
        };
        let local = written.local_seconds * SECOND;
        match (EARLIEST..LATEST).contains(&local) {
            true => Ok(seconds * SECOND + written.micros),
            false => Err(out_of_range(text)),
        }
    }

    /// Digits of a calendar time, or an epoch with or without a fraction.
    fn instant_of_number_text(&self, text: &str) -> Result<i64, Reason> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if !text.ends_with('.')
            && let Some(written) = parse_calendar_digits(whole.as_bytes(), fraction.as_bytes())
        {
            return self.instant(&written, text);
        }
        let number: i64 = whole.parse().map_err(|_| not_a_time(text))?;
        if fraction.bytes().all(|byte| byte == b'0') && !text.ends_with('.') {
            return self.instant_of_integer(number);
        }
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || fraction.is_empty() {
            return Err(not_a_time(text));
        }
        let (unit, _) = epoch_unit(number).ok_or_else(|| not_a_time(text))?;
        let padded = format!("{fraction:0<6}");
        let millionths: i64 = padded[..6].parse().map_err(|_| not_a_time(text))?;
        let (part, rest) = (millionths * unit / SECOND, millionths * unit % SECOND);
        let is_cut = rest > 0 || padded[6..].bytes().any(|byte| byte != b'0');
        let micros = number.checked_mul(unit).map(|whole| match text.starts_with('-') {
            // Before 1970, too, what is cut makes a time earlier.
            true => whole - part - i64::from(is_cut),
            false => whole + part,
        });
        in_range(micros, text)
    }

    /// Digits of a calendar time, else an epoch in seconds, milliseconds, microseconds or nanoseconds by magnitude.
    pub fn instant_of_integer(&self, number: i64) -> Result<i64, Reason> {
        if self.format.is_some() {
            return self.instant_of_text(&number.to_string());
        }
        // The first two digits of all calendar times are those of years from 1900 on.
        if has_calendar_magnitude(number) {
            let text = number.to_string();
            if let Some(written) = parse_calendar_digits(text.as_bytes(), b"") {
                return self.instant(&written, &text);
            }
        }
        let (unit, divisor) = epoch_unit(number).ok_or_else(|| not_a_time(&number.to_string()))?;
        in_range(number.checked_mul(unit).map(|micros| micros.div_euclid(divisor)), &number.to_string())
    }

    /// From a wall clock in microseconds, as typed columns without a zone hold it.
    pub fn instant_of_local_micros(&self, micros: i64) -> Result<i64, Reason> {
        let written = Written {
            local_seconds: micros.div_euclid(SECOND),
            micros: micros.rem_euclid(SECOND),
            offset_seconds: None,
        };
        // Said first: `instant` may overflow on times far outside.
        in_range(Some(micros), &micros_text(micros))?;
        self.instant(&written, "")
    }

    /// From microseconds in UTC: checks only the range.
    pub fn instant_of_utc_micros(&self, micros: i64) -> Result<i64, Reason> {
        match (EARLIEST..LATEST).contains(&micros) {
            true => Ok(micros),
            false => Err(out_of_range(&micros_text(micros))),
        }
    }

    /// A wall clock of our zone, in seconds, to UTC.
    fn local_to_utc(&self, local_seconds: i64) -> i64 {
        /// Steps back from a skipped time until the clock before the gap is found; gaps are at most a day.
        const STEP: i64 = 900;
        const STEPS: i64 = 2 * DAY_SECONDS / STEP;
        if self.zone == Tz::UTC {
            return local_seconds;
        }
        (0..=STEPS)
            .find_map(|step| self.offset_at(local_seconds - step * STEP))
            .map_or(local_seconds, |offset| local_seconds - offset)
    }

    /// Distance from UTC in seconds at a wall clock, the earlier of two; `None` in a gap.
    fn offset_at(&self, local_seconds: i64) -> Option<i64> {
        let local = DateTime::from_timestamp(local_seconds, 0)?.naive_utc();
        match self.zone.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
                Some(i64::from(offset.fix().local_minus_utc()))
            }
            LocalResult::None => None,
        }
    }

    fn instant_of_format(&self, text: &str, format: &Format) -> Result<i64, Reason> {
        let no_match = || format!("{} is not a time in the format {}", shown(text), format.text);
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, format.items.iter()).map_err(|_| no_match())?;
        // An epoch or a zone in the text fixes the instant.
        if parsed.timestamp().is_some() || parsed.offset().is_some() {
            let utc = match parsed.offset() {
                Some(_) => parsed.to_datetime().map_err(|_| no_match())?.naive_utc(),
                None => parsed.to_naive_datetime_with_offset(0).map_err(|_| no_match())?,
            };
            return in_range(Some(utc.and_utc().timestamp_micros()), text);
        }
        let day = parsed.to_naive_date().map_err(|_| no_match())?;
        let has_hour = parsed.hour_div_12().is_some() && parsed.hour_mod_12().is_some();
        let time = if has_hour { parsed.to_naive_time().map_err(|_| no_match())? } else { NaiveTime::MIN };
        let local = NaiveDateTime::new(day, time).and_utc();
        let micros = i64::from(local.timestamp_subsec_micros()).min(SECOND - 1);
        self.instant(&Written { local_seconds: local.timestamp(), micros, offset_seconds: None }, text)
    }
}

fn format_items(text: &str) -> CrateResult<Vec<Item<'static>>> {
    if !text.contains('%') {
        let remedy = letters::translate(text).unwrap_or_else(|| "%d.%m.%Y %H:%M:%S".to_owned());
        return Err(Error::invalid(format!(
            "{} is not a time format: its parts begin with %: write it like '{remedy}'",
            shown(text)
        )));
    }
    StrftimeItems::new(text)
        .parse_to_owned()
        .map_err(|_| Error::invalid(format!("'{text}' is not a time format: write it like '%d.%m.%Y %H:%M:%S'")))
}

/// Whether a number has as many digits as a calendar time: saves its text for epochs of today.
fn has_calendar_magnitude(number: i64) -> bool {
    number < 100_000_000
        || (100_000_000_000..1_000_000_000_000).contains(&number)
        || (10_000_000_000_000..100_000_000_000_000).contains(&number)
        || (10_000_000_000_000_000..100_000_000_000_000_000).contains(&number)
}

/// `YYYYMMDD`, `YYYYMMDDHHMM`, `YYYYMMDDHHMMSS`, that with three or six digits of the second's parts, or with a fraction
/// behind a point; `None` when the digits name no day or hour that there is in the years of events.
///
/// A number that can be both is a calendar time: as epochs such numbers are of 1976 or beyond the year 2200.
/// (`YYYYMMDDHH` is left out: from 2030 on seconds since 1970 look alike.)
fn parse_calendar_digits(digits: &[u8], fraction: &[u8]) -> Option<Written> {
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let is_whole = fraction.iter().all(|byte| *byte == b'0');
    let parts = match digits.len() {
        8 | 12 if is_whole => b"".as_slice(),
        14 => fraction,
        17 | 20 if is_whole => &digits[14..],
        _ => return None,
    };
    let place = |from: usize| digits.get(from..from + 2).map_or(Some(0), number);
    let year = number(&digits[..4])?;
    let days = civil_days(year, place(4)?, place(6)?)?;
    let (hour, minute, second) = (place(8)?, place(10)?, place(12)?);
    let is_of_events = year >= i64::from(*YEARS.start()) && year <= i64::from(*YEARS.end());
    if !is_of_events || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local_seconds = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
    Some(Written { local_seconds, micros: fraction_micros(parts)?, offset_seconds: None })
}

/// Microseconds of the digits behind a point; further digits are cut.
fn fraction_micros(digits: &[u8]) -> Option<i64> {
    number(digits.get(..6).unwrap_or(digits)).map(|parts| parts * 10_i64.pow(6 - digits.len().min(6) as u32))
}

/// Multiplier and divisor that make an epoch number microseconds.
///
/// Twelve digits that would be milliseconds of before 1980 are none: nobody counted so then, and a calendar time in another
/// order, or of an hour that there is not, looks like that (`310120242359`, `202401312400`).
fn epoch_unit(number: i64) -> Option<(i64, i64)> {
    match number.unsigned_abs() {
        0..100_000_000 => None,
        100_000_000..100_000_000_000 => Some((SECOND, 1)),
        100_000_000_000..MILLISECONDS_TO_1980 if number > 0 => None,
        100_000_000_000..100_000_000_000_000 => Some((1_000, 1)),
        100_000_000_000_000..100_000_000_000_000_000 => Some((1, 1)),
        _ => Some((1, 1_000)),
    }
}

/// Why a time in UTC, which whoever read it has checked by the clock it was written by, lies in no year of events. That
/// clock is less than a day from UTC.
pub fn year_fault(micros: i64) -> Option<Reason> {
    const DAY: i64 = DAY_SECONDS * SECOND;
    let is_of_events = (EARLIEST - DAY..LATEST + DAY).contains(&micros);
    (!is_of_events).then(|| out_of_range(&micros_text(micros)))
}

fn in_range(micros: Option<i64>, text: &str) -> Result<i64, Reason> {
    micros.filter(|micros| (EARLIEST..LATEST).contains(micros)).ok_or_else(|| out_of_range(text))
}

fn micros_text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), |time| time.naive_utc().to_string())
}

fn out_of_range(text: &str) -> Reason {
    format!("{} lies outside the years {} to {}", shown(text), YEARS.start(), YEARS.end())
}

fn not_a_time(text: &str) -> Reason {
    if let Some(remedy) = year_last::advise(text) {
        return format!("{} is not a time by itself: {remedy}", shown(text));
    }
    if let Some(day) = day_of_spreadsheet(text) {
        return format!(
            "{} is not a time; as Excel counts days it would be {day}: format the column as a date there, and save the file \
             again",
            shown(text)
        );
    }
    format!(
        "{} is not a time: known are 2024-05-31, 2024-05-31 13:45:00, 2024/5/31 1:45 PM, RFC 3339, 20240531, 202405311345, \
         20240531134500 and epoch numbers of at least {MIN_EPOCH_DIGITS} digits; --ts-format names others",
        shown(text)
    )
}

/// The day that a count of days since the end of 1899 names, with or without a fraction, of the years 1980 to 2100.
fn day_of_spreadsheet(text: &str) -> Option<NaiveDate> {
    const FIRST: i64 = 29_221;
    const LAST: i64 = 73_415;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let days = number(whole.as_bytes()).filter(|_| whole.len() == 5 && is_digits(fraction))?;
    let day = DateTime::from_timestamp((days - DAYS_TO_1970) * DAY_SECONDS, 0)?.date_naive();
    (FIRST..=LAST).contains(&days).then_some(day)
}

fn is_digits(fraction: &str) -> bool {
    !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// `YYYY-MM-DD`, then perhaps a time after `T` or a blank, then perhaps `Z` or a distance from UTC.
fn parse_iso(text: &[u8]) -> Option<Written> {
    let (date, rest) = text.split_at_checked(10)?;
    if !matches!((date[4], date[7]), (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    let days = civil_days(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)?;
    let midnight = days * DAY_SECONDS;
    let Some((separator, rest)) = rest.split_first() else {
        return Some(Written { local_seconds: midnight, micros: 0, offset_seconds: None });
    };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (minutes, rest) = rest.split_at_checked(5)?;
    let (hour, minute) = (number(&minutes[..2])?, number(&minutes[3..])?);
    let (second, micros, rest) = parse_seconds(rest)?;
    if minutes[2] != b':' || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local_seconds = midnight + hour * 3_600 + minute * 60 + second;
    Some(Written { local_seconds, micros, offset_seconds: parse_offset(rest)? })
}

/// `:SS[.f]` if it is there: (seconds, microseconds, what follows). Digits beyond the microsecond are cut.
fn parse_seconds(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    if text.first() != Some(&b':') {
        return Some((0, 0, text));
    }
    let (digits, rest) = text[1..].split_at_checked(2)?;
    let second = number(digits)?;
    if !matches!(rest.first(), Some(b'.' | b',')) {
        return Some((second, 0, rest));
    }
    let fraction = &rest[1..];
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let micros = (0..6).fold(0, |micros, place| {
        let digit = if place < length { fraction[place] - b'0' } else { 0 };
        micros * 10 + i64::from(digit)
    });
    (length > 0).then_some((second, micros, &fraction[length..]))
}

/// Nothing, `Z`, `UTC`, `+08`, `+0800` or `+08:00`, perhaps after a blank.
fn parse_offset(text: &[u8]) -> Option<Option<i64>> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, digits) = match text.split_first() {
        None => return Some(None),
        Some((b'+', digits)) => (1, digits),
        Some((b'-', digits)) => (-1, digits),
        Some(_) => return matches!(text, b"Z" | b"z" | b"UTC").then_some(Some(0)),
    };
    let (hours, minutes) = match digits.len() {
        2 => (number(digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        5 if digits[2] == b':' => (number(&digits[..2])?, number(&digits[3..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3_600 + minutes * 60)))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Days since 1970 of a date that exists.
fn civil_days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=length).contains(&day).then(|| days_from_civil(year, month, day))
}

/// Days since 1970 in the proleptic Gregorian calendar, counted in years that start in March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
