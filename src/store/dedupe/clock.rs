//! The time of the index: hours that only go on, made from the receive times of durable records.
//!
//! Keys expire by this time and never by a wall clock, so that the same records give the same answers after a restart.
//! Receive times come from the clock of the machine that wrote the record, and such clocks jump:
//!
//! - A step of up to [`MAX_STEP_HOURS`] on counts in full; a step back of up to as much counts as no time at all, and
//!   time goes on when the clock has caught up with where it was.
//! - A jump further on counts as [`MAX_STEP_HOURS`], whatever its size. After an idle month the index is merely late,
//!   and keeps its keys for longer than promised; a clock that shows 2099 by mistake takes one day from the window
//!   instead of all of it.
//! - After a jump further back, time goes on from there. When that clock is put right, this is a jump on: one day again.
//!
//! So a clock that was wrong once makes the index at most one day too fast. Keys are kept for
//! [`RESERVE_HOURS`] beyond the window: two such mistakes within one window lose no duplicate of it.
//!
//! Must not know what is counted by it. A receive time that a sender or a file states is not fit for it: it must be the
//! time at which this server took the record.

use std::collections::BTreeSet;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// What one jump of the clock counts at most.
pub const MAX_STEP_HOURS: u32 = 24;

/// How much longer than the window keys are kept, for the mistakes of clocks.
pub const RESERVE_HOURS: u32 = 2 * MAX_STEP_HOURS;

/// An hour of the index's time. Its zero has no meaning; only distances have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

impl Hour {
    /// The oldest hour that still counts at this time, `window_hours` and the reserve back.
    pub fn horizon(self, window_hours: u32) -> Hour {
        Hour(self.0.saturating_sub(window_hours.saturating_add(RESERVE_HOURS)))
    }
}

/// Turns receive times, in the order of the log, into hours of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexClock {
    now: Hour,
    /// The hour since 1970 that the records' clock showed when `now` was reached.
    wall: u32,
}

impl IndexClock {
    /// A clock that starts with a first record.
    pub fn start(received_at_micros: i64) -> Self {
        let wall = wall_hour(received_at_micros);
        Self { now: Hour(wall), wall }
    }

    pub(super) fn from_parts(now: Hour, wall: u32) -> Self {
        Self { now, wall }
    }

    pub fn now(&self) -> Hour {
        self.now
    }

    pub(super) fn wall(&self) -> u32 {
        self.wall
    }

    /// Takes the receive time of a durable record, and returns the hour under which its keys are kept.
    pub fn advance(&mut self, received_at_micros: i64) -> Hour {
        let wall = wall_hour(received_at_micros);
        if wall > self.wall {
            self.now = Hour(self.now.0.saturating_add((wall - self.wall).min(MAX_STEP_HOURS)));
            self.wall = wall;
        } else if self.wall - wall > MAX_STEP_HOURS {
            self.wall = wall;
        }
        self.now
    }
}

/// Times before 1970 count as 1970.
fn wall_hour(micros: i64) -> u32 {
    u32::try_from(micros.div_euclid(MICROS_PER_HOUR).max(0)).unwrap_or(u32::MAX)
}

/// All hours in which stored events were received: the first pass of a rebuild, over one column of the event files.
#[derive(Debug, Default)]
pub struct ReceiveHours {
    walls: BTreeSet<u32>,
}

impl ReceiveHours {
    pub fn insert(&mut self, received_at_micros: i64) {
        self.walls.insert(wall_hour(received_at_micros));
    }

    /// The index's time over these hours. Files do not keep the order of arrival, so hours are taken as they sort, and
    /// gaps count as jumps do: events from a clock that was far ahead come to lie a day behind the others.
    pub fn into_timeline(self) -> Timeline {
        let mut hours: Vec<(u32, Hour)> = Vec::with_capacity(self.walls.len());
        for wall in self.walls {
            let hour = match hours.last() {
                None => wall,
                Some((before, Hour(hour))) => hour.saturating_add((wall - before).min(MAX_STEP_HOURS)),
            };
            hours.push((wall, Hour(hour)));
        }
        Timeline { hours }
    }
}

/// The index's hour of each hour in which stored events were received.
#[derive(Debug)]
pub struct Timeline {
    hours: Vec<(u32, Hour)>,
}

impl Timeline {
    /// The hour under which a key received then is kept; `None` for a time that the first pass did not see.
    pub fn hour_of(&self, received_at_micros: i64) -> Option<Hour> {
        let wall = wall_hour(received_at_micros);
        let at = self.hours.binary_search_by_key(&wall, |(wall, _)| *wall).ok()?;
        Some(self.hours[at].1)
    }

    /// The clock after all of these events; `None` when there are none.
    pub fn clock(&self) -> Option<IndexClock> {
        self.hours.last().map(|(wall, now)| IndexClock::from_parts(*now, *wall))
    }
}
