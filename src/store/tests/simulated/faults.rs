//! What goes wrong, how often, and how often it did.

use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Of each kind of fault, how many of 1,000 requests meet it. All zero is a store without faults.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    /// Not applied, and told as a broken connection.
    pub(crate) lost_request: u32,
    /// Applied, and told as a broken connection; half of the create-only puts as 412 instead.
    pub(crate) lost_answer: u32,
    /// A put that is told as a broken connection, and applied after a time of up to `longest_late`.
    pub(crate) late: u32,
    /// A create-only put that is told as 409 without having landed.
    pub(crate) false_conflict: u32,
    /// Not applied, and told as 429 or 503.
    pub(crate) throttled: u32,
    /// Held up before it is applied, or before its answer, for a time of up to `longest_delay`.
    pub(crate) delayed: u32,
    /// A list as it was some changes ago.
    pub(crate) stale_list: u32,
    /// One bit of what is read is wrong.
    pub(crate) flipped: u32,
    pub(crate) longest_delay: Duration,
    pub(crate) longest_late: Duration,
}

/// How often each of it happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) lost_requests: u64,
    pub(crate) lost_answers: u64,
    pub(crate) late: u64,
    /// Of `late`, those that were applied.
    pub(crate) landed_late: u64,
    pub(crate) false_conflicts: u64,
    pub(crate) throttled: u64,
    pub(crate) delayed: u64,
    pub(crate) stale_lists: u64,
    pub(crate) flipped: u64,
}

impl Counts {
    /// Each kind of fault with its count.
    pub(crate) fn by_kind(&self) -> [(&'static str, u64); 9] {
        [
            ("lost requests", self.lost_requests),
            ("lost answers", self.lost_answers),
            ("late requests", self.late),
            ("late landings", self.landed_late),
            ("false conflicts", self.false_conflicts),
            ("throttled", self.throttled),
            ("delayed", self.delayed),
            ("stale lists", self.stale_lists),
            ("flipped bits", self.flipped),
        ]
    }
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    LostRequest,
    LostAnswer,
    Late(Duration),
    FalseConflict,
    Throttled,
}

#[derive(Debug)]
pub(super) struct Faults {
    pub(super) rates: Rates,
    pub(super) counts: Counts,
    random: ChaCha8Rng,
}

impl Faults {
    pub(super) fn new(seed: u64, rates: Rates) -> Self {
        Self { rates, counts: Counts::default(), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The fate of the next request, and how long it is held up before it is applied and before its answer.
    pub(super) fn fate(&mut self, put: bool) -> (Fate, Option<Duration>, Option<Duration>) {
        self.counts.requests += 1;
        let rates = self.rates;
        let before = self.delay(rates.delayed);
        let after = self.delay(rates.delayed);
        let counts = &mut self.counts;
        let kinds = [
            (rates.lost_request, Fate::LostRequest, &mut counts.lost_requests),
            (rates.lost_answer, Fate::LostAnswer, &mut counts.lost_answers),
            (rates.throttled, Fate::Throttled, &mut counts.throttled),
            (if put { rates.late } else { 0 }, Fate::Late(Duration::ZERO), &mut counts.late),
            (if put { rates.false_conflict } else { 0 }, Fate::FalseConflict, &mut counts.false_conflicts),
        ];
        let mut drawn = self.random.next_u32() % 1_000;
        let mut fate = Fate::Fine;
        for (rate, kind, count) in kinds {
            if drawn < rate {
                *count += 1;
                fate = kind;
                break;
            }
            drawn -= rate;
        }
        if let Fate::Late(delay) = &mut fate {
            *delay = up_to(&mut self.random, rates.longest_late);
        }
        (fate, before, after)
    }

    /// The bytes, or these with one bit changed.
    pub(super) fn hurt(&mut self, bytes: Bytes) -> Bytes {
        if bytes.is_empty() || !self.happens(self.rates.flipped) {
            return bytes;
        }
        self.counts.flipped += 1;
        let mut hurt = bytes.to_vec();
        let bit = self.random.next_u64() as usize % (hurt.len() * 8);
        hurt[bit / 8] ^= 1 << (bit % 8);
        hurt.into()
    }

    /// How many of the newest of `changes` a list does not show.
    pub(super) fn unseen(&mut self, changes: usize) -> usize {
        if changes == 0 || !self.happens(self.rates.stale_list) {
            return 0;
        }
        self.counts.stale_lists += 1;
        1 + self.random.next_u64() as usize % changes
    }

    pub(super) fn toss(&mut self) -> bool {
        self.random.next_u32().is_multiple_of(2)
    }

    fn delay(&mut self, rate: u32) -> Option<Duration> {
        if !self.happens(rate) {
            return None;
        }
        self.counts.delayed += 1;
        Some(up_to(&mut self.random, self.rates.longest_delay))
    }

    fn happens(&mut self, rate: u32) -> bool {
        rate > 0 && self.random.next_u32() % 1_000 < rate
    }
}

fn up_to(random: &mut ChaCha8Rng, longest: Duration) -> Duration {
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX).max(1);
    Duration::from_micros(random.next_u64() % longest)
}
