//! A synthetic shop: purchases, visits and campaigns of customers who do not exist.
//!
//! **No row of it is real.** It is drawn from a seed, the same bytes on every machine, for `convoke demo` and for tests.
//! People, addresses, numbers, brands and prices are invented; the proportions follow published retail figures loosely.
//!
//! It holds 24 months (2023-01-01 .. 2024-12-31, UTC) of a retailer with three brands and eight stores that sells on the
//! web, in an app, in a mini program, in stores, on a marketplace and by a call centre. About 20 events a person.
//! An order is one `Order Completed` event (`revenue` = the sum of its `products`, exactly); `Order Refunded` events
//! carry the same `order_id` and a positive amount. Every `message_id` is unique.
//!
//! Identifiers: anonymous_id, user_id, email, phone, wechat_unionid, member_no, device_id. Some are shared, some are
//! placeholders, some have blanks around them, and some sales have none. **A person** is a connected component of the
//! identifiers that appear together on an event, values trimmed, placeholders left out. Placeholders (after trimming, in
//! any case): empty, null, none, nil, undefined, unknown, anonymous, n/a, na, guest, test, -1, and anything made of '0'
//! and '-' only. A person is known with a user_id, member_no, email, phone or wechat_unionid. An order belongs to the
//! person of its purchase event; a buyer has at least one order, whatever its value; a one-time buyer exactly one
//! order id. Lifecycle states count orders with a net above 0, in UTC days, as of the end of 2024-12-31 (90/365 days).
//!
//! Planted stories, whose numbers are in [`Truth::stories`]:
//! 1. **Few bring much, the lapsed bring most**: a tenth of the buyers brings about half of the net revenue, and
//!    customers who are defecting or inactive by the end of 2024 bring more of it than all others.
//! 2. **A brand declines**: Aster falls from 40 % of the orders to 6 % through 2024.
//! 3. **A campaign works**: `winback-2024` holds out a quarter of the lapsed customers whom it could reach; of those
//!    who get it, clearly more order within 30 days. Three other campaigns have a holdout, too.
//! 4. **Two cookies, late log-in**: 15 % of account holders browse with a web and an app cookie for a month before
//!    they log in on both, which makes one person of the two.
//! 5. **Shared and bad identifiers**: persons 6 and 7 of every 50 share an e-mail address, eight customers a store
//!    tablet's cookie: without rules they become one person. Placeholders stand on about 6 of 1,000 events. Some
//!    mini-program users never give a phone number there and stay apart from themselves.
//! 6. **Cash**: one sale for every ten persons has no usable identifier; half of them carry a member number of zeros.
//!
//! [`Shop::truth`] counts all this from the plan, with its own union-find and its own idea of an order, never from rows
//! and never with the engine. Must not know storage, identity resolution or queries.

mod blemish;
mod calendar;
mod campaigns;
mod catalog;
mod closing;
mod components;
mod ledger;
mod orders;
mod person;
mod plan;
mod random;
mod render;
mod script;
mod sign_up;
#[cfg(test)]
mod tests;
mod truth;

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::ingest::input::InputBuilder;

pub use truth::{CampaignTruth, CategoryRevenue, LifecycleTruth, Stories, Truth};

/// Rows of a batch; the last one is shorter, others a little longer, as persons are not cut in two.
const BATCH_ROWS: usize = 8192;

/// The seed of [`Shop::new`]: the truth tables under `tests/data` are for it.
const DEFAULT_SEED: u64 = 20_230_101;

/// Events of 1,000 persons on average, measured.
const EVENTS_PER_THOUSAND: u64 = 19_000;

/// A shop of `persons` planned customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop {
    pub persons: u32,
    pub seed: u64,
}

impl Shop {
    pub fn new(persons: u32) -> Self {
        Self { persons, seed: DEFAULT_SEED }
    }

    /// All events in batches of [`crate::ingest::input::schema`], person by person and in order of time for each.
    /// Holds one batch at a time. The first persons of a larger shop are those of a smaller one.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> + Send + 'static {
        Batches { shop: *self, next_person: 0, renderer: render::Renderer::default() }
    }

    /// About how many events there are, for a progress bar.
    pub fn estimated_events(&self) -> u64 {
        u64::from(self.persons) * EVENTS_PER_THOUSAND / 1000
    }

    /// The user id of somebody whose timeline is worth a look: two cookies, a late log-in, several orders. In a shop too
    /// small for one of these it is whoever has an account and ordered most; `None` in a shop without accounts.
    pub fn example_user_id(&self) -> Option<String> {
        let Self { persons, seed } = *self;
        let scripts = || (0..persons).map(move |index| script::Script::of(seed, index));
        // Without WeChat, whose orders may be a person apart.
        let is_whole = |script: &script::Script| script.person.unionid.is_none();
        let is_worthy = |script: &script::Script| {
            script.person.late_login && is_whole(script) && (3..=8).contains(&script.orders.len())
        };
        let found = scripts().find(is_worthy).or_else(|| {
            let with_account = scripts().filter(|script| script.person.user_id.is_some());
            with_account.max_by_key(|script| (is_whole(script), script.orders.len()))
        });
        found?.person.user_id
    }

    /// What a correct engine finds in the events. Draws the whole plan once more.
    pub fn truth(&self) -> Truth {
        let mut ledger = ledger::Ledger::default();
        for index in 0..self.persons {
            let script = script::Script::of(self.seed, index);
            ledger.enter(&script.person, &script.events);
        }
        Truth { persons_planned: self.persons, seed: self.seed, ..ledger.close() }
    }
}

struct Batches {
    shop: Shop,
    next_person: u32,
    renderer: render::Renderer,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut builder = InputBuilder::default();
        while builder.len() < BATCH_ROWS && self.next_person < self.shop.persons {
            for event in script::Script::of(self.shop.seed, self.next_person).events {
                self.renderer.push(&event, &mut builder);
            }
            self.next_person += 1;
        }
        if builder.is_empty() { None } else { Some(builder.finish()) }
    }
}
