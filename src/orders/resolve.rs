//! The events of one order become its entries: what is booked, when, as what (SQL.md 1, cases A23 to A35).

use std::collections::{HashMap, HashSet, hash_map};

use super::event::{OrderEvent, Row};
use super::items;
use super::order::{Entry, Kind, Order};
use crate::money;

/// The sums of an order. `None` where its currencies cannot be added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals<'a> {
    pub gross: Option<i128>,
    pub refund: Option<i128>,
    pub net: Option<i128>,
    pub currency: Option<&'a str>,
    /// Cost and pieces of what was sold.
    pub cost: Option<i128>,
    pub items: i128,
}

/// Resolves the events of one order, in any order of arrival. `base` is the currency where none is named.
pub fn resolve<'a>(mut events: Vec<OrderEvent<'a>>, base: &'a str) -> Order<'a> {
    events.sort_unstable_by(|left, right| left.sort_key().cmp(&right.sort_key()));
    let standing = events.iter().rposition(|event| event.whole && !event.is_refund);
    let (refunds_without_price, refunds_without_quantity) = (0, 0);
    let mut order = Order { events, entries: Vec::new(), standing, refunds_without_price, refunds_without_quantity };
    let named = order.the_currency_named().unwrap_or(base);
    order.book_purchases(named);
    if order.entries.len() < order.events.len() {
        order.book_stated_refunds(named);
        order.book_full_refunds(named);
    }
    order.entries.sort_by_key(|entry| (entry.ts, entry.kind, entry.event));
    order
}

impl<'a> Order<'a> {
    /// The only currency that the events which count name.
    fn the_currency_named(&self) -> Option<&'a str> {
        let mut named: Option<&'a str> = None;
        for (at, event) in self.events.iter().enumerate() {
            let Some(currency) = event.currency.filter(|_| !self.is_replaced(at)) else { continue };
            if named.is_some_and(|named| named != currency) {
                return None;
            }
            named = Some(currency);
        }
        named
    }

    fn book(&mut self, event: usize, ts: i64, is_refund: bool, amount: i128, currency: &'a str) {
        let kind = if is_refund || amount < 0 { Kind::Refund } else { Kind::Sale };
        self.entries.push(Entry { ts, kind, amount, currency, event });
    }

    fn book_purchases(&mut self, named: &'a str) {
        let made = self.ts();
        for at in 0..self.events.len() {
            let event = &self.events[at];
            if event.is_refund || self.is_replaced(at) {
                continue;
            }
            let ts = if self.standing == Some(at) { made } else { event.ts };
            let (amount, currency) = (event.amount.unwrap_or_default(), event.currency.unwrap_or(named));
            self.book(at, ts, false, amount, currency);
        }
    }

    /// Refund events that say an amount, or products.
    fn book_stated_refunds(&mut self, named: &'a str) {
        let lacks_price =
            |event: &OrderEvent<'_>| event.unpriced || event.products.iter().any(|row| row.amount.is_none());
        let prices = match self.events.iter().any(|event| event.is_refund && lacks_price(event)) {
            true => self.prices(),
            false => Prices::default(),
        };
        for at in 0..self.events.len() {
            let event = &mut self.events[at];
            if !event.is_refund || !(event.unpriced || event.amount.is_some()) {
                continue;
            }
            let without = fill_in_prices(event, &prices);
            self.refunds_without_price += without.price;
            self.refunds_without_quantity += without.quantity;
            let (ts, amount) = (event.ts, event.amount.unwrap_or_default());
            let currency = event.currency.unwrap_or(named);
            self.book(at, ts, true, -amount.abs(), currency);
        }
    }

    fn prices(&self) -> Prices<'a> {
        let mut prices = Prices::default();
        for entry in self.entries.iter().filter(|entry| entry.kind == Kind::Sale) {
            for row in items::rows_of_purchase(self, entry) {
                match (row.product_id, row.amount, row.quantity) {
                    (Some(product), Some(amount), Some(pieces)) => {
                        prices.add(product, Sold { amount, pieces, price: price_of_piece(&row) });
                    }
                    (Some(product), _, None) => {
                        prices.uncounted.insert(product);
                    }
                    _ => {}
                }
            }
        }
        prices
    }

    /// Refund events that name the order alone: the first takes what the other refunds leave of gross.
    ///
    /// An order in several currencies has a booking of each.
    fn book_full_refunds(&mut self, named: &'a str) {
        let mut sold: Vec<&'a str> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == Kind::Sale) {
            if !sold.contains(&entry.currency) {
                sold.push(entry.currency);
            }
        }
        for at in 0..self.events.len() {
            let event = &self.events[at];
            if !event.is_refund || event.unpriced || event.amount.is_some() {
                continue;
            }
            let (ts, own) = (event.ts, event.currency);
            let of_own = own.filter(|own| sold.contains(own) || sold.is_empty());
            let currencies = match of_own {
                Some(own) => vec![own],
                None if sold.is_empty() => vec![named],
                None => sold.clone(),
            };
            for currency in currencies {
                let of_currency = self.entries.iter().filter(|entry| entry.currency == currency);
                let left: i128 = of_currency.map(|entry| entry.amount).sum();
                self.book(at, ts, true, -left.max(0), currency);
            }
        }
    }

    /// What the entries add up to.
    pub fn totals(&self) -> Totals<'a> {
        let of = |kind: Kind| self.entries.iter().filter(move |entry| entry.kind == kind);
        let sum = |kind: Kind| of(kind).map(|entry| entry.amount).sum::<i128>();
        let only = |kind: Kind| {
            let first = of(kind).next().map(|entry| entry.currency);
            (first, of(kind).all(|entry| Some(entry.currency) == first))
        };
        let ((sold, one_sold), (refunded, one_refunded)) = (only(Kind::Sale), only(Kind::Refund));
        let currency = if sold.is_some() { sold.filter(|_| one_sold) } else { refunded.filter(|_| one_refunded) };
        let gross = one_sold.then(|| sum(Kind::Sale));
        let comparable = currency.is_some() && one_refunded && (refunded.is_none() || refunded == currency);
        let refund = comparable.then(|| sum(Kind::Refund));
        let (mut cost, mut pieces) = (None, 0);
        for entry in of(Kind::Sale) {
            let (of_entry, pieces_of_entry) = items::cost_and_pieces(self, entry);
            pieces += pieces_of_entry;
            cost = of_entry.map(|of_entry| cost.unwrap_or_default() + of_entry).or(cost);
        }
        let net = gross.zip(refund).map(|(gross, refund)| gross + refund);
        Totals { gross, refund, net, currency, cost, items: pieces }
    }
}

