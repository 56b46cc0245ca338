//! Statements that changed something, by the id in their ticket: a ticket fetched again changes nothing more.
//!
//! Must not know what a statement does.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ticket::{QueryId, TICKET_SECONDS};
use crate::clock::Clock;
use crate::query::Once;

/// Beyond a ticket's life, for calls that are under way when it ends.
const SLACK_SECONDS: u64 = 60;
/// Entries from which the expired ones are looked for.
const SWEEP_FROM: usize = 1_024;

/// An entry lives as long as the ticket can be used.
pub(super) struct Executed {
    held: Mutex<HashMap<QueryId, (Once, u64)>>,
    /// That of the tickets.
    clock: Clock,
}

impl Executed {
    pub(super) fn new(clock: Clock) -> Self {
        Self { held: Mutex::default(), clock }
    }

    /// The one execution of this ticket.
    pub(super) fn once(&self, id: QueryId) -> Once {
        let mut held = self.held.lock();
        if held.len() >= SWEEP_FROM && held.len().is_power_of_two() {
            let now = self.clock.now_seconds();
            held.retain(|_, (_, expires)| *expires > now);
        }
        held.entry(id).or_insert_with(|| (Once::default(), self.expiry())).0.clone()
    }

    /// The ticket was renewed.
    pub(super) fn keep(&self, id: QueryId) {
        if let Some((_, expires)) = self.held.lock().get_mut(&id) {
            *expires = self.expiry();
        }
    }

    /// In seconds since 1970.
    fn expiry(&self) -> u64 {
        self.clock.now_seconds() + TICKET_SECONDS + SLACK_SECONDS
    }
}
