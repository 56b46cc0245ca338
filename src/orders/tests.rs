//! The worked cases of SQL.md 1 by their numbers in the list of cases, all values by hand, and laws over random histories.

use proptest::prelude::*;

use super::*;
use crate::money::{Exact, ONE};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn units(amount: f64) -> i128 {
    (amount * 10_000.0).round() as i128
}

/// An event that says `amount`, at `ts`; its id is its place in time.
fn event(message_id: &'static str, ts: i64, amount: Option<f64>) -> OrderEvent<'static> {
    OrderEvent { ts, message_id, amount: amount.map(units), ..OrderEvent::default() }
}

fn refund(message_id: &'static str, ts: i64, amount: Option<f64>) -> OrderEvent<'static> {
    OrderEvent { is_refund: true, ..event(message_id, ts, amount) }
}

/// An event with products (id, pieces, amount of all pieces), whose sum is its amount.
fn with_products<'a>(mut event: OrderEvent<'a>, rows: &[(&'a str, i128, Option<f64>)]) -> OrderEvent<'a> {
    let row = |(position, (id, pieces, amount)): (usize, &(&'a str, i128, Option<f64>))| Row {
        product_id: Some(id),
        quantity: Some(pieces * ONE),
        amount: amount.map(units),
        price: None,
        cost: None,
        position: Some(position),
    };
    event.products = rows.iter().enumerate().map(row).collect();
    event.pieces = event.products.iter().map(|row| row.quantity).sum();
    event.whole = true;
    if event.amount.is_none() {
        event.unpriced = event.products.iter().any(|row| row.amount.is_none());
        event.amount = event.products.iter().filter_map(|row| row.amount).reduce(|left, right| left + right);
    }
    event
}

fn whole(event: OrderEvent<'_>) -> OrderEvent<'_> {
    OrderEvent { whole: true, ..event }
}

fn sums(events: &[OrderEvent<'_>]) -> [f64; 3] {
    let totals = resolve(events.to_vec(), "USD").totals();
    [totals.gross, totals.refund, totals.net].map(|sum| sum.unwrap() as f64 / 10_000.0)
}

fn amounts(events: &[OrderEvent<'_>]) -> Vec<f64> {
    resolve(events.to_vec(), "USD").entries.iter().map(|entry| entry.amount as f64 / 10_000.0).collect()
}

/// (product, pieces, amount) of all items.
fn items_of(events: &[OrderEvent<'_>]) -> Vec<(Kind, Option<String>, f64, Option<f64>)> {
    let as_number = |units: i128| units as f64 / 10_000.0;
    let order = resolve(events.to_vec(), "USD");
    let items = order.items();
    items
        .iter()
        .map(|item| {
            let row = &item.row;
            (item.kind, row.product_id.map(str::to_owned), as_number(row.quantity.unwrap()), row.amount.map(as_number))
        })
        .collect()
}

fn item(kind: Kind, id: &str, pieces: f64, amount: f64) -> (Kind, Option<String>, f64, Option<f64>) {
    (kind, Some(id.to_owned()).filter(|id| !id.is_empty()), pieces, Some(amount))
}

#[test]
fn a13_negative_lines_are_refunds() {
    assert_eq!(sums(&[event("a", 0, Some(40.0)), event("b", 1, Some(-15.0))]), [40.0, -15.0, 25.0]);
}

#[test]
fn a14_the_latest_whole_statement_stands() {
    let whole = |id, ts| with_products(event(id, ts, Some(20.0)), &[("p", 2, Some(15.0)), ("q", 1, Some(5.0))]);
    let both = [whole("m1", 0), whole("m2", HOUR)];
    assert_eq!(sums(&both), [20.0, 0.0, 20.0]);
    assert_eq!(resolve(both.to_vec(), "USD").totals().items, 3 * ONE);
    // Of one moment the later received, then the larger id.
    let mut earlier = with_products(event("z", 0, None), &[("a", 1, Some(1.0))]);
    earlier.received_at = 1;
    let mut later = with_products(event("a", 0, None), &[("b", 1, Some(2.0))]);
    later.received_at = 2;
    assert_eq!(sums(&[later.clone(), earlier.clone()])[0], 2.0);
    later.received_at = 1;
    assert_eq!(sums(&[later, earlier])[0], 1.0);
}

#[test]
fn a23_two_message_ids_are_two_refunds() {
    let bought = with_products(event("a", 0, None), &[("p", 1, Some(100.0))]);
    assert_eq!(sums(&[bought, refund("b", DAY, Some(30.0)), refund("c", DAY, Some(30.0))]), [100.0, -60.0, 40.0]);
}

#[test]
fn a24_a_refund_of_the_number_alone_takes_what_the_others_leave() {
    let sale = event("a", 0, Some(100.0));
    let days = [(5, 9), (9, 5)];
    for (said, alone) in days {
        let mut events = [sale.clone(), refund("b", said * DAY, Some(30.0)), refund("c", alone * DAY, None)];
        let expected = if said < alone { [100.0, -30.0, -70.0] } else { [100.0, -70.0, -30.0] };
        for turn in 0..3 {
            events.rotate_left(turn);
            assert_eq!(sums(&events), [100.0, -100.0, 0.0]);
            assert_eq!(amounts(&events), expected);
        }
    }
}

#[test]
fn a25_what_is_stated_is_booked() {
    let sale = event("a", 0, Some(100.0));
    let twice = [sale.clone(), refund("b", 1, None), refund("c", 2, None)];
    assert_eq!(amounts(&twice), [100.0, -100.0, 0.0]);
    let seventy = |id, ts| refund(id, ts, Some(70.0));
    assert_eq!(sums(&[sale.clone(), seventy("b", 1), seventy("c", 2), refund("d", 3, None)]), [100.0, -140.0, -40.0]);
    let total = refund("c", 2, Some(100.0));
    assert_eq!(sums(&[sale, refund("b", 1, Some(30.0)), total]), [100.0, -130.0, -30.0]);
}

#[test]
fn a26_products_without_a_price_take_the_orders() {
    let bought = with_products(event("a", 0, None), &[("a", 2, Some(40.0)), ("b", 1, Some(10.0))]);
    let one = with_products(refund("b", 1, None), &[("a", 1, None)]);
    let unknown = with_products(refund("c", 2, None), &[("z", 1, None)]);
    let events = [bought, one, unknown];
    assert_eq!(sums(&events), [50.0, -20.0, 30.0]);
    assert_eq!(resolve(events.to_vec(), "USD").refunds_without_price, 1);
    use Kind::{Refund, Sale};
    assert_eq!(
        items_of(&events),
        [
            item(Sale, "a", 2.0, 40.0),
            item(Sale, "b", 1.0, 10.0),
            item(Refund, "a", -1.0, -20.0),
            item(Refund, "z", -1.0, 0.0)
        ]
    );
    // The event's own product likewise.
    let own = OrderEvent { product_id: Some("b"), unpriced: true, ..refund("d", 3, None) };
    assert_eq!(sums(&[events[0].clone(), own]), [50.0, -10.0, 40.0]);
    // What is stated is booked; the order's price tells what of it is the product.
    let stated = with_products(refund("b", 1, Some(25.0)), &[("a", 1, None)]);
    assert_eq!(
        items_of(&[events[0].clone(), stated])[2..],
        [item(Refund, "a", -1.0, -20.0), item(Refund, "", 0.0, -5.0)]
    );
}

/// Half a piece at 0.3333 is 0.16665, rounded 0.1667: the price of a piece is what is stated, not twice that.
#[test]
fn a26_a_refund_takes_the_stated_price_and_not_that_of_a_rounded_amount() {
    let line = |id, ts, quantity, amount, price: Option<f64>| OrderEvent {
        product_id: Some("p"),
        quantity: Some(units(quantity)),
        price: price.map(units),
        ..event(id, ts, Some(amount))
    };
    let back = OrderEvent { product_id: Some("p"), unpriced: true, ..refund("r", 9, None) };
    let refunded = |sales: &[OrderEvent<'static>]| sums(&[sales, std::slice::from_ref(&back)].concat())[1];
    let half = line("a", 0, 0.5, 0.1667, Some(0.3333));
    assert_eq!(refunded(std::slice::from_ref(&half)), -0.3333);
    // Not stated, it is what the amount says: 0.1667 / 0.5.
    assert_eq!(refunded(&[line("a", 0, 0.5, 0.1667, None)]), -0.3334);
    // Another line of the same price, whole pieces that need not state it: 2 x 0.3333.
    assert_eq!(refunded(&[half.clone(), line("b", 1, 2.0, 0.6666, None)]), -0.3333);
    // Of two prices it is the mean: (0.1667 + 0.5) / 1.5 = 0.44447.
    assert_eq!(refunded(&[half, line("b", 1, 1.0, 0.5, Some(0.5))]), -0.4445);
    // Less than the price was paid: 0.25 for half a piece at 1, so one piece is 0.5.
    assert_eq!(refunded(&[line("a", 0, 0.5, 0.25, Some(1.0))]), -0.5);

    let mut bought = with_products(event("a", 0, None), &[("p", 1, Some(0.1667)), ("q", 1, Some(5.0))]);
    bought.products[0].quantity = Some(units(0.5));
    bought.products[0].price = Some(units(0.3333));
    let one = with_products(refund("b", 1, None), &[("p", 1, None)]);
    assert_eq!(sums(&[bought, one])[1], -0.3333);
}

#[test]
fn prices_of_a_piece_are_read_beside_amounts() {
    let prices = stated_prices(r#"{"Price":"0.3333","products":[{"price":2.5,"discount":1},null,{"total":3}]}"#);
    assert_eq!((prices.own, prices.of_products), (Some(3_333), vec![Some(25_000), None]));
    assert_eq!(stated_prices(r#"{"price":"n/a"}"#).own, None);
    assert_eq!(said(r#"{"price":1}"#, OwnLine::default()), Statement::default(), "of no product it says nothing");
}

#[test]
fn a27_a_refund_may_come_first() {
    let events = [refund("b", DAY, Some(30.0)), event("a", 2 * DAY, Some(100.0))];
    assert_eq!(sums(&events), [100.0, -30.0, 70.0]);
    assert_eq!(resolve(events.to_vec(), "USD").ts(), 2 * DAY);
}

#[test]
fn a28_a_whole_statement_replaces_what_is_not_later() {
    let events = [
        event("a", 10 * HOUR, Some(40.0)),
        event("b", 10 * HOUR + 60, Some(60.0)),
        whole(event("c", 10 * HOUR + 300, Some(95.0))),
        event("d", 11 * HOUR, Some(5.0)),
    ];
    assert_eq!(sums(&events), [100.0, 0.0, 100.0]);
    let order = resolve(events.to_vec(), "USD");
    // The whole is booked at the order's time. Its rows are those of the lines that it replaced, 100, and 5 less.
    assert_eq!(order.entries.iter().map(|entry| entry.ts).collect::<Vec<_>>(), [10 * HOUR, 11 * HOUR]);
    let rows: Vec<_> = items_of(&events).into_iter().map(|(_, _, pieces, amount)| (pieces, amount)).collect();
    assert_eq!(rows, [(1.0, Some(40.0)), (1.0, Some(60.0)), (0.0, Some(-5.0)), (1.0, Some(5.0))]);
    assert_eq!(order.totals().items, 3 * ONE);
}

#[test]
fn a29_a_later_whole_statement_replaces_the_earlier() {
    let events = [
        with_products(event("a", 10 * HOUR, None), &[("a", 1, Some(20.0)), ("b", 1, Some(30.0))]),
        with_products(event("b", 12 * HOUR, None), &[("c", 1, Some(45.0))]),
    ];
    assert_eq!(sums(&events), [45.0, 0.0, 45.0]);
    assert_eq!(items_of(&events), [item(Kind::Sale, "c", 1.0, 45.0)]);
    assert_eq!(resolve(events.to_vec(), "USD").entries[0].ts, 10 * HOUR);
    // One that says the total alone keeps the products of the one before.
    let corrected = [events[0].clone(), whole(event("b", 12 * HOUR, Some(48.0)))];
    use Kind::Sale;
    assert_eq!(
        items_of(&corrected),
        [item(Sale, "a", 1.0, 20.0), item(Sale, "b", 1.0, 30.0), item(Sale, "", 0.0, -2.0)]
    );
}

#[test]
fn a31_signs_of_lines_and_of_products() {
    assert_eq!(sums(&[event("a", 0, Some(-20.0))]), [0.0, -20.0, -20.0]);
    let mixed = [with_products(event("a", 0, None), &[("a", 1, Some(30.0)), ("b", 1, Some(-20.0))])];
    assert_eq!(sums(&mixed), [10.0, 0.0, 10.0]);
    assert_eq!(items_of(&mixed), [item(Kind::Sale, "a", 1.0, 30.0), item(Kind::Sale, "b", 1.0, -20.0)]);
    assert_eq!(sums(&[event("a", 0, Some(0.0))]), [0.0, 0.0, 0.0]);
    // A refund is negative whatever sign came.
    assert_eq!(sums(&[event("a", 0, Some(50.0)), refund("b", 1, Some(-20.0))]), [50.0, -20.0, 30.0]);
}

#[test]
fn a32_whole_statements_of_two_names_are_one_and_lines_are_two() {
    let products = |id, ts| with_products(event(id, ts, None), &[("a", 1, Some(100.0))]);
    assert_eq!(sums(&[products("a", 0), products("b", 1)])[0], 100.0);
    assert_eq!(sums(&[event("a", 0, Some(100.0)), event("b", 1, Some(100.0))])[0], 200.0);
}

#[test]
fn a34_currencies_that_differ_are_not_added_up() {
    let euro = |event: OrderEvent<'static>| OrderEvent { currency: Some("EUR"), ..event };
    let yen = |event: OrderEvent<'static>| OrderEvent { currency: Some("JPY"), ..event };
    // An entry without a currency takes the only one that is named, else the base.
    let order = resolve(vec![euro(event("a", 0, Some(100.0))), refund("b", 1, Some(30.0))], "USD");
    assert_eq!(order.totals().currency, Some("EUR"));
    assert_eq!(order.totals().net, Some(units(70.0)));
    // A11: sales of several.
    let both = [euro(event("a", 0, Some(100.0))), yen(event("b", 1, Some(100.0)))];
    let totals = resolve(both.to_vec(), "USD").totals();
    assert_eq!((totals.gross, totals.refund, totals.net, totals.currency), (None, None, None, None));
    // Cancelled as a whole, each currency is taken back.
    let order = resolve([both.as_slice(), &[refund("c", 2, None)]].concat(), "USD");
    let back: Vec<_> = order.entries[2..].iter().map(|entry| (entry.currency, entry.amount)).collect();
    assert_eq!(back, [("EUR", -units(100.0)), ("JPY", -units(100.0))]);
    // A refund in another than the sales'.
    let totals = resolve(vec![both[0].clone(), yen(refund("b", 1, Some(5.0)))], "USD").totals();
    assert_eq!((totals.gross, totals.refund, totals.net), (Some(units(100.0)), None, None));
    assert_eq!(totals.currency, Some("EUR"));
    // A statement that was replaced names nothing any more.
    let replaced = [yen(event("a", 0, Some(9.0))), euro(whole(event("b", 1, Some(7.0)))), refund("c", 2, Some(1.0))];
    assert_eq!(resolve(replaced.to_vec(), "USD").totals().net, Some(units(6.0)));
}

#[test]
fn a35_what_the_amount_says_more_is_a_row_of_its_own() {
    let events = [with_products(event("a", 0, Some(110.0)), &[("a", 1, Some(100.0))])];
    assert_eq!(items_of(&events), [item(Kind::Sale, "a", 1.0, 100.0), item(Kind::Sale, "", 0.0, 10.0)]);
}

#[test]
fn names_of_orders_are_unambiguous() {
    assert_eq!(key::name_without_number(Some(7), 19_784, "m"), "day:2024-03-02:7");
    assert_eq!(key::name_without_number(Some(7), -1, "m"), "day:1969-12-31:7");
    assert_eq!(key::name_without_number(None, 0, "m"), "event:m");
    assert_eq!(key::within("1001", Some("north")), "north/1001");
    assert_ne!(key::within("a/b", None), key::within("b", Some("a")));
    assert_ne!(key::within("b", Some("a\\")), key::within("\\/b", Some("a")));
}

fn pieces(count: i128) -> Option<Exact> {
    Some(Exact::of_units(count, 0))
}

fn said(properties: &str, own: OwnLine) -> Statement {
    read_statement(Some(properties), own)
}

#[test]
fn amounts_are_found_in_their_order() {
    let none = OwnLine::default();
    let amount = |properties: &str, own| said(properties, own).amount;
    let line = OwnLine { has_product: true, quantity: pieces(2), ..none };
    assert_eq!(amount(r#"{"total":9,"price":10}"#, OwnLine { revenue: Some(0), ..line }), Some(0), "0 is a number");
    assert_eq!(amount(r#"{"total":9,"price":"10.005"}"#, line), Some(200_100));
    assert_eq!(amount(r#"{"total":9,"value":8}"#, line), Some(90_000));
    assert_eq!(
        amount(r#"{"value":8,"price":10,"products":[{"price":1}]}"#, none),
        Some(80_000),
        "no product of its own"
    );
    assert_eq!(amount(r#"{"total":"n/a","value":8}"#, none), Some(80_000));
    assert_eq!(said(r#"{"total":"n/a","value":{}}"#, none).not_a_number.as_deref(), Some("total 'n/a'"));
    assert_eq!(amount(r#"{"items":3,"line_items":[{"price":2,"quantity":3,"discount":0.5}]}"#, none), Some(55_000));
    assert_eq!(amount(r#"{"items":[{"total":"1.00005"},{"amount":2,"price":9}]}"#, none), Some(30_001));
    assert_eq!(amount(r#"{"total":1,"total":2}"#, none), Some(20_000), "of equal keys the last");
    assert_eq!(amount(r#"{"products":"[{\"price\":4}]"}"#, none), Some(40_000), "a cell of a CSV file");
    assert_eq!(amount("{}", none), None);
    assert_eq!(amount(r#"{"a":{"total":1}}"#, none), None);
}

/// As of a product (B12): what is counted by it is not known either, and what is stated stands.
#[test]
fn a_line_whose_own_quantity_is_no_number() {
    let line = OwnLine { has_product: true, ..OwnLine::default() };
    let unknown = said(r#"{"price":10,"quantity":"3 pcs"}"#, line);
    assert_eq!((unknown.amount, unknown.pieces, unknown.not_a_number.is_some()), (None, Some(0), true));
    let stated = said(r#"{"price":10,"quantity":"3 pcs","total":30}"#, line);
    assert_eq!((stated.amount, stated.whole), (Some(300_000), false), "a line's own total");
    let blank = said(r#"{"price":10,"quantity":" "}"#, line);
    assert_eq!(
        (blank.amount, blank.pieces, blank.not_a_number.is_some()),
        (Some(100_000), None, false),
        "a blank says nothing"
    );
    let of_column = said(r#"{"price":10,"quantity":"3 pcs"}"#, OwnLine { quantity: pieces(2), ..line });
    assert_eq!((of_column.amount, of_column.pieces, of_column.not_a_number.is_some()), (Some(200_000), None, false));

    let sold = OrderEvent { product_id: Some("p"), pieces: Some(0), ..event("m", 0, Some(30.0)) };
    let order = resolve(vec![sold], "USD");
    let items = order.items();
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].row.quantity, items[0].row.amount), (None, Some(300_000)));
    assert_eq!(order.totals().items, 0, "of those that are known");
}

#[test]
fn members_count_in_any_case() {
    let none = OwnLine::default();
    let line = OwnLine { has_product: true, quantity: pieces(2), ..none };
    let amount = |properties: &str, own| said(properties, own).amount;
    assert_eq!(amount(r#"{"Price":10}"#, line), Some(200_000));
    assert_eq!(amount(r#"{"TOTAL":9}"#, none), Some(90_000));
    assert!(said(r#"{"TOTAL":9}"#, none).whole);
    assert_eq!(amount(r#"{"total":8,"Total":9}"#, none), Some(80_000), "the exact one");
    assert_eq!(amount(r#"{"Total":9,"total":8}"#, none), Some(80_000), "the exact one");
    assert_eq!(amount(r#"{"total":null,"Total":9}"#, none), Some(90_000), "null says nothing");
    assert_eq!(amount(r#"{"Grand Total":9}"#, none), None);
    let products = r#"{"Products":[{"Product_ID":"a","Price":10,"QUANTITY":2,"Cost":1}]}"#;
    let lower = r#"{"products":[{"product_id":"a","price":10,"quantity":2,"cost":1}]}"#;
    assert_eq!(said(products, none), said(lower, none));
    assert_eq!(said(products, none).amount, Some(200_000));
}

#[test]
fn what_states_an_order_whole() {
    let none = OwnLine::default();
    let line = OwnLine { has_product: true, ..none };
    assert!(said(r#"{"total":1}"#, none).whole);
    assert!(!said(r#"{"total":1}"#, line).whole, "a line's own total");
    assert!(said(r#"{"products":[{}]}"#, line).whole);
    assert!(!said(r#"{"products":[]}"#, OwnLine { revenue: Some(1), ..none }).whole);
    assert!(!said(r#"{"value":1}"#, none).whole);
}

#[test]
fn products_become_rows_with_exact_amounts() {
    let statement = said(
        r#"{"products":[{"product_id":"p1","category":["Women","Tops"],"price":19.99,"quantity":3,"cost":"7.5"},
                        {"sku":4711,"category":"Home / Kitchen","total":"12.00"},{}]}"#,
        OwnLine::default(),
    );
    let products = &statement.products;
    // 3 x 19.99 = 59.97 and 3 x 7.5 = 22.5.
    assert_eq!((products[0].amount, products[0].cost), (Some(599_700), Some(225_000)));
    assert_eq!(products[0].category, Some(vec!["Women".into(), "Tops".into()]));
    assert_eq!(products[1].product_id.as_deref(), Some("4711"));
    assert_eq!(products[1].category, Some(vec!["Home".into(), "Kitchen".into()]));
    assert_eq!(products[2], Product { quantity: Some(ONE), ..Product::default() });
    assert_eq!((statement.pieces, statement.cost), (Some(5 * ONE), None));
    assert!(statement.unpriced, "the last says neither price nor amount");
}

/// cases/README.md B12: `3 pcs` is not 1. What is counted by it is not known either, and what is stated stands.
#[test]
fn a_quantity_that_is_no_number_is_not_one() {
    let of = |members: &str| {
        let products = format!(r#"[{{"product_id":"a",{members}}},{{"price":5,"quantity":2}}]"#);
        said(&format!(r#"{{"products":{products}}}"#), OwnLine::default())
    };
    let statement = of(r#""price":10,"cost":4,"quantity":"3 pcs""#);
    let product = &statement.products[0];
    assert_eq!((product.quantity, product.amount, product.cost), (None, None, None));
    assert_eq!((statement.amount, statement.cost, statement.pieces), (Some(10 * ONE), None, Some(2 * ONE)));
    assert_eq!(statement.not_a_number.as_deref(), Some("a product's quantity '3 pcs'"));
    let stated = &of(r#""total":30,"quantity":"3 pcs""#).products[0];
    assert_eq!((stated.quantity, stated.amount), (None, Some(30 * ONE)));
    for absent in [r#""price":10"#, r#""price":10,"quantity":null"#, r#""price":10,"quantity":" ""#] {
        let statement = of(absent);
        let product = &statement.products[0];
        assert_eq!((product.quantity, product.amount), (Some(ONE), Some(10 * ONE)), "{absent}");
        assert!(statement.not_a_number.is_none());
    }
}

/// A piece's price holds for products whose pieces are known.
#[test]
fn a_refund_of_unknown_pieces_takes_no_price() {
    let mut bought = with_products(event("1", 1, None), &[("a", 2, Some(20.0)), ("b", 1, Some(5.0))]);
    bought.products[0].quantity = None;
    let mut back = with_products(refund("2", 2, None), &[("a", 1, None), ("b", 1, None)]);
    let order = resolve(vec![bought.clone(), back.clone()], "USD");
    let without = |order: &Order<'_>| (order.refunds_without_price, order.refunds_without_quantity);
    assert_eq!((without(&order), order.totals().refund), ((0, 1), Some(-5 * ONE)), "of 'a' no piece has a price");
    bought.products[0].quantity = Some(2 * ONE);
    back.products[0].quantity = None;
    let order = resolve(vec![bought, back], "USD");
    assert_eq!((without(&order), order.totals().refund), ((0, 1), Some(-5 * ONE)));
    let quantities: Vec<Option<i128>> = order.items().iter().map(|item| item.row.quantity).collect();
    assert_eq!(quantities, [Some(2 * ONE), Some(ONE), None, Some(-ONE)]);
}

#[test]
fn prices_and_quantities_are_not_rounded_before_they_are_multiplied() {
    let line = |quantity| OwnLine { has_product: true, quantity, ..OwnLine::default() };
    assert_eq!(said(r#"{"price":1.23456}"#, line(pieces(1_000))).amount, Some(12_345_600));
    // 0.33335 of 10000, as the second product below.
    assert_eq!(said(r#"{"price":10000}"#, line(Some(Exact::of_units(33_335, 5)))).amount, Some(33_335_000));
    let statement = said(
        r#"{"products":[{"price":"1.23456","quantity":1000,"cost":0.00004},{"price":10000,"quantity":0.33335}]}"#,
        OwnLine::default(),
    );
    // 1234.56 and 3333.5; 0.00004 x 1000 = 0.04.
    assert_eq!(statement.products[0].amount, Some(12_345_600));
    assert_eq!((statement.products[1].amount, statement.products[1].quantity), (Some(33_335_000), Some(3_334)));
    assert_eq!(statement.products[0].cost, Some(400));
    assert_eq!(statement.amount, Some(45_680_600));
}

/// SQL.md 1, "Amount": price x quantity less discount, rounded once.
#[test]
fn a_discount_is_not_rounded_before_it_is_subtracted() {
    let amounts = |properties: &str| {
        let statement = said(properties, OwnLine::default());
        (statement.products.iter().map(|product| product.amount).collect::<Vec<_>>(), statement.amount)
    };
    // 1 - 0.00005 = 0.99995, half away from zero; 0.33335 x 3 - 0.00004 = 1.00001.
    let both = r#"{"products":[{"price":1,"discount":0.00005},{"price":0.33335,"quantity":3,"discount":"0.00004"}]}"#;
    assert_eq!(amounts(both), (vec![Some(10_000), Some(10_000)], Some(20_000)));
    let stated = r#"{"products":[{"total":1,"price":9,"discount":0.00005}]}"#;
    assert_eq!(amounts(stated), (vec![Some(10_000)], Some(10_000)), "a total is what is left of it");
}

#[test]
fn what_is_beyond_an_amount_is_said() {
    let none = OwnLine::default();
    let line = OwnLine { has_product: true, quantity: pieces(99_999_999), ..none };
    let too_large = |properties: &str, own| said(properties, own).too_large;
    // 10^11 x 10^8 and 10^15: an amount has 14 digits before the point.
    assert_eq!(too_large(r#"{"price":99999999999}"#, line), Some("price x quantity"));
    assert_eq!(too_large(r#"{"price":99999999999}"#, OwnLine { revenue: Some(ONE), ..line }), None, "nobody asks");
    assert_eq!(too_large(r#"{"total":1e15,"value":3}"#, none), Some("total"));
    assert_eq!(too_large(r#"{"value":-1e15}"#, none), Some("value"));
    assert_eq!(too_large(r#"{"total":99999999999999}"#, none), None);
    let product = |members: &str| too_large(&format!(r#"{{"total":1,"products":[{{{members}}}]}}"#), none);
    assert_eq!(product(r#""price":99999999999,"quantity":99999999"#), Some("a product's price x quantity"));
    assert_eq!(product(r#""price":1,"discount":1e15"#), Some("a product's price x quantity"));
    assert_eq!(product(r#""total":1e15"#), Some("a product's total"));
    assert_eq!(product(r#""total":1,"price":1e15"#), None);
    assert_eq!(product(r#""quantity":1e15"#), Some("a product's quantity"));
    assert_eq!(product(r#""cost":1e8,"quantity":1e8"#), Some("a product's cost x quantity"));
    let sum = r#"{"products":[{"total":6e13},{"total":6e13}]}"#;
    assert_eq!((too_large(sum, none), said(sum, none).amount), (Some("the sum of the products"), None));
    let pieces = r#"{"total":1,"products":[{"quantity":6e13},{"quantity":6e13}]}"#;
    assert_eq!((too_large(pieces, none), said(pieces, none).pieces), (Some("the quantity"), None));
    assert!(said(r#"{"total":1e15}"#, none).whole && said(r#"{"total":1e15}"#, none).says_amount());
}

#[test]
fn what_may_be_beyond_an_amount_is_told_by_its_looks() {
    for large in [
        r#"{"price":99999999999}"#,
        r#"{"total":"-100000000000000"}"#,
        r#"{"products":[{"price":1,"quantity":0.5},{"price":12345678.25}]}"#,
    ] {
        assert!(may_be_too_large(large), "{large}");
    }
    for small in [
        r#"{"price":19.989999999999998,"quantity":0.30000000000000004}"#,
        r#"{"price":9999999,"quantity":9999999}"#,
        r#"{"session":123456789012345,"at":1717163100000}"#,
        "{}",
    ] {
        assert!(!may_be_too_large(small), "{small}");
    }
}

#[test]
fn numbers_that_look_made_up_are_escaped() {
    assert_eq!(key::name_of_number("1001"), "1001");
    assert_eq!(key::name_of_number("today:1"), "today:1");
    assert_eq!(key::name_of_number("\\1"), "\\1");
    let made_up =
        [key::name_without_number(Some(0), 19_783, "m"), key::name_without_number(None, 0, "day:2024-03-01:0")];
    assert_eq!(made_up, ["day:2024-03-01:0", "event:day:2024-03-01:0"]);
    let mut numbers: Vec<String> = made_up.to_vec();
    for times in 1..=3 {
        numbers = numbers.iter().map(|number| key::name_of_number(number).into_owned()).collect();
        // Never made up, and each time another one.
        let expected: Vec<String> = made_up.iter().map(|name| "\\".repeat(times) + name).collect();
        assert_eq!(numbers, expected);
    }
}

/// A random history of one order: distinct message ids, few moments, so that ties are frequent.
fn history() -> impl Strategy<Value = Vec<OrderEvent<'static>>> {
    const IDS: [&str; 8] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"];
    const PRODUCTS: [&str; 3] = ["a", "b", "c"];
    let amount = proptest::option::of(-500_000_i128..1_500_000);
    let row = (0..3_usize, 0..4_i128, amount.clone());
    let one = (
        (0..4_i64, 0..2_i64, any::<bool>(), any::<bool>()),
        amount,
        proptest::option::of(prop_oneof![Just("EUR"), Just("JPY")]),
        proptest::collection::vec(row, 0..3),
    );
    proptest::collection::vec(one, 1..8).prop_map(|drawn| {
        type Drawn = ((i64, i64, bool, bool), Option<i128>, Option<&'static str>, Vec<(usize, i128, Option<i128>)>);
        let event = |(at, ((ts, received_at, is_refund, whole), amount, currency, rows)): (usize, Drawn)| {
            let rows: Vec<Row<'static>> = rows
                .into_iter()
                .enumerate()
                .map(|(position, (product, pieces, amount))| Row {
                    product_id: Some(PRODUCTS[product]),
                    quantity: Some(pieces * ONE),
                    amount,
                    price: None,
                    cost: None,
                    position: Some(position),
                })
                .collect();
            let has_products = !rows.is_empty();
            let unpriced = amount.is_none() && rows.iter().any(|row| row.amount.is_none());
            let of_products = rows.iter().filter_map(|row| row.amount).reduce(|left, right| left + right);
            OrderEvent {
                ts,
                received_at,
                message_id: IDS[at],
                is_refund,
                whole: has_products || whole,
                amount: amount.or(of_products),
                unpriced,
                currency,
                pieces: has_products.then(|| rows.iter().filter_map(|row| row.quantity).sum()),
                products: rows,
                ..OrderEvent::default()
            }
        };
        drawn.into_iter().enumerate().map(event).collect()
    })
}

proptest! {
    /// What one price is multiplied by is never beyond an amount unseen.
    #[test]
    fn no_product_of_two_numbers_is_too_large_unseen(price in "[1-9][0-9]{0,12}(\\.[0-9]{1,3})?", quantity in "[1-9][0-9]{0,12}") {
        let properties = format!(r#"{{"products":[{{"price":{price},"quantity":{quantity}}}]}}"#);
        let statement = said(&properties, OwnLine::default());
        prop_assert!(statement.too_large.is_none() || may_be_too_large(&properties));
    }

    #[test]
    fn the_order_of_arrival_changes_nothing(
        (events, shuffled) in history().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
    ) {
        let (one, other) = (resolve(events, "USD"), resolve(shuffled, "USD"));
        prop_assert_eq!(&one.entries, &other.entries);
        prop_assert_eq!(one.totals(), other.totals());
        prop_assert_eq!(one.items(), other.items());
    }

    #[test]
    fn entries_add_up_to_the_order_and_items_to_the_entries(events in history()) {
        let order = resolve(events, "USD");
        let totals = order.totals();
        let sum = |kind: Kind| order.entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).sum::<i128>();
        if let Some(gross) = totals.gross {
            prop_assert_eq!(gross, sum(Kind::Sale));
        }
        if let Some(refund) = totals.refund {
            prop_assert_eq!(refund, sum(Kind::Refund));
            prop_assert_eq!(totals.net, totals.gross.map(|gross| gross + refund));
        }
        prop_assert!(order.entries.iter().all(|entry| (entry.amount >= 0) == (entry.kind == Kind::Sale) || entry.amount == 0));
        let items = order.items();
        let of = |kind: Kind| items.iter().filter(move |item| item.kind == kind);
        prop_assert_eq!(of(Kind::Sale).filter_map(|item| item.row.amount).sum::<i128>(), sum(Kind::Sale));
        prop_assert_eq!(of(Kind::Sale).filter_map(|item| item.row.quantity).sum::<i128>(), totals.items);
        prop_assert!(of(Kind::Refund).all(|item| item.row.amount.is_none_or(|amount| amount <= 0 || item.row.quantity >= Some(0))));
        // Every event that counts is booked, none that is replaced.
        for at in 0..order.events.len() {
            let booked = order.entries.iter().any(|entry| entry.event == at);
            prop_assert_eq!(booked, !order.is_replaced(at));
        }
    }
}
