//! The script of one person: what she does in two years, in order of time.
//!
//! Here her visits and sign-ups; orders and campaigns add their parts. Must not know rows or the truth.

use super::calendar::{self, LAST_DAY};
use super::catalog::{self, Product};
use super::person::{Kind, Person};
use super::plan::{Action, Event, Identifier, IdentifierKind, Source};
use super::random::Dice;

const SEARCHES: [&str; 8] =
    ["shirt", "linen dress", "gift", "sneakers", "连衣裙", "face cream", "tea set", "kids trousers"];

/// How a visitor came; the acquisition channel of the person is one more entry.
const VISIT_CHANNELS: [&str; 5] = ["direct", "search", "social", "email", "ads"];

/// Days between the first and the last order of one who buys again.
const LIFETIMES: [i32; 7] = [45, 90, 150, 240, 365, 600, 731];

/// One who lapses has stopped by this day, 90 days and more before the end.
const LAST_DAY_OF_LAPSED: i32 = 635;

/// What a visitor has put in the cart, all of one brand.
pub struct Basket {
    pub brand: usize,
    pub products: Vec<&'static Product>,
}

/// One person, her random stream and the events so far.
pub struct Script {
    pub person: Person,
    pub dice: Dice,
    pub events: Vec<Event>,
    /// Day of the first sign-up, from which the web knows the user.
    pub registered: i32,
    /// Day from which the app knows the user.
    pub app_login: i32,
    /// Days of the orders so far.
    pub orders: Vec<i32>,
}

impl Script {
    /// All that happens to person `index`, sorted by time.
    pub fn of(seed: u64, index: u32) -> Self {
        let mut dice = Dice::new(seed, index);
        let person = Person::draw(index, &mut dice);
        let mut script = Self { person, dice, events: Vec::new(), registered: 0, app_login: 0, orders: Vec::new() };
        match script.person.kind {
            Kind::Browser => script.browse_unknown(),
            _ => script.live(),
        }
        script.sell_for_cash();
        script.blemish();
        // Stable: what has one instant keeps its order.
        script.events.sort_by_key(|event| event.ts);
        script
    }

    pub fn push(&mut self, ts: i64, source: Source, channel: &'static str, ids: Vec<Identifier>, action: Action) {
        self.events.push(Event { ts, source, channel, identifiers: ids, campaign: None, action });
    }

    pub fn logged_in(&self, source: Source, day: i32) -> bool {
        self.person.user_id.is_some() && day >= if source == Source::App { self.app_login } else { self.registered }
    }

    fn browse_unknown(&mut self) {
        let first = self.dice.between(0, LAST_DAY - 40);
        for _ in 0..1 + self.dice.weighted(&[42, 28, 18, 12]) {
            let day = first + self.dice.between(0, 40);
            let source = self.person.draw_source(&mut self.dice);
            self.visit(day, source, false);
        }
    }

    fn live(&mut self) {
        let orders = if self.person.buys { self.draw_order_count() } else { 0 };
        let heavy = orders >= 6;
        let lapses = orders > 1 && self.dice.chance(if heavy { 560 } else { 500 });
        let start = match orders {
            0 | 1 => self.dice.between(0, LAST_DAY),
            _ if lapses => self.dice.between(0, 400),
            _ => self.dice.between(0, 690),
        };
        // A late log-in needs a month of browsing before.
        let start = if self.person.late_login { start.max(30) } else { start };
        let lifetime = self.dice.pick(if lapses { &LIFETIMES[..4] } else { &LIFETIMES[3..] });
        let end = (start + lifetime).min(if lapses { LAST_DAY_OF_LAPSED } else { LAST_DAY });
        self.registered = start;
        self.app_login = if self.person.late_login { start } else { start + self.dice.between(0, 60) };
        self.sign_up();
        self.extra_visits(start, end);
        for number in 0..orders {
            let day = if number == 0 { start } else { self.dice.between(start, end) };
            let day = calendar::drawn_to_sales(day, &mut self.dice).max(start);
            self.shop_once(day);
        }
        self.campaigns();
    }

