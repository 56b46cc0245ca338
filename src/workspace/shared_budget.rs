//! Memory that many share. Half of it is divided evenly: of that each has a part which nobody else takes. The other half is
//! for those who need more than their part, as long as there is some. So one alone has all of it, one that needs little
//! never waits for one that needs much, and all together stay within the limit.
//!
//! Must not know what the bytes are.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{self, Notify};

#[derive(Debug)]
pub(super) struct SharedBudget {
    /// Bytes that are divided evenly.
    divided: usize,
    /// Bytes for those who need more than their part.
    common: usize,
    held: Mutex<Held>,
    freed: Notify,
    /// Held by the first of those who wait for common bytes.
    turn: sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    /// Of each share, by its number.
    bytes: HashMap<u64, usize>,
    next: u64,
    /// What each share has for itself.
    part: usize,
    /// Bytes beyond their parts that shares hold together.
    beyond: usize,
}

/// One of those who share a budget. What it holds is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<SharedBudget>,
    number: u64,
}

/// Bytes that a share holds as long as this lives.
#[derive(Debug)]
pub(super) struct Reservation {
    share: Arc<Share>,
    bytes: usize,
}

impl SharedBudget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let common = limit / 2;
        let (held, freed, turn) = (Mutex::default(), Notify::new(), sync::Mutex::default());
        Arc::new(Self { divided: limit - common, common, held, freed, turn })
    }

    pub(super) fn share(self: &Arc<Self>) -> Share {
        let mut held = self.held.lock();
        let number = held.next;
        held.next += 1;
        held.bytes.insert(number, 0);
        held.divide(self.divided);
        Share { budget: Arc::clone(self), number }
    }

    /// Whether nobody gets more than his part.
    pub(super) fn is_used_up(&self) -> bool {
        self.held.lock().beyond >= self.common
    }

    /// Bytes of all shares.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.held.lock().bytes.values().sum()
    }
}

impl Held {
    /// To be called when shares come or go.
    fn divide(&mut self, bytes: usize) {
        self.part = bytes / self.bytes.len().max(1);
        self.beyond = self.bytes.values().map(|held| held.saturating_sub(self.part)).sum();
    }

    fn of(&self, number: u64) -> usize {
        self.bytes.get(&number).copied().unwrap_or_default()
    }

    fn beyond_of(&self, number: u64) -> usize {
        self.of(number).saturating_sub(self.part)
    }

    fn set(&mut self, number: u64, bytes: usize) {
        self.beyond = self.beyond - self.beyond_of(number) + bytes.saturating_sub(self.part);
        self.bytes.insert(number, bytes);
    }

    /// What a share may hold, if all shares may hold so many bytes beyond their parts.
    fn allowance(&self, number: u64, common: usize) -> usize {
        self.part + common.saturating_sub(self.beyond - self.beyond_of(number))
    }
}

impl Share {
    /// Says how much it holds now, whether there was room for it or not.
    pub(super) fn set(&self, bytes: usize) {
        let mut held = self.budget.held.lock();
        let before = held.of(self.number);
        held.set(self.number, bytes);
        drop(held);
        if bytes < before {
            self.budget.freed.notify_waiters();
        }
    }

    /// Whether it may hold more than it does.
    pub(super) fn has_room(&self) -> bool {
        let held = self.budget.held.lock();
        held.beyond_of(self.number) == 0 || held.beyond < self.budget.common
    }

    /// How much it may hold as things are now.
    pub(super) fn allowance(&self) -> usize {
        self.budget.held.lock().allowance(self.number, self.budget.common)
    }

    /// The same if half of what is common stays free for those who need it more.
    pub(super) fn spare_allowance(&self) -> usize {
        self.budget.held.lock().allowance(self.number, self.budget.common / 2)
    }

    /// Says how much it is going to hold, and gets that or less: what it may hold.
    pub(super) fn take_up_to(&self, bytes: usize) -> usize {
        let mut held = self.budget.held.lock();
        let granted = bytes.min(held.allowance(self.number, self.budget.common));
        held.set(self.number, granted);
        granted
    }

    /// Waits until it may hold so many bytes more. Those who need more than their part wait for each other, in the order in
    /// which they came; who needs no more than his part waits for none of them. More than all that is common counts as that.
    pub(super) async fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        let bytes = bytes.min(self.budget.common);
        let mut turn = std::pin::pin!(self.budget.turn.lock());
        let _turn = loop {
            // Made before it is looked: what is freed in between is not missed.
            let freed = self.budget.freed.notified();
            if let Some(reservation) = self.try_reserve(bytes, false) {
                return reservation;
            }
            tokio::select! {
                biased;
                turn = &mut turn => break turn,
                () = freed => {}
            }
        };
        loop {
            let freed = self.budget.freed.notified();
            if let Some(reservation) = self.try_reserve(bytes, true) {
                return reservation;
            }
            freed.await;
        }
    }

    fn try_reserve(self: &Arc<Self>, bytes: usize, takes_common: bool) -> Option<Reservation> {
        let mut held = self.budget.held.lock();
        let wanted = held.of(self.number) + bytes;
        let most = match takes_common {
            true => held.allowance(self.number, self.budget.common),
            false => held.part,
        };
        if wanted > most {
            return None;
        }
        held.set(self.number, wanted);
        drop(held);
        Some(Reservation { share: Arc::clone(self), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.budget.held.lock();
        held.bytes.remove(&self.number);
        held.divide(self.budget.divided);
        drop(held);
        self.budget.freed.notify_waiters();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Share { budget, number } = self.share.as_ref();
        let mut held = budget.held.lock();
        let left = held.of(*number).saturating_sub(self.bytes);
        held.set(*number, left);
        drop(held);
        budget.freed.notify_waiters();
    }
}
