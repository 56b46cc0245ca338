//! The shop against its committed truth, and the truth against a second count from the rows.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

mod recount;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::blemish::is_junk;
use super::{Shop, Truth};
use crate::ingest::input;
use rows::{Row, rows_of};

const SMALL: u32 = 2_000;
const DEMO: u32 = 50_000;

/// After a wanted change `cargo run --release --example shop_truth 2000` prints the new table.
///
/// blake3 of all rows of the small shop as JSON. A change here breaks every figure that later steps quote: change it knowingly.
const BYTES_OF_SMALL: &str = "1d46713680ba8355b7145ed7c14dfe48cda11d8f77c3dda96dddf17d1ab8800f";

fn committed(persons: u32) -> Truth {
    let text = match persons {
        SMALL => include_str!("../../tests/data/shop_truth_2000.json"),
        _ => include_str!("../../tests/data/shop_truth_50000.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn amount(text: &str) -> f64 {
    text.parse().unwrap()
}

#[test]
fn generator_gives_the_committed_truth() {
    for persons in [SMALL, DEMO] {
        assert_eq!(Shop::new(persons).truth(), committed(persons), "{persons} persons");
    }
}

#[test]
fn every_byte_is_the_same_everywhere() {
    let mut hasher = blake3::Hasher::new();
    for row in rows_of(Shop::new(SMALL)) {
        hasher.update(&serde_json::to_vec(&row).unwrap());
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), BYTES_OF_SMALL);
}

#[test]
fn another_seed_gives_another_shop_and_fewer_persons_a_prefix() {
    let small = rows_of(Shop::new(300));
    let other = rows_of(Shop { persons: 300, seed: 1 });
    assert_ne!(small, other);
    let fewer = rows_of(Shop::new(200));
    assert_eq!(fewer[..], small[..fewer.len()]);
    assert!(rows_of(Shop::new(0)).is_empty());
}

#[test]
fn batches_have_the_input_schema_and_a_bounded_size() {
    let shop = Shop::new(SMALL);
    let batches: Vec<_> = shop.batches().map(|batch| batch.unwrap()).collect();
    assert!(batches.iter().all(|batch| batch.schema() == input::schema() && batch.num_rows() < 8192 + 1000));
    let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    assert!(rows.abs_diff(shop.estimated_events()) < rows / 10, "{rows} events, not {}", shop.estimated_events());
}

#[test]
fn rows_are_well_formed() {
    let rows = rows_of(Shop::new(SMALL));
    let (first, after) = (1_672_531_200_000_000, 1_735_689_600_000_000);
    let mut ids = BTreeSet::new();
    for (number, row) in (1..).zip(&rows) {
        assert!((first..after).contains(&row.ts), "{row:?}");
        assert_eq!((row.row, &*row.message_id), (number, &*format!("shop-{number}")));
        assert!(ids.insert(&row.message_id));
        assert_eq!(row.event.is_none(), row.kind == "identify", "{row:?}");
        for json in [&row.properties, &row.others[4]].into_iter().flatten() {
            assert!(serde_json::from_str::<Value>(json).unwrap().is_object());
        }
        if row.event.as_deref() == Some("Order Completed") {
            let lines = recount::lines(row);
            assert_eq!(row.revenue, Some(lines.iter().map(|(_, amount, _)| amount).sum()), "{row:?}");
            assert_eq!(row.cost, Some(lines.iter().map(|(_, _, cost)| cost).sum()), "{row:?}");
        }
    }
    let purchases = recount::purchases(&rows, &recount::persons(&rows));
    for (id, purchase) in &purchases {
        assert!(purchase.net() >= 0 && !purchase.brand.is_empty(), "{id}");
        assert!(purchase.refunds.iter().all(|(ts, amount)| *ts > purchase.ts && *amount > 0), "{id}");
    }
}

#[test]
fn the_wanted_variety_is_there() {
    let rows = rows_of(Shop::new(SMALL));
    let sources: BTreeSet<&str> = rows.iter().map(|row| &*row.source).collect();
    assert_eq!(sources, ["app", "call_centre", "marketplace", "mini_program", "store", "web"].into());
    let kinds: BTreeSet<&str> = rows.iter().flat_map(|row| &row.identifiers).map(|(kind, _)| &**kind).collect();
    let all_kinds = ["anonymous_id", "device_id", "email", "member_no", "phone", "user_id", "wechat_unionid"];
    assert_eq!(kinds, all_kinds.into());
    let brands: BTreeSet<&str> = rows.iter().filter_map(|row| row.brand.as_deref()).collect();
    assert_eq!(brands.len(), 3);
    let holds = |text: &str| rows.iter().any(|row| row.properties.as_ref().is_some_and(|json| json.contains(text)));
    for text in ["-02-29\"", "\"Home / Living\"", "\"coupon\":", "\"state\":\"denied\"", "\"acquisition_cost\":"] {
        assert!(holds(text), "{text}");
    }
    assert!(rows.iter().flat_map(|row| &row.identifiers).any(|(_, value)| value.starts_with(" customer")));
}

#[test]
fn truth_equals_a_recount_of_the_rows() {
    let rows = rows_of(Shop::new(SMALL));
    let truth = committed(SMALL);
    let count_by = |key: fn(&Row) -> Option<&str>| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        rows.iter().filter_map(key).for_each(|name| *counts.entry(name.to_owned()).or_default() += 1);
        counts
    };
    assert_eq!(truth.events, rows.len() as u64);
    assert_eq!(truth.events_by_type, count_by(|row| Some(&row.kind)));
    assert_eq!(truth.events_by_name, count_by(|row| row.event.as_deref()));
    assert_eq!(truth.events_by_source, count_by(|row| Some(&row.source)));
    let unusable = rows.iter().filter(|row| recount::usable(row).is_empty()).count();
    assert_eq!(truth.events_without_identifier, unusable as u64);

    let persons = recount::persons(&rows);
    assert_eq!(truth.identifiers, persons.len() as u64);
    let mut cookies: BTreeMap<usize, u64> = BTreeMap::new();
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for ((kind, _), person) in &persons {
        *sizes.entry(*person).or_default() += 1;
        *cookies.entry(*person).or_default() += u64::from(kind == "anonymous_id");
        if kind != "anonymous_id" && kind != "device_id" {
            known.insert(person);
        }
    }
    assert_eq!((truth.persons, truth.known), (sizes.len() as u64, known.len() as u64));
    assert_eq!(truth.anonymous, truth.persons - truth.known);
    assert_eq!(truth.stitched_persons, cookies.values().filter(|count| **count > 1).count() as u64);
    assert_eq!(Some(&truth.largest_person_identifiers), sizes.values().max());
}

