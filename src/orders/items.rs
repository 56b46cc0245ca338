//! Entries taken apart: the rows of an entry have its kind and add up to its amount.

use super::event::{OrderEvent, Row};
use super::order::{Entry, Kind, Order};

/// One row of `order_items`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    pub kind: Kind,
    pub ts: i64,
    /// The product; one without an id, of quantity 0, is what the amount says more or less than the products.
    pub row: Row<'a>,
    /// The event that holds the product, in the order's events; `None` for such a difference.
    pub event: Option<usize>,
}

impl<'a> Order<'a> {
    /// The items of all entries, in their order.
    pub fn items(&self) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        for entry in &self.entries {
            match self.events[entry.event].is_refund {
                true => items.extend(of_refund(self, entry)),
                false => items.extend(of_purchase(self, entry)),
            }
        }
        items
    }
}

fn of_purchase<'a>(order: &Order<'a>, entry: &Entry<'a>) -> Vec<Item<'a>> {
    let mut rows = sources(order, entry);
    if entry.kind == Kind::Refund {
        // A negative line gives pieces back.
        rows.iter_mut().for_each(|(_, row)| row.quantity = taken_back(row));
    }
    complete(entry, rows)
}

fn of_refund<'a>(order: &Order<'a>, entry: &Entry<'a>) -> Vec<Item<'a>> {
    let event = &order.events[entry.event];
    if event.products.is_empty() {
        let own = event.product_id.map(|_| event.own_row(entry.amount));
        let rows = own.map(|row| (entry.event, Row { quantity: taken_back(&row), ..row }));
        return complete(entry, rows.into_iter().collect());
    }
    let said: i128 = event.products.iter().filter_map(|row| row.amount).sum();
    // Negative whatever sign came.
    let sign = if said > 0 { -1 } else { 1 };
    let negative = event.products.iter().map(|row| {
        let row = Row { amount: row.amount.map(|amount| amount * sign), cost: None, ..row.clone() };
        (entry.event, Row { quantity: taken_back(&row), ..row })
    });
    complete(entry, negative.collect())
}

/// Pieces that a row of a refund takes back are negative, as its amount is.
fn taken_back(row: &Row<'_>) -> Option<i128> {
    let gives = row.amount.is_some_and(|amount| amount > 0);
    row.quantity.map(|quantity| if gives { quantity.abs() } else { -quantity.abs() })
}

/// The rows, and one more for what the amount says more or less.
fn complete<'a>(entry: &Entry<'a>, rows: Vec<(usize, Row<'a>)>) -> Vec<Item<'a>> {
    let said: i128 = rows.iter().filter_map(|(_, row)| row.amount).sum();
    let rest = Row { amount: Some(entry.amount - said), quantity: Some(0), ..Row::default() };
    let more = !rows.is_empty() && said != entry.amount;
    let item = |event: Option<usize>, row| Item { kind: entry.kind, ts: entry.ts, row, event };
    let mut items: Vec<Item<'a>> = rows.into_iter().map(|(event, row)| item(Some(event), row)).collect();
    if more {
        items.push(item(None, rest));
    }
    items
}

/// The rows of a purchase's entry, before what its amount says more.
pub(super) fn rows_of_purchase<'a>(order: &Order<'a>, entry: &Entry<'a>) -> Vec<Row<'a>> {
    sources(order, entry).into_iter().map(|(_, row)| row).collect()
}

fn sources<'a>(order: &Order<'a>, entry: &Entry<'a>) -> Vec<(usize, Row<'a>)> {
    let replaced = replaced_lines(order, entry);
    if replaced.is_empty() {
        return rows_of(order, entry.event, entry.amount);
    }
    replaced.into_iter().flat_map(|at| rows_of(order, at, order.events[at].amount.unwrap_or_default())).collect()
}

/// The event's products, else the event itself.
fn rows_of<'a>(order: &Order<'a>, at: usize, amount: i128) -> Vec<(usize, Row<'a>)> {
    let event = &order.events[at];
    if event.products.is_empty() {
        return vec![(at, event.own_row(amount))];
    }
    event.products.iter().map(|row| (at, row.clone())).collect()
}

/// The events whose rows a whole statement without products takes: what stood before it.
fn replaced_lines(order: &Order<'_>, entry: &Entry<'_>) -> Vec<usize> {
    let standing = &order.events[entry.event];
    if order.standing != Some(entry.event) || standing.has_products() {
        return Vec::new();
    }
    let replaced: Vec<usize> = (0..order.events.len()).filter(|at| order.is_replaced(*at)).collect();
    let with_products = |event: &OrderEvent<'_>| event.whole && event.has_products();
    let before = replaced.iter().copied().rev().find(|at| with_products(&order.events[*at]));
    let since = before.map(|at| order.events[at].ts);
    let stands = |at: &usize| {
        let event = &order.events[*at];
        Some(*at) == before || (!event.whole && since.is_none_or(|since| event.ts > since))
    };
    replaced.into_iter().filter(stands).collect()
}

/// Cost and pieces of a sale, from what its events say in all.
pub(super) fn cost_and_pieces(order: &Order<'_>, entry: &Entry<'_>) -> (Option<i128>, i128) {
    let event = &order.events[entry.event];
    let replaced = replaced_lines(order, entry);
    if replaced.is_empty() {
        return (event.cost, event.pieces());
    }
    let lines = || replaced.iter().map(|at| &order.events[*at]);
    (event.cost.or_else(|| lines().map(|line| line.cost).sum()), lines().map(OrderEvent::pieces).sum())
}
