//! What is remarkable of orders, counted.

use std::collections::BTreeSet;

use super::held::{Held, order_event};
use super::{DAY_MICROSECONDS, Sentence, advice, count};
use crate::ids::{Node, Person, WorkspaceName};
use crate::money;
use crate::orders::{Entry, Kind, Order, resolve};
use crate::settings::OrderKey;
use crate::workspace::BaseCurrency;

/// Purchases of one order seldom lie so far apart; numbers that begin anew each month come again after as many days.
const FAR_APART_DAYS: i64 = 31;

/// How many orders show what.
#[derive(Default)]
pub(super) struct Counts {
    refunds_without_price: u64,
    refunds_without_quantity: u64,
    beyond: u64,
    below_zero: u64,
    several_currencies: u64,
    other_total: u64,
    several_names: u64,
    several_brands: u64,
    several_persons: u64,
    several_stores: u64,
    far_apart: u64,
    without_rate: u64,
    refunds_without_brand: u64,
    refunds_without_source: u64,
}

impl Counts {
    /// Takes the events of one order.
    pub(super) fn add(
        &mut self,
        held: &[&Held],
        base: &BaseCurrency,
        key: OrderKey,
        person_of: impl Fn(Node) -> Option<Person>,
    ) {
        let events = held.iter().enumerate().map(|(source, held)| order_event(held, source)).collect();
        let order = resolve(events, &base.name);
        self.refunds_without_price += order.refunds_without_price as u64;
        self.refunds_without_quantity += order.refunds_without_quantity as u64;
        let totals = order.totals();
        let sums = [totals.gross, totals.refund, totals.net, totals.cost, Some(totals.items)];
        self.beyond += u64::from(sums.into_iter().flatten().any(|sum| !money::is_amount(sum)));
        self.below_zero += u64::from(totals.net.is_some_and(|net| net < 0));
        self.several_currencies += u64::from(totals.net.is_none());
        let without_rate =
            |entry: &&Entry<'_>| matches!(base.convert(entry.amount, entry.currency, entry.ts), Ok(None));
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
        let purchases = || held.iter().filter(|held| !held.is_refund && held.has_number);
        let brands: BTreeSet<&str> = purchases().filter_map(|held| held.brand.as_deref()).collect();
        let has_brands = key == OrderKey::OrderId && brands.len() > 1;
        self.several_brands += u64::from(has_brands);
        let nodes = purchases().filter_map(|held| Node::try_from(held.node?).ok());
        let persons: BTreeSet<Person> = nodes.filter_map(person_of).collect();
        let has_persons = !has_brands && persons.len() > 1;
        self.several_persons += u64::from(has_persons);
        if !has_brands && !has_persons {
            let purchases: Vec<&Held> = purchases().copied().collect();
            self.add_purchases(&purchases);
        }
    }

    /// Takes the purchases of one number which neither a brand nor a person tells apart.
    fn add_purchases(&mut self, purchases: &[&Held]) {
        let stores: BTreeSet<&str> = purchases.iter().filter_map(|held| held.store_id.as_deref()).collect();
        let has_stores = stores.len() > 1;
        self.several_stores += u64::from(has_stores);
        let times = || purchases.iter().map(|held| held.ts);
        let span = times().max().zip(times().min()).map(|(last, first)| last.saturating_sub(first));
        let is_far = span.is_some_and(|span| span > FAR_APART_DAYS * DAY_MICROSECONDS);
        // One person may pay for one order month by month.
        let is_of_nobody = purchases.iter().any(|held| held.node.is_none());
        self.far_apart += u64::from(!has_stores && is_far && is_of_nobody);
    }

    /// Takes refunds whose number alone does not tell their order.
    pub(super) fn add_unclear_refunds(&mut self, refunds: usize, key: OrderKey) {
        match key {
            OrderKey::OrderId => {}
            OrderKey::Brand => self.refunds_without_brand += refunds as u64,
            OrderKey::Source => self.refunds_without_source += refunds as u64,
        }
    }