#[test]
fn money_equals_a_recount_of_the_rows() {
    let rows = rows_of(Shop::new(SMALL));
    let truth = committed(SMALL);
    let persons = recount::persons(&rows);
    let purchases = recount::purchases(&rows, &persons);
    assert_eq!(truth.orders, purchases.len() as u64);
    let count = |test: fn(&recount::Purchase) -> bool| purchases.values().filter(|order| test(order)).count() as u64;
    assert_eq!(truth.orders_without_person, count(|order| order.person.is_none()));
    assert_eq!(truth.zero_value_orders, count(|order| order.gross == 0));
    assert_eq!(truth.refunds, count(|order| !order.refunds.is_empty()));
    let sum = |part: fn(&recount::Purchase) -> i128| recount::yuan(purchases.values().map(part).sum());
    assert_eq!(truth.gross, sum(|order| order.gross));
    assert_eq!(truth.refund, sum(recount::Purchase::refund));
    assert_eq!(truth.net, sum(recount::Purchase::net));
    assert_eq!(truth.cost, recount::yuan(rows.iter().filter_map(|row| row.cost).sum()));

    let mut orders: BTreeMap<usize, u64> = BTreeMap::new();
    purchases.values().filter_map(|order| order.person).for_each(|person| *orders.entry(person).or_default() += 1);
    assert_eq!(truth.buyers, orders.len() as u64);
    assert_eq!(truth.one_time_buyers, orders.values().filter(|count| **count == 1).count() as u64);

    let mut states = recount::states(&purchases);
    let paying: u64 = states.values().map(|(persons, _)| persons).sum();
    states.insert("lead", (truth.persons - paying, 0));
    for (state, (persons, net)) in states {
        let entry = &truth.lifecycle[state];
        assert_eq!((entry.persons, &entry.net), (persons, &recount::yuan(net)), "{state}");
    }
    assert_eq!(truth.lifecycle.values().map(|state| state.persons).sum::<u64>(), truth.persons);
}

