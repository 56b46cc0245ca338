//! The notes of the worked cases, counted by hand.

use super::*;
use crate::money::Exact;
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
    let mut notes = OrderNotes::new(WorkspaceName::default(), settings, base);
    for (at, (event, number, brand, properties, own)) in rows.iter().enumerate() {
        let id = format!("m{at}");
        let named = Named {
            ts: at as i64,
            received_at: 0,
            message_id: &id,
            kind: "track",
            event: Some(*event),
            node: None,
            order_id: (!number.is_empty()).then_some(*number),
            brand: (!brand.is_empty()).then_some(*brand),
            store_id: None,
            source: None,
            currency: properties.contains("CHF").then_some("CHF"),
            product_id: own.has_product.then_some("p"),
            quantity: own.quantity.and_then(Exact::amount),
            has_revenue: own.revenue.is_some(),
        };
        notes.add(named, Some(Box::new(read_statement(Some(properties), *own))));
    }
    notes.finish(|_| None)
}

fn notes(rows: &[(&str, &str, &str, &str, OwnLine)]) -> Vec<String> {
    notes_with(OrderKey::OrderId, rows)
}

fn revenue(amount: i128) -> OwnLine {
    OwnLine { revenue: Some(amount * 10_000), ..OwnLine::default() }
}

fn line(quantity: i128) -> OwnLine {
    OwnLine { has_product: true, quantity: Some(Exact::of_units(quantity, 0)), ..OwnLine::default() }
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
    assert!(both[1].starts_with("2 purchase events of this load say no amount"), "{both:?}");
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
    assert_eq!(both[1], "1 purchase event of this load says no amount: it counts as 0");
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
    for part in ["count each of them whole under the brand", "`convoke workspace set convoke order_key=brand`"] {
        assert!(notes(&rows)[0].contains(part), "{part}: {:?}", notes(&rows));
    }
    assert!(notes_with(OrderKey::Brand, &rows).is_empty());
    // A refund without the brand is of the only order of its number.
    let back = [(OC, "7", "north", "{}", revenue(100)), (ORF, "7", "", "{}", revenue(30))];
    assert!(notes_with(OrderKey::Brand, &back).is_empty());
    let unclear = [rows[0], rows[1], (ORF, "1001", "", "{}", revenue(30))];
    let said = notes_with(OrderKey::Brand, &unclear);
    assert!(said.len() == 2 && said[0].starts_with("1 order is below 0"), "{said:?}");
    assert_eq!(
        said[1],
        "1 refund names an order number of several orders and no brand: it is booked on an order of its own"
    );
    assert!(notes(&unclear).iter().all(|note| !note.contains("refund names")), "the number is one order");
    // Without a brand there is an order, too: a refund without one is its.
    let own = [rows[0], (OC, "1001", "", "{}", revenue(50)), (ORF, "1001", "", "{}", revenue(30))];
    assert!(notes_with(OrderKey::Brand, &own).is_empty());
    let by_number = (ORF, "1001", "", "{}", OwnLine::default());
    assert_only(
        &notes_with(OrderKey::Brand, &[rows[0], rows[1], by_number, by_number]),
        "2 refunds name an order number",
    );
}

