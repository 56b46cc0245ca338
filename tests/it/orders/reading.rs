//! What statements over orders read of the events: products where a refund takes a price from them, and nowhere else.

use super::*;
use crate::harness::open;

/// Statements of which no answer depends on a product that has its price. What is wide of an event is no part of them.
const SUMS: [&str; 4] = [
    "SELECT count(*), sum(net_base) FROM orders",
    "SELECT person, sum(net) FROM orders GROUP BY person",
    "SELECT sum(refund) FROM orders WHERE day >= '2024-03-01' AND net > -1000",
    "SELECT day, sum(amount_base) FROM order_entries GROUP BY day",
];

/// Those of the wide columns that the scan of the events gives.
async fn wide_columns(world: &World, sql: &str) -> Vec<&'static str> {
    let plan = world.rows(&format!("EXPLAIN {sql}")).await.join("\n");
    let scan = plan.lines().rfind(|line| line.contains("DataSourceExec")).expect("a scan of the events");
    assert!(scan.contains("order_id"), "{scan}");
    ["lacks_price", "product_id", "category", "products"].into_iter().filter(|column| scan.contains(column)).collect()
}

fn product(price: Value) -> Value {
    json!({"order_id": "a", "products": [{"product_id": "p", "category": "Home/Kitchen", "price": price, "quantity": 2}]})
}

/// What is looked at and put into a basket says no price, but takes none from an order.
fn looks() -> [Value; 2] {
    let mut looks = ["Product Viewed", "Product Added"]
        .map(|name| event(&format!("l{name}"), name, "u1", "01T00:00", json!({"product_id": "p"})));
    looks[1]["properties"] = json!({"products": [{"product_id": "q"}]});
    looks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_read_where_a_refund_lacks_a_price() {
    let world = loaded(&looks()).await;
    load(&world, &[bought("m1", "01T00:00", product(json!(30))), refunded("m2", "02T00:00", product(json!(5)))]).await;
    assert_eq!(world.row("SELECT count(*) FROM events WHERE product_id = 'p'").await, "2", "it is in its column");
    for sql in SUMS {
        assert!(wide_columns(&world, sql).await.is_empty(), "{sql}");
    }
    assert_eq!(world.row("SELECT sum(refund) FROM orders").await, "-10.0000");
    let one_piece = json!({"order_id": "a", "products": [{"product_id": "p"}]});
    load(&world, &[refunded("m3", "03T00:00", one_piece)]).await;
    for sql in SUMS {
        assert_eq!(wide_columns(&world, sql).await, ["lacks_price", "product_id", "products"], "{sql}");
    }
    // 2 x 30 was paid for two pieces: one is 30, and 10 were given back before.
    assert_eq!(world.row("SELECT gross, refund FROM orders").await, "60.0000 -40.0000");
    let entries = "SELECT amount FROM order_entries ORDER BY entry";
    assert_eq!(world.rows(entries).await, ["60.0000", "-10.0000", "-30.0000"]);
    // Of money nothing is asked: how many orders there are does not depend on it.
    for sql in ["SELECT count(*) FROM orders", "SELECT day, count(DISTINCT person) FROM orders GROUP BY day"] {
        assert!(wide_columns(&world, sql).await.is_empty(), "{sql}");
    }
    let items = "SELECT category[2], sum(amount) FROM order_items WHERE kind = 'sale' GROUP BY 1";
    assert_eq!(world.row(items).await, "Kitchen 60.0000");
}

/// The refund comes first, alone, and between others: the price is found when it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_finds_the_price_that_comes_later() {
    let world = loaded(&[refunded("m1", "02T00:00", json!({"order_id": "a", "product_id": "p", "quantity": 1}))]).await;
    assert_eq!(world.row(MONEY).await, "0.0000 0.0000 0.0000");
    load(&world, &looks()).await;
    load(&world, &[bought("m2", "01T00:00", product(json!("12.5")))]).await;
    assert_eq!(world.row(MONEY).await, "25.0000 -12.5000 12.5000");
}

/// Half a piece at 0.3333 is 0.1667; the price of a piece is what is stated, and not twice the rounded amount.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_takes_the_stated_price_of_a_piece() {
    let line = json!({"order_id": "a", "product_id": "p", "quantity": 0.5, "price": 0.3333});
    let back = json!({"order_id": "a", "product_id": "p", "quantity": 1});
    let world = loaded(&[bought("m1", "01T00:00", line), refunded("m2", "02T00:00", back)]).await;
    assert_eq!(world.row(MONEY).await, "0.1667 -0.3333 -0.1666");
    let amounts = ["0.1667", "-0.3333"];
    assert_eq!(world.rows("SELECT amount FROM order_entries ORDER BY entry").await, amounts);
    assert_eq!(world.rows("SELECT amount FROM order_items ORDER BY line").await, amounts);
    // Of products likewise: 0.5 x 0.3333 and 1 x 2.
    let products = json!([{"product_id": "p", "quantity": 0.5, "price": 0.3333}, {"product_id": "q", "price": 2}]);
    let two = json!([{"product_id": "p", "quantity": 2}, {"product_id": "q"}]);
    let world = loaded(&[
        bought("m1", "01T00:00", json!({"order_id": "a", "products": products})),
        refunded("m2", "02T00:00", json!({"order_id": "a", "products": two})),
    ])
    .await;
    assert_eq!(world.row(MONEY).await, "2.1667 -2.6666 -0.4999");
}

/// Which events are refunds may be said after they came: what was written with them does not decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_may_become_a_refund_later() {
    let one_piece = json!({"order_id": "a", "products": [{"product_id": "p"}]});
    let returned = event("m2", "Returned", "u1", "02T00:00", one_piece);
    let world = loaded(&[bought("m1", "01T00:00", product(json!(30))), returned]).await;
    assert_eq!(world.row(MONEY).await, "60.0000 0.0000 60.0000");
    assert!(wide_columns(&world, SUMS[0]).await.is_empty());
    let folder = std::sync::Arc::clone(&world.folder);
    drop(world);
    let world = open(folder, with("orders.refund_events", "Returned"), "UTC").await;
    assert_eq!(world.row(MONEY).await, "60.0000 -30.0000 30.0000");
    assert!(wide_columns(&world, SUMS[0]).await.contains(&"products"));
}

/// An order is one row: a column beside its key needs no aggregate, and joins over it keep their rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_named_by_its_key() {
    let line = |id: &str, number: &str, amount: i32| {
        bought(id, "01T00:00", json!({"order_id": number, "brand": "b", "revenue": amount}))
    };
    let events = [line("m1", "a", 1), line("m2", "a", 2), line("m3", "b", 3)];
    let world = loaded(&events).await;
    for key in ["order_id", "order_key"] {
        let sql = format!("SELECT {key}, net, count(*) FROM orders GROUP BY {key} ORDER BY {key}");
        assert_eq!(world.rows(&sql).await, ["a 3.0000 1", "b 3.0000 1"]);
    }
    let joined =
        "SELECT o.order_id, o.net, e.amount FROM orders o JOIN order_entries e USING (order_key) ORDER BY 1, 3";
    assert_eq!(world.rows(joined).await, ["a 3.0000 1.0000", "a 3.0000 2.0000", "b 3.0000 3.0000"]);
    let within = world_with(with("orders.order_key", "brand"), "UTC").await;
    load(&within, &events).await;
    let sql = "SELECT order_key, net FROM orders GROUP BY order_key ORDER BY 1";
    assert_eq!(within.rows(sql).await, ["b/a 3.0000", "b/b 3.0000"]);
}