    /// About half buy once; few buy very often.
    fn draw_order_count(&mut self) -> u32 {
        let (first, last) = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 9), (10, 19), (20, 45)]
            [self.dice.weighted(&[500, 170, 105, 100, 75, 38, 12])];
        self.dice.between(first, last).unsigned_abs()
    }

    fn extra_visits(&mut self, start: i32, end: i32) {
        if self.person.late_login {
            for source in [Source::Web, Source::App] {
                for _ in 0..2 {
                    let day = self.dice.between(start - 30, start - 1);
                    self.visit(day, source, false);
                }
            }
        }
        for _ in 0..self.dice.weighted(&[10, 20, 22, 20, 14, 8, 6]) {
            let day = self.dice.between(start, end);
            let source = self.person.draw_source(&mut self.dice);
            self.visit(day, source, false);
        }
    }

    fn shop_once(&mut self, day: i32) {
        let source = if self.dice.chance(700) { self.person.home } else { self.person.draw_source(&mut self.dice) };
        self.visit(day, source, true);
    }

    /// One visit. Where nobody browses (store, marketplace, call centre) only a purchase leaves a trace.
    pub fn visit(&mut self, day: i32, source: Source, buys: bool) {
        let mut second = calendar::busy_second(&mut self.dice);
        let mut basket = None;
        let ids = self.person.identifiers_on(source, self.logged_in(source, day));
        let channel = match source {
            Source::Store => "store",
            Source::Marketplace => "marketplace",
            Source::CallCentre => "phone",
            _ if self.dice.chance(200) => self.person.traits.acquisition_channel,
            _ => self.dice.pick(&VISIT_CHANNELS),
        };
        if matches!(source, Source::Web | Source::App | Source::MiniProgram) {
            let (ends, cart) = self.browse(day, second, source, channel, &ids, buys);
            (second, basket) = (ends, Some(cart));
        }
        if buys {
            self.order(calendar::instant(day, second), source, channel, ids, basket);
        }
    }

    /// Pages, searches, products, perhaps a cart that is left behind. Returns the second at which it ends and the cart.
    fn browse(
        &mut self,
        day: i32,
        start: u32,
        source: Source,
        channel: &'static str,
        ids: &[Identifier],
        buys: bool,
    ) -> (u32, Basket) {
        let mut second = start;
        let brand = self.dice.weighted(&catalog::BRAND_WEIGHTS[calendar::quarter(day)]);
        let mut basket = Basket { brand, products: Vec::new() };
        let mut actions = vec![Action::Page("Home")];
        if self.dice.chance(350) {
            actions.push(Action::Searched(self.dice.pick(&SEARCHES)));
        }
        for _ in 0..self.dice.weighted(&[10, 30, 30, 20, 10]) {
            let product = catalog::product(brand, self.draw_leaf(), self.dice.below(3) as usize);
            actions.push(Action::Viewed(product, catalog::BRANDS[brand]));
            if self.dice.chance(if buys { 600 } else { 180 }) {
                actions.push(Action::Added(product, catalog::BRANDS[brand], 1));
                basket.products.push(product);
            }
        }
        if buys {
            actions.push(Action::Page("Checkout"));
        }
        for action in actions {
            self.push(calendar::instant(day, second), source, channel, ids.to_vec(), action);
            second += 5 + self.dice.below(120);
        }
        (second, basket)
    }

    pub fn draw_leaf(&mut self) -> usize {
        if self.dice.chance(450) {
            return self.person.favourite_leaf;
        }
        self.dice.below(catalog::LEAF_COUNT as u32) as usize
    }

    /// Adds identifiers to `ids` that were not shown on the source itself.
    pub fn with(&self, mut ids: Vec<Identifier>, more: &[(IdentifierKind, &Option<String>)]) -> Vec<Identifier> {
        for (kind, value) in more {
            if let Some(value) = value
                && ids.iter().all(|shown| shown.kind != *kind)
            {
                ids.push(Identifier { kind: *kind, value: value.clone() });
            }
        }
        ids
    }
}
