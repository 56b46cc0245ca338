//! The wall clock of one time zone. Knows no Arrow and no SQL.

use std::collections::HashMap;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

const SECONDS_A_DAY: i64 = 86_400;

/// Distances between instants and wall times, in seconds. Remembers the offset of each UTC day that has only one.
pub(in crate::query) struct LocalClock {
    zone: Tz,
    /// By UTC day; `None` for a day in which the clock changes.
    offsets: HashMap<i64, Option<i64>>,
    last: Option<(i64, i64)>,
}

impl LocalClock {
    pub(in crate::query) fn new(zone: Tz) -> Self {
        Self { zone, offsets: HashMap::new(), last: None }
    }

    /// How far the clock is ahead of UTC at an instant (seconds since 1970).
    pub(in crate::query) fn offset_at(&mut self, instant: i64) -> i64 {
        if self.zone == Tz::UTC {
            return 0;
        }
        let day = instant.div_euclid(SECONDS_A_DAY);
        if let Some((known, offset)) = self.last
            && known == day
        {
            return offset;
        }
        let zone = self.zone;
        let offset = *self.offsets.entry(day).or_insert_with(|| {
            let start = day.saturating_mul(SECONDS_A_DAY);
            let at_start = offset_by_rules(zone, start);
            (at_start == offset_by_rules(zone, start.saturating_add(SECONDS_A_DAY - 1))).then_some(at_start)
        });
        match offset {
            Some(offset) => {
                self.last = Some((day, offset));
                offset
            }
            None => offset_by_rules(zone, instant),
        }
    }

    /// How far the clock is ahead of UTC when it shows `wall` (seconds since 1970 as the clock counts them): the earlier
    /// one of a doubled time, and for a skipped one the offset before the gap, which moves it forward.
    pub(in crate::query) fn offset_of_wall(&mut self, wall: i64) -> i64 {
        // A clock differs from UTC by less than a day, so these two lie on either side of a change nearby.
        let before = self.offset_at(wall.saturating_sub(SECONDS_A_DAY));
        let after = self.offset_at(wall.saturating_add(SECONDS_A_DAY));
        if before == after || self.shows(wall, before) || !self.shows(wall, after) {
            return before;
        }
        after
    }

    /// As [`Self::offset_of_wall`], but of a doubled time the one with the offset `near`: hours of one day stay apart
    /// when the clock is set back.
    pub(in crate::query) fn offset_of_wall_near(&mut self, wall: i64, near: i64) -> i64 {
        if self.shows(wall, near) { near } else { self.offset_of_wall(wall) }
    }

    fn shows(&mut self, wall: i64, offset: i64) -> bool {
        self.offset_at(wall.saturating_sub(offset)) == offset
    }
}

fn offset_by_rules(zone: Tz, instant: i64) -> i64 {
    let instant = DateTime::from_timestamp(instant, 0).unwrap_or_default();
    i64::from(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
}