    /// What is to be said, each with its count.
    pub(super) fn notes(&self, workspace: &WorkspaceName, key: OrderKey) -> Vec<String> {
        let notes = [
            (
                self.refunds_without_price,
                [
                    "refunded product has no price, nor has its order one: it refunds 0",
                    "refunded products have no price, nor have their orders one: they refund 0",
                ],
            ),
            (self.refunds_without_quantity, REFUNDS_WITHOUT_QUANTITY),
            (
                self.beyond,
                [
                    "order adds up beyond DECIMAL(18,4): statements that read its amounts fail and name it",
                    "orders add up beyond DECIMAL(18,4): statements that read their amounts fail and name one",
                ],
            ),
            (
                self.below_zero,
                [
                    "order is below 0: more is refunded than was sold",
                    "orders are below 0: more is refunded than was sold",
                ],
            ),
            (self.several_currencies, SEVERAL_CURRENCIES),
            (
                self.other_total,
                [
                    "order whose lines name a total that is not their sum: the lines count",
                    "orders whose lines name a total that is not their sum: the lines count",
                ],
            ),
            (
                self.several_names,
                [
                    "order has lines of several event names, which add up: check purchase_events",
                    "orders have lines of several event names, which add up: check purchase_events",
                ],
            ),
        ];
        let said = |(number, sentence): (u64, Sentence)| count(number, sentence);
        let of_brands = said((self.several_brands, SEVERAL_BRANDS)).map(|note| note + &advice::on_brands(workspace));
        let of_persons =
            said((self.several_persons, SEVERAL_PERSONS)).map(|note| note + &advice::on_persons(workspace, key));
        let of_stores =
            said((self.several_stores, SEVERAL_STORES)).map(|note| note + &advice::on_stores(workspace, key));
        let of_months = said((self.far_apart, FAR_APART)).map(|note| note + advice::ON_MONTHS);
        let refunds = [
            (self.refunds_without_brand, REFUNDS_WITHOUT_BRAND),
            (self.refunds_without_source, REFUNDS_WITHOUT_SOURCE),
        ];
        let notes = notes.into_iter().filter_map(said).chain(of_brands).chain(refunds.into_iter().filter_map(said));
        let notes = notes.chain(of_persons).chain(of_stores).chain(of_months);
        notes.chain(count(self.without_rate, WITHOUT_RATE)).collect()
    }
}

const REFUNDS_WITHOUT_QUANTITY: Sentence = [
    "refunded product has a quantity that is no number, there or in its order: what it is worth is not known, it refunds 0",
    "refunded products have a quantity that is no number, there or in their orders: what they are worth is not known, they \
     refund 0",
];
const SEVERAL_CURRENCIES: Sentence = [
    "order is sold or refunded in several currencies: its net is NULL and no part of sum(net), net_base has all",
    "orders are sold or refunded in several currencies: their net is NULL and no part of sum(net), net_base has all",
];
const SEVERAL_BRANDS: Sentence = [
    "order number occurs with several brands and is one order",
    "order numbers occur with several brands and are one order each",
];
const REFUNDS_WITHOUT_BRAND: Sentence = [
    "refund names an order number of several orders and no brand: it is booked on an order of its own",
    "refunds name an order number of several orders and no brand: they are booked on orders of their own",
];
const REFUNDS_WITHOUT_SOURCE: Sentence = [
    "refund names an order number of several orders and no source: it is booked on an order of its own",
    "refunds name an order number of several orders and no source: they are booked on orders of their own",
];
const SEVERAL_PERSONS: Sentence = [
    "order has purchases of several persons and counts for the first",
    "orders have purchases of several persons and count for the first",
];
const SEVERAL_STORES: Sentence = [
    "order number occurs with several stores (store_id) and is one order",
    "order numbers occur with several stores (store_id) and are one order each",
];
const FAR_APART: Sentence = [
    "order number occurs in purchases without a person that lie more than 31 days apart, and is one order",
    "order numbers occur in purchases without a person that lie more than 31 days apart, and are one order each",
];
const WITHOUT_RATE: Sentence = [
    "booking has no exchange rate: its amount_base is NULL",
    "bookings have no exchange rate: their amount_base is NULL",
];

/// Purchases that add up: neither replaced nor a statement of the whole order.
fn standing_lines<'o>(order: &'o Order<'_>) -> impl Iterator<Item = usize> + 'o {
    let booked = order.entries.iter().filter(|entry| entry.kind == Kind::Sale || !order.events[entry.event].is_refund);
    booked.map(|entry| entry.event).filter(|at| Some(*at) != order.standing)
}
