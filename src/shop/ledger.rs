//! Counts the truth from the plan, event by event, without rows and without the engine.
//!
//! Must not know how events are drawn; what an order or a lifecycle state is, it derives by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::blemish::is_junk;
use super::calendar;
use super::catalog::Fen;
use super::components::Components;
use super::person::Person;
use super::plan::{Action, CampaignStep, Event, IdentifierKind};
use super::render::Yuan;
use super::truth::{CategoryRevenue, Truth};

/// One order, summed over its events.
pub(super) struct OrderEntry {
    /// An identifier of the purchase event.
    pub node: Option<u32>,
    pub ts: i64,
    pub brand: &'static str,
    pub gross: Fen,
    pub refund: Fen,
    pub refunded: bool,
}

impl OrderEntry {
    pub fn net(&self) -> Fen {
        self.gross - self.refund
    }

    pub fn day(&self) -> i32 {
        calendar::day_of(self.ts)
    }
}

/// One step of one campaign for one identifier.
pub(super) struct ContactEntry {
    pub campaign: &'static str,
    pub step: CampaignStep,
    pub node: u32,
    pub ts: i64,
}

/// All that the closing needs to know of the events seen.
#[derive(Default)]
pub struct Ledger {
    pub(super) truth: Truth,
    pub(super) components: Components,
    pub(super) orders: Vec<OrderEntry>,
    pub(super) contacts: Vec<ContactEntry>,
    /// Place in `orders` by order id. Only looked up, never iterated.
    order_places: HashMap<String, usize>,
    categories: BTreeMap<&'static str, Fen>,
    cost: Fen,
    /// The two cookies of each late log-in.
    pub(super) late_logins: Vec<(String, String)>,
    tablets: BTreeSet<String>,
    /// Counts by static name are gathered apart from the truth's text keys to spare allocations.
    by_type: BTreeMap<&'static str, u64>,
    by_name: BTreeMap<&'static str, u64>,
    by_source: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// Enters all events of one person.
    pub fn enter(&mut self, person: &Person, events: &[Event]) {
        if let (true, Some((app_cookie, _))) = (person.late_login, &person.app) {
            self.late_logins.push((person.cookie.clone(), app_cookie.clone()));
        }
        self.truth.stories.shared_emails += u64::from(person.shares_email());
        self.tablets.extend(person.tablet.clone());
        for event in events {
            self.enter_event(event);
        }
    }

    fn enter_event(&mut self, event: &Event) {
        let node = self.components.connect(&event.identifiers);
        self.truth.events += 1;
        self.truth.events_without_identifier += u64::from(node.is_none());
        let junk = event.identifiers.iter().filter(|identifier| is_junk(&identifier.value)).count();
        self.truth.stories.junk_identifiers += junk as u64;
        *self.by_type.entry(event.action.kind(event.source)).or_default() += 1;
        *self.by_source.entry(event.source.name()).or_default() += 1;
        if let Some(name) = event.action.event_name() {
            *self.by_name.entry(name).or_default() += 1;
        }
        match &event.action {
            Action::Ordered(order) => {
                self.cost += order.cost();
                for line in &order.lines {
                    *self.categories.entry(line.product.category[0]).or_default() += line.price * line.quantity;
                }
                let place = self.order_place(&order.id, order.brand);
                let entry = &mut self.orders[place];
                (entry.node, entry.ts, entry.gross) = (node, event.ts, entry.gross + order.revenue());
            }
            Action::Refunded(refund) => {
                let place = self.order_place(&refund.order_id, refund.brand);
                self.orders[place].refund += refund.amount;
                self.orders[place].refunded = true;
            }
            Action::Campaign(step, _) => {
                if let (Some(campaign), Some(node)) = (event.campaign, node) {
                    self.contacts.push(ContactEntry { campaign, step: *step, node, ts: event.ts });
                }
            }
            _ => {}
        }
    }

    fn order_place(&mut self, id: &str, brand: &'static str) -> usize {
        if let Some(place) = self.order_places.get(id) {
            return *place;
        }
        let place = self.orders.len();
        self.order_places.insert(id.to_owned(), place);
        self.orders.push(OrderEntry { node: None, ts: 0, brand, gross: 0, refund: 0, refunded: false });
        place
    }

    /// The truth of all that was entered.
    pub fn close(mut self) -> Truth {
        let owned = |counts: &BTreeMap<&'static str, u64>| {
            counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>()
        };
        self.truth.events_by_type = owned(&self.by_type);
        self.truth.events_by_name = owned(&self.by_name);
        self.truth.events_by_source = owned(&self.by_source);
        self.truth.stories.shared_tablets = self.tablets.len() as u64;
        self.truth.cost = Yuan(self.cost).to_string();
        self.close_categories();
        self.close_money();
        let people = self.close_persons();
        self.close_lifecycle(&people);
        self.close_campaigns();
        self.close_late_logins();
        self.truth
    }

    fn close_categories(&mut self) {
        let mut sums: Vec<_> = self.categories.iter().collect();
        sums.sort_by_key(|(name, revenue)| (-**revenue, **name));
        let entry = |(name, revenue): (&&'static str, &Fen)| CategoryRevenue {
            category: (**name).to_owned(),
            revenue: Yuan(*revenue).to_string(),
        };
        self.truth.top_categories = sums.into_iter().map(entry).collect();
    }

    fn close_late_logins(&mut self) {
        self.truth.stories.late_logins = self.late_logins.len() as u64;
        for (web, app) in &self.late_logins {
            let web = self.components.find(IdentifierKind::AnonymousId, web);
            let app = self.components.find(IdentifierKind::AnonymousId, app);
            if let (Some(web), Some(app)) = (web, app) {
                let stitched = self.components.root(web) == self.components.root(app);
                self.truth.stories.late_logins_stitched += u64::from(stitched);
            }
        }
    }
}
