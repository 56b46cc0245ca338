//! The second half of the ledger: what can be told only when all events are in and persons are complete.
//!
//! Money, persons, lifecycle states, campaigns. Must not know how events are drawn.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{self, LAST_DAY, MICROSECONDS_PER_DAY};
use super::campaigns::CONVERSION_DAYS;
use super::catalog::{BRANDS, DECLINING_BRAND, Fen};
use super::ledger::Ledger;
use super::plan::CampaignStep;
use super::render::Yuan;
use super::truth::LifecycleTruth;

/// Emarsys' limits in days.
const ACTIVE_DAYS: i32 = 90;
const INACTIVE_DAYS: i32 = 365;

/// The states, in the order of a customer's life.
const STATES: [&str; 5] = ["lead", "first_time", "active", "defecting", "inactive"];

/// The orders of one person.
#[derive(Default)]
pub(super) struct Customer {
    orders: u64,
    net: Fen,
    /// Orders with a net above 0 and the day of the last of them.
    paid_orders: u64,
    last_paid_day: i32,
}

impl Customer {
    fn state(&self) -> &'static str {
        let days = LAST_DAY - self.last_paid_day;
        match self.paid_orders {
            0 => STATES[0],
            _ if days > INACTIVE_DAYS => STATES[4],
            _ if days > ACTIVE_DAYS => STATES[3],
            1 => STATES[1],
            _ => STATES[2],
        }
    }
}

impl Ledger {
    pub(super) fn close_money(&mut self) {
        let mut months: BTreeMap<&str, BTreeMap<String, Fen>> = BTreeMap::new();
        let mut quarters = [0; 8];
        let (mut gross, mut refund) = (0, 0);
        for order in &self.orders {
            gross += order.gross;
            refund += order.refund;
            let day = order.day();
            *months.entry(order.brand).or_default().entry(calendar::month_name(day)).or_default() += order.net();
            if order.brand == BRANDS[DECLINING_BRAND] {
                quarters[calendar::quarter(day)] += order.net();
            }
        }
        let truth = &mut self.truth;
        truth.orders = self.orders.len() as u64;
        truth.orders_without_person = self.orders.iter().filter(|order| order.node.is_none()).count() as u64;
        truth.zero_value_orders = self.orders.iter().filter(|order| order.gross == 0).count() as u64;
        truth.refunds = self.orders.iter().filter(|order| order.refunded).count() as u64;
        (truth.gross, truth.refund) = (Yuan(gross).to_string(), Yuan(refund).to_string());
        truth.net = Yuan(gross - refund).to_string();
        for (brand, sums) in months {
            let sums = sums.into_iter().map(|(month, sum)| (month, Yuan(sum).to_string())).collect();
            truth.net_by_brand_and_month.insert(brand.to_owned(), sums);
        }
        truth.stories.declining_brand = BRANDS[DECLINING_BRAND].to_owned();
        truth.stories.declining_brand_net_by_quarter = quarters.map(|sum| Yuan(sum).to_string()).to_vec();
    }

    /// Counts persons; returns the buyers.
    pub(super) fn close_persons(&mut self) -> Vec<Customer> {
        let profiles = self.components.profiles();
        let truth = &mut self.truth;
        truth.identifiers = self.components.len() as u64;
        for profile in profiles.iter().filter(|profile| profile.identifiers > 0) {
            truth.persons += 1;
            truth.known += u64::from(profile.known);
            truth.stitched_persons += u64::from(profile.cookies > 1);
            truth.largest_person_identifiers = truth.largest_person_identifiers.max(profile.identifiers);
        }
        truth.anonymous = truth.persons - truth.known;
        let mut customers: BTreeMap<u32, Customer> = BTreeMap::new();
        for order in &self.orders {
            let Some(node) = order.node else { continue };
            let customer = customers.entry(self.components.root(node)).or_default();
            customer.orders += 1;
            customer.net += order.net();
            if order.net() > 0 {
                customer.paid_orders += 1;
                customer.last_paid_day = customer.last_paid_day.max(order.day());
            }
        }
        truth.buyers = customers.len() as u64;
        truth.one_time_buyers = customers.values().filter(|customer| customer.orders == 1).count() as u64;
        customers.into_values().collect()
    }

    pub(super) fn close_lifecycle(&mut self, customers: &[Customer]) {
        let mut states: BTreeMap<&str, (u64, Fen)> = STATES.iter().map(|state| (*state, (0, 0))).collect();
        for customer in customers {
            let (persons, net) = states.entry(customer.state()).or_default();
            *persons += 1;
            *net += customer.net;
        }
        let without_order = self.truth.persons - customers.len() as u64;
        states.entry(STATES[0]).or_default().0 += without_order;
        let stories = &mut self.truth.stories;
        stories.lapsed_net = Yuan(states[STATES[3]].1 + states[STATES[4]].1).to_string();
        let mut nets: Vec<Fen> = customers.iter().map(|customer| customer.net).collect();
        nets.sort_unstable_by_key(|net| -net);
        let tenth = nets.len().div_ceil(10);
        stories.top_tenth_persons = tenth as u64;
        stories.top_tenth_net = Yuan(nets[..tenth].iter().sum()).to_string();
        stories.net_of_persons = Yuan(nets.iter().sum()).to_string();
        for (state, (persons, net)) in states {
            let entry = LifecycleTruth { persons, net: Yuan(net).to_string() };
            self.truth.lifecycle.insert(state.to_owned(), entry);
        }
    }

    pub(super) fn close_campaigns(&mut self) {
        let mut orders: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
        for order in &self.orders {
            if let Some(node) = order.node {
                orders.entry(self.components.root(node)).or_default().push(order.ts);
            }
        }
        // (campaign, step) -> person -> first contact
        let mut steps: BTreeMap<(&str, u8), BTreeMap<u32, i64>> = BTreeMap::new();
        for contact in &self.contacts {
            let person = self.components.root(contact.node);
            let step = steps.entry((contact.campaign, contact.step as u8)).or_default();
            let first = step.entry(person).or_insert(contact.ts);
            *first = (*first).min(contact.ts);
        }
        let window = i64::from(CONVERSION_DAYS) * MICROSECONDS_PER_DAY;
        let buys = |(person, contact): (&u32, &i64)| {
            orders.get(person).is_some_and(|all| all.iter().any(|ts| ts > contact && *ts <= contact + window))
        };
        let nobody = BTreeMap::new();
        let names: BTreeSet<&str> = self.contacts.iter().map(|contact| contact.campaign).collect();
        for name in names {
            let reached = |step: CampaignStep| steps.get(&(name, step as u8)).unwrap_or(&nobody);
            let entry = self.truth.stories.campaigns.entry(name.to_owned()).or_default();
            entry.sent = reached(CampaignStep::Sent).len() as u64;
            entry.held_out = reached(CampaignStep::HeldOut).len() as u64;
            entry.opened = reached(CampaignStep::Opened).len() as u64;
            entry.clicked = reached(CampaignStep::Clicked).len() as u64;
            entry.treatment_buyers = reached(CampaignStep::Sent).iter().filter(|entry| buys(*entry)).count() as u64;
            entry.holdout_buyers = reached(CampaignStep::HeldOut).iter().filter(|entry| buys(*entry)).count() as u64;
        }
    }
}
