//! What one load's rows say of orders that its owner should hear of: amounts taken as 0, orders below 0, numbers that
//! occur with several brands. Looked for among the rows of the load alone, in bounded memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::money;
use crate::orders::{Kind, Order, OrderEvent, Row, Statement, resolve};
use crate::settings::{OrderKey, OrderSettings};
use crate::workspace::BaseCurrency;

/// Events that are held to resolve their orders; of a larger load the first ones.
const MOST_EVENTS: usize = 200_000;

/// What a row says beside its statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) ts: i64,
    pub(super) event: &'a str,
    /// The number, with blanks removed and not blocked.
    pub(super) order_id: Option<&'a str>,
    pub(super) brand: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) product_id: Option<&'a str>,
    pub(super) quantity: Option<i128>,
}

/// Gathers purchase and refund events of a load.
pub(super) struct OrderNotes {
    settings: OrderSettings,
    base: BaseCurrency,
    /// By number.
    orders: HashMap<String, Vec<Held>>,
    held: usize,
    is_cut: bool,
    without_amount: u64,
    not_a_number: u64,
}

struct Held {
    ts: i64,
    /// Place in the load, in place of what tells events of one moment apart.
    place: i64,
    event: String,
    is_refund: bool,
    /// What the number counts within.
    part: Option<String>,
    brand: Option<String>,
    currency: Option<String>,
    product_id: Option<String>,
    quantity: Option<i128>,
    statement: Statement,
}

impl OrderNotes {
    pub(super) fn new(settings: OrderSettings, base: BaseCurrency) -> Self {
        Self { settings, base, orders: HashMap::new(), held: 0, is_cut: false, without_amount: 0, not_a_number: 0 }
    }

    /// Whether events of this name are purchases or refunds.
    pub(super) fn counts(&self, event: &str) -> bool {
        self.is_refund(event) || self.settings.purchase_events.iter().any(|name| name == event)
    }

    fn is_refund(&self, event: &str) -> bool {
        self.settings.refund_events.iter().any(|name| name == event)
    }

    pub(super) fn add(&mut self, row: Named<'_>, statement: &Statement) {
        if !self.counts(row.event) {
            return;
        }
        let is_refund = self.is_refund(row.event);
        self.not_a_number += u64::from(statement.not_a_number);
        self.without_amount += u64::from(!is_refund && statement.amount.is_none());
        let Some(number) = row.order_id else { return };
        if self.held == MOST_EVENTS {
            self.is_cut = true;
            return;
        }
        let part = match self.settings.order_key {
            OrderKey::OrderId => None,
            OrderKey::Source => row.source,
            OrderKey::Brand => row.brand,
        };
        let own = |text: Option<&str>| text.map(str::to_owned);
        let held = Held {
            ts: row.ts,
            place: self.held as i64,
            event: row.event.to_owned(),
            is_refund,
            part: own(part),
            brand: own(row.brand),
            currency: own(row.currency),
            product_id: own(row.product_id),
            quantity: row.quantity,
            statement: statement.clone(),
        };
        self.held += 1;
        self.orders.entry(number.to_owned()).or_default().push(held);
    }

