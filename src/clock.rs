//! Where times and new ids come from: in the program from the machine; in simulations from a seed, so that a run can be
//! repeated.
//!
//! Must not know what a time or an id is for. How long something took is measured, not asked here.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::time::Instant;
use uuid::{Builder, Uuid};

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    Machine,
    Seed(Arc<Seeded>),
}

/// A time that goes on as that of the runtime does, which a test may stop, and ids that follow from the seed.
struct Seeded {
    start: DateTime<Utc>,
    began: Instant,
    /// By how much it was set on since, all in all.
    offset: Mutex<TimeDelta>,
    ids: Mutex<Ids>,
}

struct Ids {
    given: u64,
    random: u64,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Machine => "Clock(machine)",
            Source::Seed(_) => "Clock(seed)",
        })
    }
}

impl Clock {
    /// The same seed and the same asking give the same ids.
    pub fn seeded(seed: u64, start: DateTime<Utc>) -> Self {
        let ids = Mutex::new(Ids { given: 0, random: seed });
        Self(Source::Seed(Arc::new(Seeded { start, began: Instant::now(), offset: Mutex::default(), ids })))
    }

    /// Sets one with a seed on, or back, as clocks of machines are. That of this machine is not ours to set.
    pub fn jump(&self, by: TimeDelta) {
        if let Source::Seed(seeded) = &self.0 {
            let mut offset = seeded.offset.lock();
            *offset = offset.checked_add(&by).unwrap_or(*offset);
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::Machine => Utc::now(),
            Source::Seed(seeded) => seeded.now(),
        }
    }

    /// Seconds since 1970.
    pub fn now_seconds(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or_default()
    }

    /// Microseconds since 1970.
    pub fn now_micros(&self) -> i64 {
        self.now().timestamp_micros()
    }

    /// A new UUID of version 7: later ones are greater.
    pub fn new_id(&self) -> Uuid {
        match &self.0 {
            Source::Machine => Uuid::now_v7(),
            Source::Seed(seeded) => seeded.new_id(),
        }
    }
}

impl Seeded {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.began.elapsed()).unwrap_or(TimeDelta::MAX);
        let elapsed = elapsed.checked_add(&self.offset.lock()).unwrap_or(TimeDelta::MAX);
        self.start.checked_add_signed(elapsed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn new_id(&self) -> Uuid {
        let mut ids = self.ids.lock();
        ids.given += 1;
        // SplitMix64 (Steele, Lea, Flood 2014).
        ids.random = ids.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (ids.random ^ (ids.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut bytes = [0; 10];
        // In front, so that ids of one millisecond are in their order.
        bytes[..6].copy_from_slice(&ids.given.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&mixed.to_be_bytes()[..4]);
        // The builder puts the version into the upper four bits of the first byte, the variant into two of the third.
        Builder::from_unix_timestamp_millis(self.now().timestamp_millis().unsigned_abs(), &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests;
