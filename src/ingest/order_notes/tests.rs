//! The notes of the worked cases, counted by hand.

use super::*;
use crate::orders::{OwnLine, read_statement};
use crate::settings::Settings;
use crate::workspace::Rules;

const OC: &str = "Order Completed";
const ORF: &str = "Order Refunded";

fn notes_with(key: OrderKey, rows: &[(&str, &str, &str, &str, OwnLine)]) -> Vec<String> {
    let mut settings = Settings::defaults().unwrap().orders;
    settings.purchase_events.push("Order Placed".into());
    settings.order_key = key;
    let base = BaseCurrency::new(&Rules::default(), &settings, chrono_tz::Tz::UTC);
    let mut notes = OrderNotes::new(settings, base);
    for (at, (event, number, brand, properties, own)) in rows.iter().enumerate() {
        let named = Named {
            ts: at as i64,
            event,
            order_id: (!number.is_empty()).then_some(*number),
            brand: (!brand.is_empty()).then_some(*brand),
            source: None,
            currency: properties.contains("CHF").then_some("CHF"),
            product_id: own.has_product.then_some("p"),
            quantity: own.quantity,
        };
        notes.add(named, &read_statement(Some(properties), *own));
    }
    notes.finish()
}

fn notes(rows: &[(&str, &str, &str, &str, OwnLine)]) -> Vec<String> {
    notes_with(OrderKey::OrderId, rows)
}

fn revenue(amount: i128) -> OwnLine {
    OwnLine { revenue: Some(amount * 10_000), ..OwnLine::default() }
}

fn line(quantity: i128) -> OwnLine {
    OwnLine { has_product: true, quantity: Some(quantity * 10_000), ..OwnLine::default() }
}

#[track_caller]
fn assert_only(notes: &[String], start: &str) {
    assert!(notes.len() == 1 && notes[0].starts_with(start), "{notes:?}");
}

#[test]
fn a_clean_load_has_nothing_to_say() {
    let none = OwnLine::default();
    let rows = [
        (OC, "1", "b", r#"{"products":[{"product_id":"p","price":2}]}"#, none),
        (ORF, "1", "", r#"{"products":[{"product_id":"p"}]}"#, none),
        (OC, "2", "b", "{}", revenue(3)),
        ("Product Viewed", "", "", r#"{"total":"x"}"#, none),
    ];
    assert!(notes(&rows).is_empty(), "{:?}", notes(&rows));
}

#[test]
fn a25_orders_below_zero() {
    assert_only(&notes(&[(OC, "1", "", "{}", revenue(100)), (ORF, "1", "", "{}", revenue(130))]), "1 order is below 0");
}

#[test]
fn a26_refunds_without_a_price_and_amounts_that_are_none() {
    let none = OwnLine::default();
    let unknown = r#"{"products":[{"product_id":"z"}]}"#;
    assert_only(&notes(&[(OC, "1", "", "{}", revenue(5)), (ORF, "1", "", unknown, none)]), "1 refunded product has no");
    let both = notes(&[(OC, "1", "", r#"{"total":"ten"}"#, none), (OC, "", "", "{}", none)]);
    assert!(both[0].starts_with("1 event has an amount, price or quantity that is no number"), "{both:?}");
    assert!(both[1].starts_with("2 purchase events say no amount"), "{both:?}");
}

#[test]
fn orders_beyond_what_an_amount_is() {
    // 60 and 60 million millions are 120, three digits more than the 12 of a million million.
    let half = revenue(60_000_000_000_000);
    assert_only(&notes(&[(OC, "1", "", "{}", half), (OC, "1", "", "{}", half)]), "1 order adds up beyond");
    assert!(notes(&[(OC, "1", "", "{}", half), (OC, "2", "", "{}", half)]).is_empty());
}

#[test]
fn quantities_that_are_none_are_counted() {
    let pieces = r#"{"products":[{"price":2,"quantity":"3 pcs"}]}"#;
    // What 2 is to be multiplied by is not known: nothing else says the amount.
    let both = notes(&[(OC, "1", "", pieces, OwnLine::default())]);
    assert!(both.len() == 2 && both[0].starts_with("1 event has an amount, price or quantity"), "{both:?}");
    assert_eq!(both[1], "1 purchase event says no amount: it counts as 0");
    assert_only(&notes(&[(OC, "1", "", pieces, revenue(6))]), "1 event has an amount, price or quantity");
    let blank = r#"{"total":" ","products":[{"price":2,"quantity":""}]}"#;
    assert!(notes(&[(OC, "1", "", blank, OwnLine::default())]).is_empty(), "a blank says nothing");
}

#[test]
fn a30_totals_of_lines() {
    let said = |total: &str| format!(r#"{{"price":10,"total":{total}}}"#);
    let rows = |first: &str, second: &str| {
        notes(&[(OC, "1", "", &said(first), line(2)), (OC, "1", "", &said(second), line(1))])
    };
    assert!(rows("20", "10").is_empty(), "each its own");
    assert!(rows("30", "30").is_empty(), "the sum on each");
    assert_only(&rows("28", "10"), "1 order whose lines name a total");
}

#[test]
fn a32_lines_of_several_event_names() {
    let placed = "Order Placed";
    let lines = [(placed, "1", "", "{}", revenue(100)), (OC, "1", "", "{}", revenue(100))];
    assert_only(&notes(&lines), "1 order has lines of several event names");
    let products = r#"{"products":[{"price":100}]}"#;
    let none = OwnLine::default();
    assert!(notes(&[(placed, "1", "", products, none), (OC, "1", "", products, none)]).is_empty());
}

#[test]
fn a8_numbers_of_several_brands() {
    let rows = [(OC, "1001", "north", "{}", revenue(100)), (OC, "1001", "south", "{}", revenue(50))];
    assert_only(&notes(&rows), "1 order number occurs with several brands");
    assert!(notes_with(OrderKey::Brand, &rows).is_empty());
    // A refund without the brand is of the only order of its number.
    let back = [(OC, "7", "north", "{}", revenue(100)), (ORF, "7", "", "{}", revenue(30))];
    assert!(notes_with(OrderKey::Brand, &back).is_empty());
    let unclear = [rows[0], rows[1], (ORF, "1001", "", "{}", revenue(30))];
    assert_only(&notes_with(OrderKey::Brand, &unclear), "1 order is below 0");
}

#[test]
fn bookings_without_a_rate() {
    assert_only(&notes(&[(OC, "1", "", r#"{"c":"CHF"}"#, revenue(1))]), "1 booking has no exchange rate");
}
