//! The truth table: what any correct engine must find in the shop. Committed under `tests/data`.
//!
//! Amounts are decimal text in yuan with two places. Data only: [`super::ledger`] counts it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Figures of a whole shop. Persons are counted after stitching, by the rules in the header of `shop`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// What the shop was asked for: humans planned, not persons found.
    pub persons_planned: u32,
    pub seed: u64,
    pub events: u64,
    /// Events without a usable identifier: none at all or placeholders only.
    pub events_without_identifier: u64,
    pub events_by_type: BTreeMap<String, u64>,
    /// By event name; identify events have none and are left out.
    pub events_by_name: BTreeMap<String, u64>,
    pub events_by_source: BTreeMap<String, u64>,
    /// Distinct usable (type, value) pairs.
    pub identifiers: u64,
    pub persons: u64,
    pub known: u64,
    pub anonymous: u64,
    /// Persons with more than one anonymous_id.
    pub stitched_persons: u64,
    /// Identifiers of the person who has most.
    pub largest_person_identifiers: u64,
    pub orders: u64,
    /// Orders whose purchase event has no usable identifier.
    pub orders_without_person: u64,
    pub zero_value_orders: u64,
    /// Orders with at least one refund.
    pub refunds: u64,
    pub gross: String,
    pub refund: String,
    pub net: String,
    pub cost: String,
    /// Persons with at least one order, of whatever value.
    pub buyers: u64,
    /// Persons with exactly one.
    pub one_time_buyers: u64,
    /// Net by brand and month of the order (a refund counts in the month of its order).
    pub net_by_brand_and_month: BTreeMap<String, BTreeMap<String, String>>,
    /// Revenue of order lines by the first level of the category, before refunds, greatest first.
    pub top_categories: Vec<CategoryRevenue>,
    /// By state at the end of 2024-12-31, over orders with a net above 0.
    pub lifecycle: BTreeMap<String, LifecycleTruth>,
    pub stories: Stories,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryRevenue {
    pub category: String,
    pub revenue: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleTruth {
    pub persons: u64,
    /// Net of all their orders.
    pub net: String,
}

/// The numbers of the planted stories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stories {
    /// Net of all orders that have a person.
    pub net_of_persons: String,
    /// Persons in the first tenth of the buyers by net (rounded up), and what they bring.
    pub top_tenth_persons: u64,
    pub top_tenth_net: String,
    /// Net of the persons in the states defecting and inactive.
    pub lapsed_net: String,
    pub declining_brand: String,
    /// Its net by quarter, from the first of 2023.
    pub declining_brand_net_by_quarter: Vec<String>,
    pub campaigns: BTreeMap<String, CampaignTruth>,
    /// Humans who browse with two cookies and then log in on both, and those whose cookies are one person's.
    pub late_logins: u64,
    pub late_logins_stitched: u64,
    /// E-mail addresses that two humans use.
    pub shared_emails: u64,
    /// Cookies of store tablets that several humans sign up on.
    pub shared_tablets: u64,
    /// Identifiers with a placeholder for a value, over all events.
    pub junk_identifiers: u64,
}

/// Persons in a campaign. A person is in both arms only if identifiers of both arms were stitched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTruth {
    pub sent: u64,
    pub held_out: u64,
    pub opened: u64,
    pub clicked: u64,
    /// Persons of the arm with an order later than their first contact, at most 30 x 24 hours later.
    pub treatment_buyers: u64,
    pub holdout_buyers: u64,
}
