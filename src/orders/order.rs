//! An order: its events, and what is booked of them.

use super::event::OrderEvent;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Sale,
    Refund,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Sale => "sale",
            Kind::Refund => "refund",
        }
    }
}

/// One booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub ts: i64,
    pub kind: Kind,
    pub amount: i128,
    pub currency: &'a str,
    /// The event that it comes from, in the order of the resolved events.
    pub event: usize,
}

/// The entries of one order, with the events that they come from.
#[derive(Debug)]
pub struct Order<'a> {
    /// By (ts, received_at, message_id).
    pub events: Vec<OrderEvent<'a>>,
    /// By (ts, kind), of one moment as their events.
    pub entries: Vec<Entry<'a>>,
    /// The whole statement that stands, in `events`.
    pub standing: Option<usize>,
    /// Products of refund events of which nothing says a price: they refund 0.
    pub refunds_without_price: usize,
    /// The same of those for which only the pieces are not known, theirs or those of the order: they refund 0, too.
    pub refunds_without_quantity: usize,
}

impl Order<'_> {
    /// Whether the event is replaced by the whole statement that stands.
    pub fn is_replaced(&self, event: usize) -> bool {
        let standing = self.standing.filter(|standing| *standing != event);
        standing.is_some_and(|at| !self.events[event].is_refund && self.events[event].ts <= self.events[at].ts)
    }

    /// When the order was made: its first purchase, replaced ones included, else its first refund.
    pub fn ts(&self) -> i64 {
        let first = self.events.iter().find(|event| !event.is_refund).or(self.events.first());
        first.map_or(0, |event| event.ts)
    }
}
