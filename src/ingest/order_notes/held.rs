//! The events of a load's orders, each order by what its events have in common.

use std::collections::BTreeMap;

use crate::orders::key::Day;
use crate::orders::{OrderEvent, Product, Row, Statement};

/// What events of one order have in common. A number may be that of several orders: see [`orders_of`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Number(String),
    /// Main node and local day of events without a number.
    Day(i64, Day),
    /// The message id of an event without a node.
    Event(String),
}

/// The events of one key.
pub(super) struct OfKey {
    pub(super) events: Vec<Held>,
    /// No row of the load was left out.
    pub(super) is_complete: bool,
}

impl Default for OfKey {
    fn default() -> Self {
        Self { events: Vec::new(), is_complete: true }
    }
}

pub(super) struct Held {
    pub(super) ts: i64,
    pub(super) received_at: i64,
    pub(super) message_id: String,
    pub(super) event: String,
    pub(super) is_refund: bool,
    /// An earlier load brought it.
    pub(super) is_earlier: bool,
    pub(super) has_number: bool,
    pub(super) node: Option<i64>,
    /// What the number counts within.
    pub(super) part: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) store_id: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) product_id: Option<String>,
    pub(super) quantity: Option<i128>,
    pub(super) statement: Box<Statement>,
}

/// The orders of one number.
pub(super) struct OfNumber<'h> {
    pub(super) orders: Vec<Vec<&'h Held>>,
    /// Refunds that name the number alone, of which there are several orders: they make one more.
    pub(super) unclear_refunds: usize,
}

/// The orders of one number: the number counts within a part, and a refund without it is of the only order there is.
pub(super) fn orders_of(of_number: &[Held]) -> OfNumber<'_> {
    let is_homeless = |held: &Held| held.is_refund && held.part.is_none();
    let mut orders: BTreeMap<Option<&str>, Vec<&Held>> = BTreeMap::new();
    for held in of_number.iter().filter(|held| !is_homeless(held)) {
        orders.entry(held.part.as_deref()).or_default().push(held);
    }
    let home = match orders.len() {
        1 => orders.keys().next().copied().flatten(),
        _ => None,
    };
    let is_unclear = orders.len() > 1 && orders.keys().all(Option::is_some);
    let homeless: Vec<&Held> = of_number.iter().filter(|held| is_homeless(held)).collect();
    let unclear_refunds = if is_unclear { homeless.len() } else { 0 };
    if !homeless.is_empty() {
        orders.entry(home).or_default().extend(homeless);
    }
    OfNumber { orders: orders.into_values().collect(), unclear_refunds }
}

pub(super) fn order_event(held: &Held, source: usize) -> OrderEvent<'_> {
    let statement = &held.statement;
    OrderEvent {
        source,
        ts: held.ts,
        received_at: held.received_at,
        message_id: &held.message_id,
        is_refund: held.is_refund,
        whole: statement.whole && held.has_number,
        amount: statement.amount,
        unpriced: statement.unpriced,
        currency: held.currency.as_deref(),
        cost: statement.cost,
        pieces: statement.pieces,
        quantity: held.quantity,
        product_id: held.product_id.as_deref(),
        price: statement.price,
        products: statement.products.iter().enumerate().map(|(position, product)| row_of(product, position)).collect(),
    }
}

fn row_of(product: &Product, position: usize) -> Row<'_> {
    Row {
        product_id: product.product_id.as_deref(),
        quantity: product.quantity,
        amount: product.amount,
        price: product.price,
        cost: product.cost,
        position: Some(position),
    }
}