/// What the sales of an order say of the price of a piece.
#[derive(Default)]
struct Prices<'a> {
    sold: HashMap<&'a str, Sold>,
    /// Products whose pieces are not known.
    uncounted: HashSet<&'a str>,
}

impl<'a> Prices<'a> {
    fn add(&mut self, product: &'a str, sold: Sold) {
        match self.sold.entry(product) {
            hash_map::Entry::Occupied(mut held) => held.get_mut().add(sold),
            hash_map::Entry::Vacant(place) => {
                place.insert(sold);
            }
        }
    }

    /// The price of the row's pieces.
    fn of(&self, row: &Row<'a>) -> Option<i128> {
        let sold = row.product_id.and_then(|product| self.sold.get(product)).filter(|sold| sold.pieces != 0)?;
        let quantity = row.quantity?;
        Some(match sold.price {
            Some(price) => money::divide(price.saturating_mul(quantity), money::ONE),
            None => money::divide(sold.amount.saturating_mul(quantity), sold.pieces),
        })
    }

    /// Whether the row has no price since pieces are not known: its own, or those that were sold.
    fn is_uncounted(&self, row: &Row<'a>) -> bool {
        row.quantity.is_none() || row.product_id.is_some_and(|product| self.uncounted.contains(product))
    }
}

/// What was sold of a product.
struct Sold {
    amount: i128,
    pieces: i128,
    /// The price of a piece, where all that was sold had the same.
    price: Option<i128>,
}

impl Sold {
    fn add(&mut self, more: Sold) {
        self.amount += more.amount;
        self.pieces += more.pieces;
        self.price = self.price.filter(|price| more.price == Some(*price));
    }
}

/// The exact price of a piece of a row that was sold: what is stated, where it gives the row's amount. The amount is
/// rounded: 0.5 of 0.3333 is 0.1667, of which one piece would be 0.3334. Else what the amount is a multiple of.
fn price_of_piece(row: &Row<'_>) -> Option<i128> {
    let (amount, pieces) = (row.amount?, row.quantity.filter(|pieces| *pieces != 0)?);
    let gives_amount = |price: &i128| money::divide(price.saturating_mul(pieces), money::ONE) == amount;
    row.price.filter(gives_amount).or_else(|| {
        let units = amount.saturating_mul(money::ONE);
        (units % pieces == 0).then(|| units / pieces)
    })
}

/// How many products of a refund event refund 0, by what is not known of them.
#[derive(Default)]
struct Without {
    price: usize,
    quantity: usize,
}

impl Without {
    fn count<'a>(&mut self, row: &Row<'a>, prices: &Prices<'a>) {
        match prices.is_uncounted(row) {
            true => self.quantity += 1,
            false => self.price += 1,
        }
    }
}

/// Gives the products of a refund event the order's price a piece of them; returns how many refund 0 for want of one.
fn fill_in_prices<'a>(event: &mut OrderEvent<'a>, prices: &Prices<'a>) -> Without {
    let mut without = Without::default();
    for row in event.products.iter_mut().filter(|row| row.amount.is_none()) {
        let price = prices.of(row);
        if price.is_none() {
            without.count(row, prices);
        }
        row.amount = price.or(event.unpriced.then_some(0));
    }
    if !event.unpriced {
        return Without::default();
    }
    if event.products.is_empty() {
        let own = event.own_row(0);
        let price = prices.of(&own);
        if price.is_none() {
            without.count(&own, prices);
        }
        event.amount = Some(price.unwrap_or_default());
    } else {
        event.amount = Some(event.products.iter().filter_map(|row| row.amount).sum());
    }
    without
}