#[test]
fn bookings_without_a_rate() {
    assert_only(&notes(&[(OC, "1", "", r#"{"c":"CHF"}"#, revenue(1))]), "1 booking has no exchange rate");
}

/// Three of five have no order number: each is an order of its own, as it has no node either.
#[test]
fn bookings_without_a_rate_and_without_a_number() {
    let franc = r#"{"c":"CHF"}"#;
    let rows = ["1", "2", "", "", ""].map(|number| (OC, number, "", franc, revenue(1)));
    assert_only(&notes(&rows), "5 bookings have no exchange rate");
}

#[test]
fn money_of_events_that_make_no_order() {
    let none = OwnLine::default();
    let total = r#"{"total":5}"#;
    let rows = [
        ("Purchase", "1", "", "{}", revenue(5)),
        ("Purchase", "2", "", total, none),
        ("order completed", "3", "", "{}", revenue(5)),
        ("Checkout Started", "", "", total, none),
        ("Order Viewed", "4", "", "{}", none),
    ];
    let said = notes(&rows);
    assert_only(&said, "3 rows have a revenue, or an amount and the number or name of an order, but are in no order");
    assert!(
        said[0].contains("'order completed' (1; the setting purchase_events has 'Order Completed'), 'Purchase' (2);"),
        "{said:?}"
    );
    let command = "whole list: convoke workspace set NAME purchase_events='Order Completed,order_completed,Order Placed,\
                   order completed,Purchase'";
    assert!(said[0].ends_with(command), "{said:?}");
    let many = ["a", "b", "c", "d", "e"].map(|event| (event, "1", "", "{}", revenue(1)));
    let said = notes(&many);
    assert!(said[0].contains("'a' (1), 'b' (1), 'c' (1) and 2 more;"), "{said:?}");
    let command = "the whole list, without those that are no purchase: convoke workspace set NAME \
                   purchase_events='Order Completed,order_completed,Order Placed,a,b,c'";
    assert!(said[0].ends_with(command), "{said:?}");
}

/// The command is to be typed as it is told: it has what the lists have already.
#[test]
fn the_command_for_an_event_names_the_whole_list() {
    let told = |event: &str| notes(&[(event, "1", "", "{}", revenue(5))]).remove(0);
    for (event, command) in [
        ("Purchase", "set NAME purchase_events='Order Completed,order_completed,Order Placed,Purchase'"),
        ("REFUND", "set NAME refund_events='Order Refunded,order_refunded,Order Cancelled,order_cancelled,REFUND'"),
        ("order placed", "set NAME purchase_events='Order Completed,order_completed,Order Placed,order placed'"),
        (
            "Sold, it's over",
            r#"purchase_events='["Order Completed","order_completed","Order Placed","Sold, it'\''s over"]'"#,
        ),
    ] {
        assert!(told(event).ends_with(command), "{}", told(event));
    }
}

/// Who types the command as it is told counts no payment that failed.
#[test]
fn what_was_never_bought_is_not_offered_as_a_purchase() {
    let of = |events: &[(&'static str, usize)]| {
        let rows = events.iter().flat_map(|(event, count)| vec![(*event, "1", "", "{}", revenue(5)); *count]);
        notes(&rows.collect::<Vec<_>>())
    };
    let said = of(&[("fehlgeschlagen", 4), ("refunded", 3), ("charge.failed", 2), ("cancelled", 2), ("bezahlt", 1)]);
    assert_only(&said, "12 rows have a revenue");
    let command = "the whole list (left out, as what was not bought or was taken back: 'fehlgeschlagen', 'refunded', \
                   'cancelled' and 1 more): convoke workspace set NAME purchase_events='Order Completed,order_completed,\
                   Order Placed,bezahlt'";
    assert!(said[0].ends_with(command), "{said:?}");
    let said = of(&[("payment_failed", 2), ("abandoned", 1)]);
    let none =
        "by name these are no purchases, but what was not bought or was taken back: 'payment_failed', 'abandoned'";
    assert!(said.len() == 1 && said[0].ends_with(none), "{said:?}");
    assert!(!said[0].contains("workspace set"), "{said:?}");
}

/// A row that says nothing.
fn nothing() -> Named<'static> {
    Named {
        ts: 0,
        received_at: 0,
        message_id: "m1",
        kind: "track",
        event: None,
        node: None,
        order_id: None,
        brand: None,
        store_id: None,
        source: None,
        currency: None,
        product_id: None,
        quantity: None,
        has_revenue: false,
    }
}

/// As GA4 names and fills them: `transaction_id` is no order number here. Steps before a sale say amounts, too.
#[test]
fn sales_without_a_revenue_and_an_order_number() {
    let none = OwnLine::default();
    let ga4 = r#"{"transaction_id":"T1","value":9,"items":[{"item_id":"a","price":9,"quantity":1}]}"#;
    let with_total = r#"{"total":9,"products":[{"product_id":"a","price":9}]}"#;
    let rows = [
        ("purchase", "", "", ga4, none),
        ("Purchase", "", "", with_total, none),
        ("refund", "", "", ga4, none),
        ("order-completed", "", "", with_total, none),
        ("purchase", "", "", "{}", none),
        ("begin_checkout", "", "", ga4, none),
        ("Cart Viewed", "", "", with_total, none),
    ];
    let said = notes(&rows);
    assert_only(&said, "4 rows have a revenue, or an amount and the number or name of an order, but are in no order");
    let named =
        "'order-completed' (1; the setting purchase_events has 'Order Completed'), 'Purchase' (1), 'purchase' (1)";
    assert!(said[0].contains(named), "{said:?}");
    let command = "set NAME purchase_events='Order Completed,order_completed,Order Placed,order-completed,Purchase,purchase' \
                   refund_events='Order Refunded,order_refunded,Order Cancelled,order_cancelled,refund'";
    assert!(said[0].ends_with(command), "{said:?}");
}

#[test]
fn a_refund_in_another_case_is_told_from_a_purchase() {
    let said = notes(&[("Order refunded", "1", "", "{}", revenue(5))]);
    assert_only(&said, "1 row has a revenue");
    for part in [
        "'Order refunded' (1; the setting refund_events has 'Order Refunded')",
        "one that is a refund in refund_events (Order Refunded, order_refunded, Order Cancelled, order_cancelled)",
        "write it so, or add the other spelling",
    ] {
        assert!(said[0].contains(part), "{part}: {said:?}");
    }
    assert!(!said[0].contains("--event"), "the row has an event: {said:?}");
    let said = notes(&[("Purchase", "1", "", "{}", revenue(5))]);
    assert!(!said[0].contains("spelling"), "{said:?}");
}

/// What a type is for decides what can be done, and that loading again changes no row.
#[test]
fn rows_without_an_event_are_told_by_their_type() {
    let said = |kind: &str| {
        let mut rows = NoOrder::default();
        let named = Named { kind, has_revenue: true, ..nothing() };
        let settings = Settings::defaults().unwrap().orders;
        rows.add(&named, None, &settings);
        rows.note(&settings).unwrap()
    };
    let identify = said("identify");
    assert!(
        identify.contains("type identify without an event (1); the revenue of a row of type identify makes no order")
    );
    assert!(!identify.contains("--event") && !identify.contains("purchase_events"), "{identify}");
    let page = said("page");
    assert!(page.contains("gets one by --event") && page.contains("--again puts the same rows beside them"), "{page}");
    assert!(!page.contains("purchase_events"), "{page}");
    assert!(said("alias").ends_with("type alias without an event (1)"));
}

/// Purchase and refund events (event, number, properties, own columns), each at a time of its own.
fn notes_of_many<'a>(rows: impl IntoIterator<Item = (&'a str, String, &'a str, OwnLine)>) -> OrderNotes {
    let settings = Settings::defaults().unwrap().orders;
    let base = BaseCurrency::new(&Rules::default(), &settings, chrono_tz::Tz::UTC);
    let mut notes = OrderNotes::new(WorkspaceName::default(), settings, base);
    for (at, (event, number, properties, own)) in rows.into_iter().enumerate() {
        let id = at.to_string();
        let named = Named {
            ts: at as i64,
            received_at: 0,
            message_id: &id,
            kind: "track",
            event: Some(event),
            node: None,
            order_id: Some(&number),
            brand: None,
            store_id: None,
            source: None,
            currency: None,
            product_id: None,
            quantity: None,
            has_revenue: own.revenue.is_some(),
        };
        notes.add(named, Some(Box::new(read_statement(Some(properties), own))));
    }
    notes
}

/// Sales of 1 each, of orders of their own.
fn sales(numbers: std::ops::Range<usize>) -> impl Iterator<Item = (&'static str, String, &'static str, OwnLine)> {
    numbers.map(|number| (OC, number.to_string(), "{}", revenue(1)))
}

const BELOW_ZERO: &str =
    "by the first 200000 purchase and refund events of this load: 1 order is below 0: more is refunded than was sold";
const TELLS_THE_REST: &str = "SELECT * FROM orders WHERE net < 0 OR net IS NULL OR net_base IS NULL tells those that \
                              are below 0, in several currencies or without an exchange rate";

/// Of a load that is too large the orders that are known in part are left out: nothing false is said of them. What is
/// said of orders says of how many events it is.
#[test]
fn orders_that_are_cut_are_not_judged() {
    let first = [(ORF, "sold later".to_owned(), "{}", revenue(5)), (ORF, "never sold".to_owned(), "{}", revenue(5))];
    // The last is below 0, too, and beyond what is looked at.
    let last =
        [(OC, "sold later".to_owned(), "{}", revenue(9)), (ORF, "never sold, either".to_owned(), "{}", revenue(5))];
    let mut notes = notes_of_many(first.into_iter().chain(sales(2..MOST_EVENTS)).chain(last));
    let cut = format!(
        "orders were looked at in the first 200000 of the 200002 purchase and refund events of this load only, but for \
         1 order that later ones go on with: {TELLS_THE_REST}"
    );
    assert_eq!(notes.finish(|_| None), [BELOW_ZERO, &cut]);
    notes.unseen = Some("the disk is full".to_owned());
    let said = notes.finish(|_| None);
    assert!(
        said[0].starts_with("by the first 200000 purchase and refund events of this load alone: 1 order"),
        "{said:?}"
    );
    // Each of 200000 events is of an order of its own.
    assert_eq!(said[1], "what earlier loads say of this load's orders (200000) was not looked at: the disk is full");
    assert_eq!(said[2..], [cut]);
}

/// What needs no other event is counted over the whole load, and nothing found is not the same as nothing looked at.
#[test]
fn events_beyond_those_that_are_held_are_counted() {
    let none = OwnLine::default();
    let more = ["{}", r#"{"total":"ten"}"#].map(|properties| (OC, "more".to_owned(), properties, none));
    let said = notes_of_many(sales(0..MOST_EVENTS).chain(more)).finish(|_| None);
    let cut = format!(
        "orders were looked at in the first 200000 of the 200002 purchase and refund events of this load only: \
         {TELLS_THE_REST}"
    );
    assert_eq!(
        said,
        [
            "1 event has an amount, price or quantity that is no number: it counts as absent; the first is total 'ten', in \
             message_id '200001'",
            "2 purchase events of this load say no amount: they count as 0",
            &cut
        ]
    );
    let all = notes_of_many(sales(0..MOST_EVENTS)).finish(|_| None);
    assert!(all.is_empty(), "exactly as many as are held: {all:?}");
}
