//! What one load's rows say of orders that its owner should hear of: amounts taken as 0, orders below 0, numbers that
//! occur with several brands. An order is judged by all that is known of it, whichever load brought it, in bounded memory.
//!
//! `held` keeps the events by order, `advice` says what settings help, `earlier` adds those of the loads before, `counts`
//! judges, `no_order` counts what belongs to no order though it says money, `no_purchase` knows by name what is never
//! bought, `repeated` what earlier loads said already.

mod advice;
mod counts;
mod earlier;
mod held;
mod no_order;
mod no_purchase;
mod repeated;

use std::collections::{BTreeMap, HashMap};

use self::counts::Counts;
use self::held::{Held, Key, OfKey};
use self::no_order::NoOrder;
use self::repeated::Repeated;
use super::order_columns::Said;
use crate::ids::{Node, Person, WorkspaceName};
use crate::orders::Statement;
use crate::settings::{OrderKey, OrderSettings};
use crate::workspace::BaseCurrency;

/// Events of the load that are held to resolve their orders; of a larger load the first ones.
const MOST_EVENTS: usize = 200_000;

const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// Keys of products that are told apart.
const MOST_KEYS: usize = 100;

/// What a row says beside its statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) ts: i64,
    pub(super) received_at: i64,
    pub(super) message_id: &'a str,
    pub(super) kind: &'a str,
    pub(super) event: Option<&'a str>,
    /// The main node.
    pub(super) node: Option<i64>,
    /// The number, with blanks removed and not blocked.
    pub(super) order_id: Option<&'a str>,
    pub(super) brand: Option<&'a str>,
    pub(super) store_id: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) product_id: Option<&'a str>,
    pub(super) quantity: Option<i128>,
    pub(super) has_revenue: bool,
}

/// Gathers purchase and refund events of a load.
pub(super) struct OrderNotes {
    /// For commands that are advised.
    workspace: WorkspaceName,
    settings: OrderSettings,
    base: BaseCurrency,
    orders: HashMap<Key, OfKey>,
    /// Purchase and refund events of the load; of these the first [`MOST_EVENTS`] are among the orders.
    seen: usize,
    without_amount: u64,
    not_a_number: u64,
    /// By key of a product that is not read: the key that it looks like.
    product_keys: BTreeMap<String, &'static str>,
    /// The first of these, with the event that says it.
    first_not_a_number: Option<String>,
    no_order: NoOrder,
    /// Why what earlier loads hold of these orders is not known.
    unseen: Option<String>,
}

impl OrderNotes {
    pub(super) fn new(workspace: WorkspaceName, settings: OrderSettings, base: BaseCurrency) -> Self {
        Self {
            workspace,
            settings,
            base,
            orders: HashMap::new(),
            seen: 0,
            without_amount: 0,
            not_a_number: 0,
            product_keys: BTreeMap::new(),
            first_not_a_number: None,
            no_order: NoOrder::default(),
            unseen: None,
        }
    }

    pub(super) fn add(&mut self, row: Named<'_>, said: Said) {
        let Some(event) = row.event.filter(|event| self.settings.is_of_orders(event)) else {
            self.no_order.add(&row, said.as_deref(), &self.settings);
            return;
        };
        let statement = said.unwrap_or_default();
        if let Some(said) = &statement.not_a_number {
            self.not_a_number += 1;
            self.first_not_a_number.get_or_insert_with(|| format!("{said}, in message_id '{}'", row.message_id));
        }
        self.without_amount += u64::from(!self.settings.is_refund(event) && statement.amount.is_none());
        for (key, meant) in &statement.look_alikes {
            if self.product_keys.len() < MOST_KEYS && !self.product_keys.contains_key(key) {
                self.product_keys.insert(key.clone(), *meant);
            }
        }
        let key = self.key_of(&row);
        self.seen += 1;
        if self.seen > MOST_EVENTS {
            if let Some(of_key) = self.orders.get_mut(&key) {
                of_key.is_complete = false;
            }
            return;
        }
        self.hold(key, event, &row, statement, false);
    }

    /// What events of one order have in common.
    fn key_of(&self, row: &Named<'_>) -> Key {
        match (row.order_id, row.node) {
            (Some(number), _) => Key::Number(number.to_owned()),
            (None, Some(node)) => Key::Day(node, self.base.local_day(row.ts)),
            (None, None) => Key::Event(row.message_id.to_owned()),
        }
    }

    fn hold(&mut self, key: Key, event: &str, row: &Named<'_>, statement: Box<Statement>, is_earlier: bool) {
        let part = match self.settings.order_key {
            _ if row.order_id.is_none() => None,
            OrderKey::OrderId => None,
            OrderKey::Source => row.source,
            OrderKey::Brand => row.brand,
        };
        let own = |text: Option<&str>| text.map(str::to_owned);
        let held = Held {
            ts: row.ts,
            received_at: row.received_at,
            message_id: row.message_id.to_owned(),
            event: event.to_owned(),
            is_refund: self.settings.is_refund(event),
            is_earlier,
            has_number: row.order_id.is_some(),
            node: row.node,
            part: own(part),
            brand: own(row.brand),
            store_id: own(row.store_id),
            currency: own(row.currency),
            product_id: own(row.product_id),
            quantity: row.quantity,
            statement,
        };
        self.orders.entry(key).or_default().events.push(held);
    }

