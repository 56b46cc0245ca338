//! What cannot be booked, or not in its type: rejected with a reason, or refused by a message that names the order.

use super::*;

/// SQL.md 1, "Amount": exact products rounded once, a revenue that is no number, and what is beyond DECIMAL(18,4).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_are_exact_or_the_event_is_rejected() {
    let line = |number: &str, price: Value, quantity: Value| json!({"order_id": number, "product_id": "p", "price": price, "quantity": quantity});
    let mut file = tempfile::Builder::new().suffix(".ndjson").tempfile().unwrap();
    let events = [
        bought("m1", "01T00:00", line("a", json!(1.23456), json!(1000))),
        bought("m2", "01T00:00", json!({"order_id": "b", "products": [{"price": "1.23456", "quantity": 1000}]})),
        bought("m3", "01T00:00", json!({"order_id": "c", "revenue": "abc", "total": 7})),
        bought("m4", "01T00:00", line("d", json!(99_999_999_999_i64), json!(99_999_999))),
        bought("m5", "01T00:00", json!({"order_id": "e", "revenue": "abc"})),
        bought("m6", "01T00:00", json!({"order_id": "f", "revenue": 1, "currency": "$"})),
    ];
    for event in &events {
        writeln!(file, "{event}").unwrap();
    }
    let world = world().await;
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let summary = world.load_batches("exact", reader.batches().collect()).await.unwrap();
    assert_eq!((summary.kept, summary.rejected), (3, 3));
    // 1.23456 x 1000; by hand.
    assert_eq!(
        world.rows("SELECT order_id, gross FROM orders ORDER BY order_id").await,
        ["a 1234.5600", "b 1234.5600", "c 7.0000"]
    );
    assert_eq!(
        world.rows("SELECT row, reason FROM system.dead_letters ORDER BY row").await,
        [
            "4 column 'properties': price x quantity has more than 14 digits before the point",
            "5 column 'revenue': 'abc' is not a decimal number",
            "6 column 'currency': '$' is not a currency: write its code of three letters, such as USD",
        ]
    );
    // Whoever rejected a row: its line, to be corrected.
    let lines: Vec<String> = events[3..].iter().map(Value::to_string).collect();
    assert_eq!(world.rows("SELECT raw FROM system.dead_letters ORDER BY row").await, lines);
}

/// docs/events.md: of a purchase or refund, at most 10,000 products. Of other events nobody reads them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_of_too_many_products_is_rejected() {
    let of = |number: &str, count: usize| json!({"order_id": number, "products": vec![json!({"price": 1}); count]});
    let mut file = tempfile::Builder::new().suffix(".ndjson").tempfile().unwrap();
    let events = [
        bought("m1", "01T00:00", of("most", 10_000)),
        bought("m2", "01T00:00", of("more", 10_001)),
        event("m3", "Product List Viewed", "u1", "01T00:00", of("seen", 10_001)),
    ];
    for event in &events {
        writeln!(file, "{event}").unwrap();
    }
    let world = world().await;
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let summary = world.load_batches("many", reader.batches().collect()).await.unwrap();
    assert_eq!((summary.kept, summary.rejected), (2, 1));
    assert_eq!(world.rows("SELECT order_id, gross FROM orders").await, ["most 10000.0000"]);
    // Of a row that is rejected 64 KiB are kept.
    let rejected = format!("2 column 'properties': more than 10000 products {}", &events[1].to_string()[..64 << 10]);
    assert_eq!(world.rows("SELECT row, reason, raw FROM system.dead_letters").await, [rejected]);
}

/// An order beyond DECIMAL(18,4) is named; without it the others are read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_beyond_its_type_is_named() {
    let sale =
        |id: &str, number: &str, amount: i64| bought(id, "01T00:00", json!({"order_id": number, "revenue": amount}));
    let world = world().await;
    let half = 60_000_000_000_000;
    let summary = load(&world, &[sale("m1", "it's", half), sale("m2", "it's", half), sale("m3", "small", 5)]).await;
    assert!(summary.notes.iter().any(|note| note.starts_with("1 order adds up beyond")), "{:?}", summary.notes);
    let refusal = world.refusal("SELECT sum(net) FROM orders").await;
    assert!(refusal.contains("order 'it's'") && refusal.contains("WHERE order_key <> 'it''s'"), "{refusal}");
    assert_eq!(world.row("SELECT sum(net) FROM orders WHERE order_key <> 'it''s'").await, "5.0000");
    // No amount is asked for, and each booking fits.
    assert_eq!(world.row("SELECT count(*) FROM orders").await, "2");
    assert_eq!(world.row("SELECT count(*) FROM order_entries").await, "3");
    // 5 dollars a euro are more than fit.
    let euro = json!({"order_id": "euro", "revenue": half, "currency": "EUR"});
    load(&world, &[bought("m4", "02T00:00", euro)]).await;
    import_rates(&world, &[("2024-03-01", "EUR", RATE_ONE * 5)]).await;
    for table in ["order_entries", "orders"] {
        let amounts = if table == "orders" { "net_base" } else { "amount_base" };
        let refusal = world.refusal(&format!("SELECT sum({amounts}) FROM {table} WHERE order_key <> 'it''s'")).await;
        assert!(refusal.contains("WHERE order_key <> 'euro'"), "{refusal}");
        let others = format!("SELECT sum({amounts}) FROM {table} WHERE order_key NOT IN ('euro', 'it''s')");
        assert_eq!(world.row(&others).await, "5.0000");
    }
}

/// A shop's number that looks like a made-up name is not the order of what a stranger bought without a number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_no_made_up_names() {
    let world = loaded(&[bought("m1", "01T00:00", json!({"revenue": 10}))]).await;
    let made_up = world.row("SELECT order_id FROM orders").await;
    assert!(made_up.starts_with("day:2024-03-01:"), "{made_up}");
    let other = event("m2", "Order Completed", "u2", "01T00:00", json!({"order_id": made_up, "revenue": 20}));
    let nobodys = event("m3", "Order Completed", "", "02T00:00", json!({"revenue": 1}));
    let like_it = event("m4", "Order Completed", "u2", "02T00:00", json!({"order_id": "event:m3", "revenue": 2}));
    load(&world, &[other, nobodys, like_it]).await;
    let sql = "SELECT order_id, net FROM orders ORDER BY net";
    let expected = [
        "event:m3 1.0000".to_owned(),
        "\\event:m3 2.0000".to_owned(),
        format!("{made_up} 10.0000"),
        format!("\\{made_up} 20.0000"),
    ];
    assert_eq!(world.rows(sql).await, expected);
    assert_eq!(world.row("SELECT count(DISTINCT order_key) FROM order_entries").await, "4");
}
