//! Orders with their lines, refunds and reviews, and the cash sales that nobody signs for.
//!
//! Money is counted in whole fen, so that the revenue of an order is the sum of its lines exactly.
//! Must not know rows or the truth.

use super::calendar::{self, DAYS, LAST_DAY};
use super::catalog::{self, BRAND_WEIGHTS, BRANDS, Fen};
use super::plan::{Action, Identifier, IdentifierKind, Line, Order, Refund, Source};
use super::script::{Basket, Script};

/// Person 3 of every 10 stands for a stranger, too, who pays cash in a store.
const CASH: (u32, u32) = (10, 3);

/// The cashiers of person 13 of every 20 type a member number of zeros, since the till wants one.
const ZEROS: (u32, u32) = (20, 13);

impl Script {
    /// An order at `ts` with what follows from it; without a basket it is drawn freely.
    pub fn order(
        &mut self,
        ts: i64,
        source: Source,
        channel: &'static str,
        ids: Vec<Identifier>,
        basket: Option<Basket>,
    ) {
        let number = self.orders.len() + 1;
        let order = self.draw_order(format!("O{:08}-{number}", self.person.index), ts, source, basket);
        let ids = self.at_checkout(source, ids);
        self.orders.push(calendar::day_of(ts));
        self.refund(ts, source, channel, &ids, &order);
        self.review(ts, &ids, &order);
        self.push(ts, source, channel, ids, Action::Ordered(order));
    }

    /// Who is not logged in leaves an e-mail address; at a till or on the phone some give a number as well.
    fn at_checkout(&mut self, source: Source, ids: Vec<Identifier>) -> Vec<Identifier> {
        let person = &self.person;
        match source {
            Source::Web | Source::App => self.with(ids, &[(IdentifierKind::Email, &person.email)]),
            Source::Store if self.dice.chance(150) => self.with(ids, &[(IdentifierKind::Phone, &self.person.phone)]),
            _ => ids,
        }
    }

    fn draw_order(&mut self, id: String, ts: i64, source: Source, basket: Option<Basket>) -> Order {
        let quarter = calendar::quarter(calendar::day_of(ts));
        let Basket { brand, products } = basket
            .unwrap_or_else(|| Basket { brand: self.dice.weighted(&BRAND_WEIGHTS[quarter]), products: Vec::new() });
        let coupon = match self.dice.below(100) {
            0..8 => Some("WELCOME10"),
            8..24 => Some("SALE10"),
            _ => None,
        };
        // A sample: real cost, no price.
        let free = self.dice.chance(10);
        let wanted = (1 + self.dice.weighted(&[52, 26, 14, 8])).max(products.len());
        let mut lines = Vec::new();
        for place in 0..if free { 1 } else { wanted } {
            let product = match products.get(place) {
                Some(product) => product,
                None => catalog::product(brand, self.draw_leaf(), self.dice.weighted(&[50, 35, 15])),
            };
            let price = match coupon {
                _ if free => 0,
                Some(_) => product.price * 9 / 10,
                None => product.price,
            };
            let quantity = 1 + self.dice.weighted(&[86, 11, 3]) as i64;
            lines.push(Line { product, price, quantity });
        }
        let store = (source == Source::Store).then_some(self.person.store);
        Order { id, brand: BRANDS[brand], store, coupon: coupon.filter(|_| !free), lines }
    }

    fn refund(&mut self, ts: i64, source: Source, channel: &'static str, ids: &[Identifier], order: &Order) {
        let revenue = order.revenue();
        if revenue == 0 || !self.dice.chance(80) {
            return;
        }
        let partial = self.dice.chance(450);
        let amount = if partial { (revenue * Fen::from(20 + self.dice.below(60)) / 100).max(1) } else { revenue };
        // The desk of a store asks for the receipt only: such a refund finds its person by the order alone.
        let ids = if source == Source::Store && self.dice.chance(300) { Vec::new() } else { ids.to_vec() };
        let later = ts + i64::from(self.dice.between(2, 20)) * calendar::MICROSECONDS_PER_DAY;
        let mut parts = vec![(later, amount)];
        if partial && self.dice.chance(150) && amount < revenue {
            parts.push((later + calendar::MICROSECONDS_PER_DAY, revenue - amount));
        }
        for (ts, amount) in parts {
            if calendar::day_of(ts) <= LAST_DAY {
                let refund = Refund { order_id: order.id.clone(), brand: order.brand, store: order.store, amount };
                self.push(ts, source, channel, ids.clone(), Action::Refunded(refund));
            }
        }
    }

    fn review(&mut self, ts: i64, ids: &[Identifier], order: &Order) {
        let ts = ts + i64::from(self.dice.between(5, 25)) * calendar::MICROSECONDS_PER_DAY;
        let (true, Some(line)) = (self.dice.chance(110), order.lines.first()) else { return };
        if calendar::day_of(ts) > LAST_DAY || self.person.user_id.is_none() {
            return;
        }
        let rating = 1 + self.dice.weighted(&[5, 6, 14, 35, 40]) as u32;
        let action = Action::Reviewed(line.product, order.brand, rating);
        self.push(ts, Source::Web, "direct", ids.to_vec(), action);
    }

    /// A sale in a store to a stranger, of which no person can be told.
    pub fn sell_for_cash(&mut self) {
        if self.person.index % CASH.0 != CASH.1 {
            return;
        }
        let day = self.dice.below(DAYS as u32) as i32;
        let ts = calendar::instant(day, calendar::busy_second(&mut self.dice));
        let mut order = self.draw_order(format!("C{:08}", self.person.index), ts, Source::Store, None);
        order.store = Some(self.person.store);
        let zeros = Identifier { kind: IdentifierKind::MemberNo, value: "0000000000".to_owned() };
        let ids = if self.person.index % ZEROS.0 == ZEROS.1 { vec![zeros] } else { Vec::new() };
        self.refund(ts, Source::Store, "store", &ids, &order);
        self.push(ts, Source::Store, "store", ids, Action::Ordered(order));
    }
}