    /// That rows of this load count twice, since earlier loads brought them. Nothing else that is said of the load is as
    /// wrong as that.
    pub(super) fn note_of_repetition(&self) -> Option<String> {
        let complete = self.orders.values().filter(|of_key| of_key.is_complete);
        let repeated: Repeated = complete.map(|of_key| repeated::count(&of_key.events)).sum();
        let rows = repeated.rows();
        let (are, count) = if rows == 1 { ("is", "counts") } else { ("are", "count") };
        (rows > 0).then(|| {
            format!(
                "{}{rows} of {} purchase and refund rows of this load {are} there already, {}, from earlier loads, and \
                 {count} twice now: of a corrected file load the corrected rows alone, in a file of their own. No load is \
                 taken back by itself: `convoke workspace drop {}`, or another --data folder, and each file loaded once \
                 makes the figures right",
                self.basis(),
                self.seen,
                repeated.likeness(),
                self.workspace,
            )
        })
    }

    /// The notes, each a sentence with its count. `person_of` says whose a node is after the load.
    pub(super) fn finish(&self, person_of: impl Fn(Node) -> Option<Person>) -> Vec<String> {
        let mut counts = Counts::default();
        for of_key in self.orders.values().filter(|of_key| of_key.is_complete) {
            let of_number = held::orders_of(&of_key.events);
            counts.add_unclear_refunds(of_number.unclear_refunds, self.settings.order_key);
            for events in of_number.orders {
                counts.add(&events, &self.base, self.settings.order_key, &person_of);
            }
        }
        let mut notes = Vec::new();
        let first = self.first_not_a_number.as_deref().unwrap_or_default();
        notes.extend(count(self.not_a_number, NOT_A_NUMBER).map(|note| format!("{note}; the first is {first}")));
        notes.extend(count(self.without_amount, WITHOUT_AMOUNT));
        notes.extend(self.note_of_product_keys());
        notes.extend(self.no_order.note(&self.settings));
        let basis = self.basis();
        notes.extend(
            counts.notes(&self.workspace, self.settings.order_key).into_iter().map(|note| format!("{basis}{note}")),
        );
        if let Some(why) = &self.unseen {
            let orders = self.orders.len();
            let of = if orders == 1 { "this load's order" } else { "this load's orders" };
            notes.push(format!("what earlier loads say of {of} ({orders}) was not looked at: {why}"));
        }
        notes.extend(self.note_of_cut());
        notes
    }

    fn note_of_product_keys(&self) -> Option<String> {
        let texts = self.product_keys.iter().map(|(key, meant)| format!("'{key}' (to be read as {meant}, name it so)"));
        let texts: Vec<String> = texts.collect();
        (!texts.is_empty()).then(|| {
            format!("keys of products that look like one that counts and are not read as one: {}", texts.join(", "))
        })
    }

    fn is_cut(&self) -> bool {
        self.seen > MOST_EVENTS
    }

    /// What goes before a sentence about orders: of which rows its count is, unless it is of all that there are.
    fn basis(&self) -> String {
        let events = format!("the first {MOST_EVENTS} purchase and refund events of this load");
        match (self.is_cut(), self.unseen.is_some()) {
            (false, false) => String::new(),
            (false, true) => "by the rows of this load alone: ".to_owned(),
            (true, false) => format!("by {events}: "),
            (true, true) => format!("by {events} alone: "),
        }
    }

    /// Which orders nothing is said of, though something may be wrong with them: silence is no all-clear.
    fn note_of_cut(&self) -> Option<String> {
        let cut = self.orders.values().filter(|of_key| !of_key.is_complete).count();
        let more = match cut {
            0 => String::new(),
            1 => ", but for 1 order that later ones go on with".to_owned(),
            _ => format!(", but for {cut} orders that later ones go on with"),
        };
        self.is_cut().then(|| {
            format!(
                "orders were looked at in the first {MOST_EVENTS} of the {} purchase and refund events of this load \
                 only{more}: SELECT * FROM orders WHERE net < 0 OR net IS NULL OR net_base IS NULL tells those that are \
                 below 0, in several currencies or without an exchange rate",
                self.seen
            )
        })
    }
}

/// A sentence about one, and about several.
type Sentence = [&'static str; 2];

const NOT_A_NUMBER: Sentence = [
    "event has an amount, price or quantity that is no number: it counts as absent",
    "events have an amount, price or quantity that is no number: it counts as absent",
];
const WITHOUT_AMOUNT: Sentence = [
    "purchase event of this load says no amount: it counts as 0",
    "purchase events of this load say no amount: they count as 0",
];

/// The sentence with its count; `None` when there is nothing to say.
fn count(count: u64, [one, several]: Sentence) -> Option<String> {
    (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { several }))
}

#[cfg(test)]
mod tests;
