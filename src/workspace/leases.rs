//! States that are kept for those who were promised them: a ticket reads the state that it was planned on.
//!
//! All tickets of one state share it. What states cost is what they do not share with those after them. Beyond a budget
//! those end first that were read as often as they were promised: whoever polls makes such a state with every statement,
//! and must not cost others what they were promised and have not read. Of these, or else of all, the one that was used
//! least lately ends, of the workspace that holds the most. Must not know what a ticket is.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::snapshot::{Snapshot, SnapshotId};
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;

/// The leased states of all workspaces.
pub struct Leases {
    /// Bytes that they may cost beside the newest states.
    budget: usize,
    held: Mutex<HashMap<WorkspaceName, LeasedStates>>,
}

/// Those of one workspace, the oldest first.
#[derive(Default)]
struct LeasedStates {
    states: Vec<LeasedState>,
    bytes: usize,
    /// Counts the uses.
    uses: u64,
}

struct LeasedState {
    state: Arc<Snapshot>,
    until: Instant,
    /// When it was used last, by the count of uses.
    used: u64,
    /// Promises that nobody has asked for yet. A second read of one counts for another, which is no great loss.
    unread: u64,
    /// What it costs beside the next one.
    bytes: usize,
}

impl Leases {
    pub fn new(budget: usize) -> Self {
        Self { budget, held: Mutex::default() }
    }

    /// Keeps a state from `now` until then. `newest` is the newest one of the workspace.
    pub fn lease(
        &self,
        workspace: &WorkspaceName,
        state: &Arc<Snapshot>,
        newest: &Snapshot,
        now: Instant,
        until: Instant,
    ) {
        let mut held = self.held.lock();
        held.retain(|_, states| {
            states.end_before(now);
            !states.states.is_empty()
        });
        held.entry(workspace.clone()).or_default().lease(state, newest, until);
        self.keep_within_budget(&mut held, Some(state));
    }

    /// # Errors
    /// `Conflict` when the state is not kept any more.
    pub fn find(
        &self,
        workspace: &WorkspaceName,
        newest: &Arc<Snapshot>,
        id: SnapshotId,
        now: Instant,
    ) -> Result<Arc<Snapshot>> {
        let mut held = self.held.lock();
        held.values_mut().for_each(|states| states.end_before(now));
        // The newest one, too: this read of it counts when it is old.
        let found = held.get_mut(workspace).and_then(|states| states.find(id, now));
        if newest.id() == id {
            return Ok(Arc::clone(newest));
        }
        found.ok_or_else(|| Error::conflict("the data has changed since this statement was planned: run it again"))
    }

    /// Lets go of states whose time is over, and counts what those that are the last of their workspace cost beside its
    /// newest state: to be called from time to time, since nobody may ask for long.
    pub fn sweep(&self, now: Instant, newest: impl Fn(&WorkspaceName) -> Option<Arc<Snapshot>>) {
        let mut held = self.held.lock();
        held.retain(|workspace, states| {
            states.end_before(now);
            if let (Some(last), Some(newest)) = (states.states.len().checked_sub(1), newest(workspace)) {
                states.weigh(last, &newest);
            }
            !states.states.is_empty()
        });
        self.keep_within_budget(&mut held, None);
    }

    fn keep_within_budget(&self, held: &mut HashMap<WorkspaceName, LeasedStates>, in_use: Option<&Arc<Snapshot>>) {
        let may_end = |held: &LeasedState| in_use.is_none_or(|in_use| !Arc::ptr_eq(in_use, &held.state));
        let was_read = |held: &LeasedState| may_end(held) && held.unread == 0;
        while held.values().map(|states| states.bytes).sum::<usize>() > self.budget {
            if !end_of_largest(held, &was_read) && !end_of_largest(held, &may_end) {
                break;
            }
        }
    }

    /// States that are kept, and what they cost in bytes.
    pub fn size(&self) -> (usize, usize) {
        let held = self.held.lock();
        held.values().fold((0, 0), |(states, bytes), of_one| (states + of_one.states.len(), bytes + of_one.bytes))
    }
}

/// Ends the state that was used least lately, of the workspace that holds the most; false where none may end.
fn end_of_largest(held: &mut HashMap<WorkspaceName, LeasedStates>, may_end: &impl Fn(&LeasedState) -> bool) -> bool {
    let able = held.values_mut().filter(|states| states.states.iter().any(may_end));
    let Some(largest) = able.max_by_key(|states| states.bytes) else { return false };
    largest.end_least_used(may_end);
    true
}

impl LeasedStates {
    fn lease(&mut self, state: &Arc<Snapshot>, newest: &Snapshot, until: Instant) {
        self.uses += 1;
        let used = self.uses;
        match self.states.iter_mut().rev().find(|held| held.state.id() == state.id()) {
            Some(held) => {
                held.until = held.until.max(until);
                held.used = used;
                held.unread += 1;
            }
            None => {
                self.states.push(LeasedState { state: Arc::clone(state), until, used, unread: 1, bytes: 0 });
                if let Some(before) = self.states.len().checked_sub(2) {
                    self.weigh(before, newest);
                }
            }
        }
        // Newer states may have come since it was leased.
        self.weigh(self.states.len() - 1, newest);
    }

    fn find(&mut self, id: SnapshotId, now: Instant) -> Option<Arc<Snapshot>> {
        self.uses += 1;
        let found = self.states.iter_mut().rev().find(|held| held.state.id() == id && held.until > now)?;
        found.used = self.uses;
        found.unread = found.unread.saturating_sub(1);
        Some(Arc::clone(&found.state))
    }

    /// Counts what the state at this place costs beside the next one, or the newest of all.
    fn weigh(&mut self, place: usize, newest: &Snapshot) {
        let Some(held) = self.states.get(place) else { return };
        let next = self.states.get(place + 1).map_or(newest, |next| &next.state);
        let bytes = if held.state.id() == next.id() { 0 } else { held.state.bytes_beside(next) };
        self.bytes = self.bytes - held.bytes + bytes;
        self.states[place].bytes = bytes;
    }

    fn end_before(&mut self, now: Instant) {
        while let Some(place) = self.states.iter().position(|held| held.until <= now) {
            self.end(place);
        }
    }

    fn end_least_used(&mut self, may_end: &impl Fn(&LeasedState) -> bool) {
        let able = self.states.iter().enumerate().filter(|(_, held)| may_end(held));
        if let Some((place, _)) = able.min_by_key(|(_, held)| held.used) {
            self.end(place);
        }
    }

    fn end(&mut self, place: usize) {
        let ended = self.states.remove(place);
        self.bytes -= ended.bytes;
        // What the one before it shared with it alone is now its own.
        let next = self.states.get(place).map(|next| Arc::clone(&next.state));
        if let (Some(before), Some(next)) = (place.checked_sub(1), next) {
            self.weigh(before, &next);
        }
    }
}
