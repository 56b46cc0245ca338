//! Local days of instants in one time zone. Knows no Arrow and no SQL.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

pub(crate) const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;

/// Turns instants into local days. Remembers the offset of each UTC day that has only one.
#[derive(Debug, Clone)]
pub(crate) struct LocalDays {
    zone: Tz,
    /// Offset in seconds by UTC day; `None` for a day in which the clock changes.
    offsets: HashMap<i64, Option<i32>>,
    last: Option<(i64, i32)>,
}

impl LocalDays {
    pub(crate) fn new(zone: Tz) -> Self {
        Self { zone, offsets: HashMap::new(), last: None }
    }

    /// Bytes beyond the value itself.
    pub(crate) fn heap_size(&self) -> usize {
        self.offsets.capacity() * (size_of::<(i64, Option<i32>)>() + 1)
    }

    /// Days since 1970-01-01 of the local day of an instant (microseconds since 1970 in UTC).
    pub(crate) fn day_of(&mut self, micros: i64) -> i32 {
        if self.zone == Tz::UTC {
            return clamp(micros.div_euclid(MICROS_A_SECOND * SECONDS_A_DAY));
        }
        let seconds = micros.div_euclid(MICROS_A_SECOND);
        let utc_day = seconds.div_euclid(SECONDS_A_DAY);
        let offset = match self.last {
            Some((day, offset)) if day == utc_day => offset,
            _ => self.offset(utc_day, seconds),
        };
        clamp((seconds + i64::from(offset)).div_euclid(SECONDS_A_DAY))
    }

    fn offset(&mut self, utc_day: i64, seconds: i64) -> i32 {
        let zone = self.zone;
        let held = *self.offsets.entry(utc_day).or_insert_with(|| {
            let start = utc_day * SECONDS_A_DAY;
            let at_start = offset_at(zone, start);
            (at_start == offset_at(zone, start + SECONDS_A_DAY - 1)).then_some(at_start)
        });
        match held {
            Some(offset) => {
                self.last = Some((utc_day, offset));
                offset
            }
            None => offset_at(zone, seconds),
        }
    }

    /// The instant (microseconds since 1970 in UTC) at which the local day after `day` begins.
    pub(crate) fn end_of(&self, day: i32) -> i64 {
        let epoch = NaiveDate::default();
        let next = match day {
            0.. => epoch.checked_add_days(Days::new(day.unsigned_abs().into())),
            _ => epoch.checked_sub_days(Days::new(day.unsigned_abs().into())),
        };
        let Some(midnight) = next.and_then(|day| day.succ_opt()).map(|day| day.and_time(NaiveTime::MIN)) else {
            return i64::MAX;
        };
        // A midnight that the clock skips begins with the first time after it.
        let local = (0..=24)
            .find_map(|hours| self.zone.from_local_datetime(&(midnight + chrono::Duration::hours(hours))).earliest());
        local.map_or_else(|| midnight.and_utc().timestamp_micros(), |instant| instant.timestamp_micros())
    }
}

/// The local hour of an instant (microseconds since 1970 in UTC), 0 to 23. Remembers nothing.
pub(crate) fn hour_of(zone: Tz, micros: i64) -> usize {
    let seconds = micros.div_euclid(MICROS_A_SECOND);
    let local = seconds + i64::from(offset_at(zone, seconds));
    (local.rem_euclid(SECONDS_A_DAY) / 3_600) as usize
}

fn offset_at(zone: Tz, seconds: i64) -> i32 {
    let instant = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

fn clamp(days: i64) -> i32 {
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    /// Shanghai is 8 hours ahead; New York changed its clock on 2026-03-08 at 07:00 UTC.
    #[test]
    fn days_follow_the_zone() {
        let day =
            |date: &str| date.parse::<NaiveDate>().unwrap().signed_duration_since(NaiveDate::default()).num_days();
        let mut shanghai = LocalDays::new(Tz::Asia__Shanghai);
        assert_eq!(i64::from(shanghai.day_of(micros("2026-07-31T15:59:59Z"))), day("2026-07-31"));
        assert_eq!(i64::from(shanghai.day_of(micros("2026-07-31T16:00:00Z"))), day("2026-08-01"));
        let mut new_york = LocalDays::new(Tz::America__New_York);
        assert_eq!(i64::from(new_york.day_of(micros("2026-03-08T04:59:59Z"))), day("2026-03-07"));
        assert_eq!(i64::from(new_york.day_of(micros("2026-03-09T03:59:59Z"))), day("2026-03-08"));
        assert_eq!(i64::from(new_york.day_of(micros("2026-03-09T04:00:00Z"))), day("2026-03-09"));
        assert_eq!(new_york.end_of(i32::try_from(day("2026-03-08")).unwrap()), micros("2026-03-09T04:00:00Z"));
        assert_eq!(LocalDays::new(Tz::UTC).end_of(-1), 0);
    }

    /// A thousand remembered days cost at least 16 bytes each; UTC remembers none.
    #[test]
    fn remembered_days_are_counted() {
        let (mut shanghai, mut utc) = (LocalDays::new(Tz::Asia__Shanghai), LocalDays::new(Tz::UTC));
        for day in 0..1_000 {
            shanghai.day_of(day * SECONDS_A_DAY * MICROS_A_SECOND);
            utc.day_of(day * SECONDS_A_DAY * MICROS_A_SECOND);
        }
        assert!(shanghai.heap_size() >= 16_000, "{}", shanghai.heap_size());
        assert_eq!(utc.heap_size(), 0);
    }

    #[test]
    fn hours_follow_the_zone() {
        assert_eq!(hour_of(Tz::UTC, -1), 23);
        assert_eq!(hour_of(Tz::Asia__Shanghai, micros("2026-07-31T15:59:59Z")), 23);
        assert_eq!(hour_of(Tz::Asia__Shanghai, micros("2026-07-31T16:00:00Z")), 0);
        assert_eq!(hour_of(Tz::America__New_York, micros("2026-03-08T06:59:59Z")), 1);
        assert_eq!(hour_of(Tz::America__New_York, micros("2026-03-08T07:00:00Z")), 3);
    }
}