#[test]
fn breakdowns_equal_a_recount_of_the_rows() {
    let rows = rows_of(Shop::new(SMALL));
    let truth = committed(SMALL);
    let persons = recount::persons(&rows);
    let purchases = recount::purchases(&rows, &persons);
    let mut categories: BTreeMap<String, i128> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.event.as_deref() == Some("Order Completed")) {
        recount::lines(row).into_iter().for_each(|(name, amount, _)| *categories.entry(name).or_default() += amount);
    }
    assert_eq!(categories.len(), truth.top_categories.len());
    for entry in &truth.top_categories {
        assert_eq!(entry.revenue, recount::yuan(categories[&entry.category]));
    }
    assert!(truth.top_categories.is_sorted_by_key(|entry| -amount(&entry.revenue)));

    // Months by comparison with their text, not by the shop's calendar: the first instants of two of them.
    let (june, july) = (1_717_200_000_000_000, 1_719_792_000_000_000);
    for (brand, months) in &truth.net_by_brand_and_month {
        let in_june = purchases.values().filter(|order| order.brand == *brand && (june..july).contains(&order.ts));
        assert_eq!(months["2024-06"], recount::yuan(in_june.map(recount::Purchase::net).sum()));
    }

    for (name, campaign) in &truth.stories.campaigns {
        let reached = |event: &str| recount::contacts(&rows, &persons, name, event);
        let (sent, held_out) = (reached("Campaign Sent"), reached("Campaign Held Out"));
        assert_eq!((campaign.sent, campaign.held_out), (sent.len() as u64, held_out.len() as u64), "{name}");
        assert_eq!(campaign.opened, reached("Campaign Opened").len() as u64);
        assert_eq!(campaign.clicked, reached("Campaign Clicked").len() as u64);
        assert_eq!(campaign.treatment_buyers, recount::converted(&sent, &purchases));
        assert_eq!(campaign.holdout_buyers, recount::converted(&held_out, &purchases));
    }
}

#[test]
fn the_stories_are_in_the_demo() {
    let truth = committed(DEMO);
    let stories = &truth.stories;
    let net = amount(&stories.net_of_persons);
    assert!(amount(&stories.top_tenth_net) > 0.4 * net);
    assert!(amount(&stories.lapsed_net) > 0.5 * net);
    assert!((0.45..0.50).contains(&(truth.one_time_buyers as f64 / truth.buyers as f64)));
    assert!(stories.declining_brand_net_by_quarter[3..].is_sorted_by_key(|quarter| -amount(quarter)));
    let win_back = &stories.campaigns["winback-2024"];
    let treatment = win_back.treatment_buyers as f64 / win_back.sent as f64;
    let holdout = win_back.holdout_buyers as f64 / win_back.held_out as f64;
    assert!(treatment > 1.5 * holdout, "{treatment} against {holdout}");
    assert!(stories.late_logins_stitched > 3_000 && truth.stitched_persons > stories.late_logins_stitched);
    assert!(stories.shared_emails > 0 && stories.shared_tablets > 0 && stories.junk_identifiers > 0);
}

#[test]
fn the_example_person_has_two_cookies_and_orders() {
    let user = Shop::new(SMALL).example_user_id().unwrap();
    let rows = rows_of(Shop::new(SMALL));
    let persons = recount::persons(&rows);
    let person = persons[&("user_id".to_owned(), user)];
    let cookies = persons.iter().filter(|((kind, _), owner)| kind == "anonymous_id" && **owner == person).count();
    assert!(cookies >= 2, "{cookies}");
    let purchases = recount::purchases(&rows, &persons);
    assert!(purchases.values().filter(|order| order.person == Some(person)).count() >= 3);
}

/// None of these shops has a person with all that the example is chosen for.
#[test]
fn a_small_shop_shows_somebody_who_is_there() {
    for persons in [1, 7, 100, 300, 500] {
        let user = Shop::new(persons).example_user_id().unwrap();
        let rows = rows_of(Shop::new(persons));
        let owners = recount::persons(&rows);
        let person = owners[&("user_id".to_owned(), user)];
        let purchases = recount::purchases(&rows, &owners);
        let orders = purchases.values().filter(|order| order.person == Some(person)).count();
        assert!(orders >= 3 || persons < 100, "{persons} persons: {orders} orders");
    }
    assert_eq!(Shop::new(0).example_user_id(), None);
}

#[test]
fn placeholders_are_junk_and_values_are_not() {
    for junk in ["", "  ", "NULL", " Unknown ", "0", "000-000", "-", "-1", "N/A", "na", "Guest", "TEST"] {
        assert!(is_junk(junk), "{junk:?}");
    }
    for value in ["nullable", "10", "0x", "testing", "guest1", "-11"] {
        assert!(!is_junk(value), "{value:?}");
    }
}
