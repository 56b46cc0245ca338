//! Statements that changed something, by the id in their ticket: a ticket fetched again changes nothing more.
//!
//! Must not know what a statement does.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ticket::{QueryId, TICKET_SECONDS, seconds_since_1970};
use crate::query::Once;

/// Beyond a ticket's life, for calls that are under way when it ends.
const SLACK_SECONDS: u64 = 60;
/// Entries from which the expired ones are looked for.
const SWEEP_FROM: usize = 1_024;

/// An entry lives as long as the ticket can be used.
#[derive(Default)]
pub(super) struct Executed {
    held: Mutex<HashMap<QueryId, (Once, u64)>>,
}

fn expiry() -> u64 {
    seconds_since_1970() + TICKET_SECONDS + SLACK_SECONDS
}

impl Executed {
    /// The one execution of this ticket.
    pub(super) fn once(&self, id: QueryId) -> Once {
        let mut held = self.held.lock();
        if held.len() >= SWEEP_FROM && held.len().is_power_of_two() {
            let now = seconds_since_1970();
            held.retain(|_, (_, expires)| *expires > now);
        }
        held.entry(id).or_insert_with(|| (Once::default(), expiry())).0.clone()
    }

    /// The ticket was renewed.
    pub(super) fn keep(&self, id: QueryId) {
        if let Some((_, expires)) = self.held.lock().get_mut(&id) {
            *expires = expiry();
        }
    }
}
