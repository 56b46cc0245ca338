//! Quantities with more decimals than are stored: an amount is of all their digits, whichever way they are written.
//!
//! Expected values by Python's `decimal`: `(Decimal(price) * Decimal(quantity)).quantize(Decimal('0.0001'),
//! ROUND_HALF_UP)`, and likewise the quantities.

use convoke::ingest::input::{InputRow, QUANTITY_ONE};

use super::*;
use crate::harness::at;

/// (number, price, quantity).
const LINES: [(&str, &str, &str); 3] = [("a", "100000", "0.00005"), ("b", "9.99", "1.23456789"), ("c", "1", "0.00015")];
/// Of quantities that were rounded first, 10.0000, 12.3337 and 0.0002.
const LINE_ITEMS: [&str; 3] = ["a p 0.0001 5.0000", "b p 1.2346 12.3333", "c p 0.0002 0.0002"];
const LINE_ORDERS: [&str; 3] = ["a 5.0000 0.0001", "b 12.3333 1.2346", "c 0.0002 0.0002"];

async fn assert_lines(world: &World, way: &str) {
    let items = "SELECT order_id, product_id, quantity, amount FROM order_items ORDER BY order_id";
    assert_eq!(world.rows(items).await, LINE_ITEMS, "{way}");
    assert_eq!(world.rows("SELECT order_id, gross, items FROM orders ORDER BY order_id").await, LINE_ORDERS, "{way}");
}

fn number(text: &str) -> Value {
    json!(text.parse::<f64>().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_s_own_quantity_counts_as_one_within_products() {
    let products = LINES.map(|(order, price, quantity)| {
        let product = json!({"product_id": "p", "price": number(price), "quantity": number(quantity)});
        bought(order, "01T00:00", json!({"order_id": order, "products": [product]}))
    });
    assert_lines(&loaded(&products).await, "products").await;
    let texts_within_products = LINES.map(|(order, price, quantity)| {
        let product = json!({"product_id": "p", "price": price, "quantity": quantity});
        bought(order, "01T00:00", json!({"order_id": order, "products": [product]}))
    });
    assert_lines(&loaded(&texts_within_products).await, "texts within products").await;
    let line = |(order, price, quantity): (&str, &str, &str)| {
        let properties =
            json!({"order_id": order, "product_id": "p", "price": number(price), "quantity": number(quantity)});
        bought(order, "01T00:00", properties)
    };
    assert_lines(&loaded(&LINES.map(line)).await, "a key of the object").await;
    let lifted = LINES.map(|(order, price, quantity)| {
        json!({"messageId": order, "type": "track", "event": "Order Completed", "userId": "u1",
               "timestamp": "2024-03-01T00:00:00Z",
               "properties": {"order_id": order, "product_id": "p", "price": price, "quantity": quantity}})
    });
    assert_lines(&loaded(&lifted).await, "a key of the properties").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_s_quantity_counts_as_one_within_products() {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    writeln!(file, "ts,event,order_id,user_id,product_id,price,quantity").unwrap();
    for (order, price, quantity) in LINES {
        writeln!(file, "2024-03-01,Order Completed,{order},u1,p,{price},{quantity}").unwrap();
    }
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let table = world().await;
    table.load_batches("a table", reader.batches().collect()).await.unwrap();
    assert_lines(&table, "a CSV file").await;

    // As a program sends them by DoPut.
    let units = [QUANTITY_ONE / 20_000, QUANTITY_ONE / 100_000_000 * 123_456_789, QUANTITY_ONE / 20_000 * 3];
    let prices = LINES.map(|(_, price, _)| format!("{{\"price\":{price}}}"));
    let rows: Vec<InputRow<'_>> = (0..LINES.len())
        .map(|row| InputRow { order_id: Some(LINES[row].0), ..sent(&prices[row], units[row]) })
        .collect();
    let uploaded = world().await;
    assert_eq!(uploaded.load("an upload", &rows).await.kept, 3);
    assert_lines(&uploaded, "an upload").await;
    let own = "SELECT quantity FROM events ORDER BY order_id";
    assert_eq!(uploaded.rows(own).await, ["0.0001", "1.2346", "0.0002"]);
}

fn sent(properties: &str, quantity: i128) -> InputRow<'_> {
    InputRow {
        ts: at("2024-03-01T00:00:00Z"),
        event: Some("Order Completed"),
        user_id: Some("u1"),
        product_id: Some("p"),
        quantity: Some(quantity),
        properties: Some(properties),
        ..InputRow::default()
    }
}

/// 99999999999999.99999 is rounded to 15 digits before the point: the row is kept aside, with its reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quantity_that_cannot_be_stored_is_rejected() {
    let world = world().await;
    let largest = QUANTITY_ONE * 100_000_000_000_000 - QUANTITY_ONE / 100_000;
    let summary =
        world.load("an upload", &[sent("{\"total\":1}", largest), sent("{\"total\":1}", -QUANTITY_ONE)]).await;
    assert_eq!((summary.kept, summary.rejected), (1, 1));
    let [reason] = summary.reasons.as_slice() else { panic!("{:?}", summary.reasons) };
    assert!(
        reason.starts_with("row 1: column 'quantity': ") && reason.ends_with("more than 14 digits before the point"),
        "{reason}"
    );
}

/// A refund without a price takes that of a piece: of as many pieces as were sold it is the whole amount, both ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_all_that_was_weighed_gives_all_back() {
    let product = |order: &str| json!({"order_id": order, "products": [{"product_id": "p", "quantity": 1.234_567_89}]});
    let line = |order: &str| json!({"order_id": order, "product_id": "p", "quantity": 1.234_567_89});
    let sold = |id: &str, order: &str| {
        let line = json!({"order_id": order, "product_id": "p", "price": 9.99, "quantity": 1.234_567_89});
        bought(id, "01T00:00", line)
    };
    let world = loaded(&[
        sold("m1", "a"),
        sold("m2", "b"),
        refunded("m3", "02T00:00", product("a")),
        refunded("m4", "02T00:00", line("b")),
    ])
    .await;
    let orders = "SELECT order_id, gross, refund, net FROM orders ORDER BY order_id";
    assert_eq!(world.rows(orders).await, ["a 12.3333 -12.3333 0.0000", "b 12.3333 -12.3333 0.0000"]);
}

/// 0.00014 x 100000 = 14, of which 12 come back; of the stored 0.0001 it would be 10, and the order below 0.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_load_s_order_cost_is_known_by_all_digits() {
    let world = world().await;
    let line = json!({"order_id": "a", "product_id": "p", "price": 100_000, "quantity": 0.000_14});
    let back = |id: &str, amount: i64| refunded(id, "02T00:00", json!({"order_id": "a", "revenue": amount}));
    assert!(load(&world, &[bought("m1", "01T00:00", line)]).await.notes.is_empty());
    let notes = load(&world, &[back("m2", 12)]).await.notes;
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(world.row(MONEY).await, "14.0000 -12.0000 2.0000");
    let notes = load(&world, &[back("m3", 3)]).await.notes;
    assert!(notes.len() == 1 && notes[0].starts_with("1 order is below 0"), "{notes:?}");
}
