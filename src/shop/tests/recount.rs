//! Counts a shop from its rows alone, by other means than the ledger: text keys, a flood over edges, parsed JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rows::Row;

const DAY: i64 = 86_400_000_000;

/// 2025-01-01 in days since 1970.
const FIRST_DAY_AFTER: i64 = 20_089;

#[derive(Default)]
pub struct Purchase {
    pub person: Option<usize>,
    pub ts: i64,
    pub brand: String,
    /// Ten-thousandths.
    pub gross: i128,
    pub refunds: Vec<(i64, i128)>,
}

impl Purchase {
    pub fn refund(&self) -> i128 {
        self.refunds.iter().map(|(_, amount)| amount).sum()
    }

    pub fn net(&self) -> i128 {
        self.gross - self.refund()
    }
}

type Pair = (String, String);

/// The usable identifiers of a row.
pub fn usable(row: &Row) -> Vec<Pair> {
    let words = ["", "null", "none", "nil", "undefined", "unknown", "anonymous", "n/a", "na", "guest", "test", "-1"];
    row.identifiers
        .iter()
        .map(|(kind, value)| (kind.clone(), value.trim().to_owned()))
        .filter(|(_, value)| !words.contains(&&*value.to_lowercase()))
        .filter(|(_, value)| !value.trim_matches(['0', '-']).is_empty())
        .collect()
}

/// The person of each identifier, by flooding from one identifier after the other.
pub fn persons(rows: &[Row]) -> BTreeMap<Pair, usize> {
    let mut neighbours: BTreeMap<Pair, BTreeSet<Pair>> = BTreeMap::new();
    for row in rows {
        let all = usable(row);
        for one in &all {
            neighbours.entry(one.clone()).or_default().extend(all.iter().cloned());
        }
    }
    let mut persons = BTreeMap::new();
    let mut count = 0;
    for start in neighbours.keys() {
        if persons.contains_key(start) {
            continue;
        }
        let mut open = vec![start];
        while let Some(pair) = open.pop() {
            if persons.insert(pair.clone(), count).is_none() {
                open.extend(&neighbours[pair]);
            }
        }
        count += 1;
    }
    persons
}

pub fn purchases(rows: &[Row], persons: &BTreeMap<Pair, usize>) -> BTreeMap<String, Purchase> {
    let mut purchases: BTreeMap<String, Purchase> = BTreeMap::new();
    for row in rows {
        let (Some(id), Some(event), Some(revenue)) = (&row.order_id, row.event.as_deref(), row.revenue) else {
            continue;
        };
        let purchase = purchases.entry(id.clone()).or_default();
        match event {
            "Order Completed" => {
                purchase.person = usable(row).first().map(|pair| persons[pair]);
                (purchase.ts, purchase.gross) = (row.ts, purchase.gross + revenue);
                purchase.brand = row.brand.clone().unwrap();
            }
            "Order Refunded" => purchase.refunds.push((row.ts, revenue)),
            other => panic!("{other} has an order"),
        }
    }
    purchases
}

/// (state of each buyer, net) by SQL.md's `lifecycle_state`.
pub fn states(purchases: &BTreeMap<String, Purchase>) -> BTreeMap<&'static str, (u64, i128)> {
    let mut paid: BTreeMap<usize, (u32, i64, i128)> = BTreeMap::new();
    for purchase in purchases.values().filter(|purchase| purchase.net() > 0) {
        let Some(person) = purchase.person else { continue };
        let entry = paid.entry(person).or_default();
        *entry = (entry.0 + 1, entry.1.max(purchase.ts.div_euclid(DAY)), entry.2 + purchase.net());
    }
    let mut states: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
    for (orders, last, net) in paid.into_values() {
        let state = match (FIRST_DAY_AFTER - 1 - last, orders) {
            (0..=90, 1) => "first_time",
            (0..=90, _) => "active",
            (91..=365, _) => "defecting",
            _ => "inactive",
        };
        let entry = states.entry(state).or_default();
        *entry = (entry.0 + 1, entry.1 + net);
    }
    states
}

/// (first level of the category, price x quantity, unit cost x quantity) of each line, in ten-thousandths.
pub fn lines(row: &Row) -> Vec<(String, i128, i128)> {
    let properties: Value = serde_json::from_str(row.properties.as_ref().unwrap()).unwrap();
    let tenthousandths = |value: &Value| (value.as_f64().unwrap() * 100.0).round() as i128 * 100;
    let line = |product: &Value| {
        let quantity = i128::from(product["quantity"].as_i64().unwrap());
        let category = product["category"][0].as_str().unwrap().to_owned();
        (category, tenthousandths(&product["price"]) * quantity, tenthousandths(&product["cost"]) * quantity)
    };
    properties["products"].as_array().unwrap().iter().map(line).collect()
}

/// Ten-thousandths as the truth writes them; they are whole hundredths.
pub fn yuan(amount: i128) -> String {
    assert_eq!(amount % 100, 0);
    format!("{}.{:02}", amount / 10_000, amount / 100 % 100)
}

/// The first contact of each person in one step of a campaign.
pub fn contacts(rows: &[Row], persons: &BTreeMap<Pair, usize>, campaign: &str, event: &str) -> BTreeMap<usize, i64> {
    let mut contacts = BTreeMap::new();
    for row in rows {
        if row.campaign_id.as_deref() != Some(campaign) || row.event.as_deref() != Some(event) {
            continue;
        }
        if let Some(pair) = usable(row).first() {
            let first = contacts.entry(persons[pair]).or_insert(row.ts);
            *first = row.ts.min(*first);
        }
    }
    contacts
}

/// How many of the contacted persons order within 30 days.
pub fn converted(contacts: &BTreeMap<usize, i64>, purchases: &BTreeMap<String, Purchase>) -> u64 {
    let buyers = purchases.values().filter_map(|purchase| {
        let person = purchase.person?;
        let contact = contacts.get(&person)?;
        (purchase.ts > *contact && purchase.ts <= contact + 30 * DAY).then_some(person)
    });
    buyers.collect::<BTreeSet<_>>().len() as u64
}