    /// The notes, each a sentence with its count.
    pub(super) fn finish(&self) -> Vec<String> {
        let mut counts = Counts::default();
        for of_number in self.orders.values() {
            for events in orders_of(of_number) {
                counts.add(&events, &self.base, self.settings.order_key);
            }
        }
        let rows = |count: u64, one: &str, many: &str| {
            (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
        };
        let notes = [
            rows(
                self.not_a_number,
                "event has an amount, price or quantity that is no number: it counts as absent",
                "events have an amount, price or quantity that is no number: it counts as absent",
            ),
            rows(
                self.without_amount,
                "purchase event says no amount: it counts as 0",
                "purchase events say no amount: they count as 0",
            ),
            rows(
                counts.refunds_without_price,
                "refunded product has no price, nor has its order one: it refunds 0",
                "refunded products have no price, nor have their orders one: they refund 0",
            ),
            rows(
                counts.beyond,
                "order adds up beyond DECIMAL(18,4): statements that read its amounts fail and name it",
                "orders add up beyond DECIMAL(18,4): statements that read their amounts fail and name one",
            ),
            rows(
                counts.below_zero,
                "order is below 0: more is refunded than was sold",
                "orders are below 0: more is refunded than was sold",
            ),
            rows(
                counts.several_currencies,
                "order is sold or refunded in several currencies: its net is NULL and no part of sum(net), net_base has all",
                "orders are sold or refunded in several currencies: their net is NULL and no part of sum(net), net_base has all",
            ),
            rows(
                counts.other_total,
                "order whose lines name a total that is not their sum: the lines count",
                "orders whose lines name a total that is not their sum: the lines count",
            ),
            rows(
                counts.several_names,
                "order has lines of several event names, which add up: check purchase_events",
                "orders have lines of several event names, which add up: check purchase_events",
            ),
            rows(
                counts.several_brands,
                "order number occurs with several brands and is one order: see the setting order_key",
                "order numbers occur with several brands and are one order each: see the setting order_key",
            ),
            rows(
                counts.without_rate,
                "booking has no exchange rate: its amount_base is NULL",
                "bookings have no exchange rate: their amount_base is NULL",
            ),
        ];
        let mut notes: Vec<String> = notes.into_iter().flatten().collect();
        if self.is_cut {
            notes.push(format!("orders were looked at in the first {MOST_EVENTS} purchase and refund events alone"));
        }
        notes
    }
}

/// The orders of one number: the number counts within a part, and a refund without it is of the only order there is.
fn orders_of(of_number: &[Held]) -> Vec<Vec<&Held>> {
    let is_homeless = |held: &Held| held.is_refund && held.part.is_none();
    let mut orders: BTreeMap<Option<&str>, Vec<&Held>> = BTreeMap::new();
    for held in of_number.iter().filter(|held| !is_homeless(held)) {
        orders.entry(held.part.as_deref()).or_default().push(held);
    }
    let home = match orders.len() {
        1 => orders.keys().next().copied().flatten(),
        _ => None,
    };
    for held in of_number.iter().filter(|held| is_homeless(held)) {
        orders.entry(home).or_default().push(held);
    }
    orders.into_values().collect()
}

/// How many orders show what.
#[derive(Default)]
struct Counts {
    refunds_without_price: u64,
    beyond: u64,
    below_zero: u64,
    several_currencies: u64,
    other_total: u64,
    several_names: u64,
    several_brands: u64,
    without_rate: u64,
}

impl Counts {
    fn add(&mut self, held: &[&Held], base: &BaseCurrency, key: OrderKey) {
        let events = held.iter().enumerate().map(|(source, held)| order_event(held, source)).collect();
        let order = resolve(events, &base.name);
        self.refunds_without_price += order.refunds_without_price as u64;
        let totals = order.totals();
        let sums = [totals.gross, totals.refund, totals.net, totals.cost, Some(totals.items)];
        self.beyond += u64::from(sums.into_iter().flatten().any(|sum| !money::is_amount(sum)));
        self.below_zero += u64::from(totals.net.is_some_and(|net| net < 0));
        self.several_currencies += u64::from(totals.net.is_none());
        let without_rate = |entry: &&crate::orders::Entry<'_>| {
            matches!(base.convert(entry.amount, entry.currency, entry.ts), Ok(None))
        };
        self.without_rate += order.entries.iter().filter(without_rate).count() as u64;
        let lines: Vec<&Held> = standing_lines(&order).map(|at| held[order.events[at].source]).collect();
        let names: BTreeSet<&str> = lines.iter().map(|line| line.event.as_str()).collect();
        self.several_names += u64::from(names.len() > 1);
        let sum: i128 = lines.iter().filter_map(|line| line.statement.amount).sum();
        // A total is that of the line, or that of all lines said on each.
        let is_other = |line: &&Held| {
            line.statement.total.is_some_and(|total| Some(total) != line.statement.amount && total != sum)
        };
        self.other_total += u64::from(lines.iter().any(is_other));
        let brands: BTreeSet<&str> =
            held.iter().filter(|held| !held.is_refund).filter_map(|held| held.brand.as_deref()).collect();
        self.several_brands += u64::from(key == OrderKey::OrderId && brands.len() > 1);
    }
}

/// Purchases that add up: neither replaced nor a statement of the whole order.
fn standing_lines<'o>(order: &'o Order<'_>) -> impl Iterator<Item = usize> + 'o {
    let booked = order.entries.iter().filter(|entry| entry.kind == Kind::Sale || !order.events[entry.event].is_refund);
    booked.map(|entry| entry.event).filter(|at| Some(*at) != order.standing)
}

fn order_event(held: &Held, source: usize) -> OrderEvent<'_> {
    let statement = &held.statement;
    OrderEvent {
        source,
        ts: held.ts,
        received_at: held.place,
        message_id: "",
        is_refund: held.is_refund,
        whole: statement.whole,
        amount: statement.amount,
        unpriced: statement.unpriced,
        currency: held.currency.as_deref(),
        cost: statement.cost,
        pieces: statement.pieces,
        quantity: held.quantity,
        product_id: held.product_id.as_deref(),
        products: statement.products.iter().enumerate().map(|(position, product)| row_of(product, position)).collect(),
    }
}

fn row_of(product: &crate::orders::Product, position: usize) -> Row<'_> {
    Row {
        product_id: product.product_id.as_deref(),
        quantity: product.quantity,
        amount: product.amount,
        cost: product.cost,
        position: Some(position),
    }
}

#[cfg(test)]
mod tests;
