//! Orders, bookings and items as users load and ask them. The values are those of the worked cases of SQL.md 1, by hand.

mod beyond;
mod over_loads;
mod quantities;
mod reading;
mod unread;

use std::io::Write;

use convoke::ingest::LoadSummary;
use convoke::ingest::read::{FileReader, ReadOptions};
use convoke::settings::Settings;
use convoke::workspace::RuleChange;
use convoke::workspace::reference::{FxRates, RATE_ONE};
use serde_json::{Value, json};

use crate::harness::{World, world, world_with};

/// What an event says in columns of its own.
const COLUMNS: [&str; 5] = ["brand", "channel", "store_id", "product_id", "quantity"];

/// An event `name` of March 2024 at `time` ("05T10:00"); `properties` as a tracker sends them, and [`COLUMNS`].
fn event(id: &str, name: &str, user: &str, time: &str, mut properties: Value) -> Value {
    let mut event = json!({
        "messageId": id, "type": "track", "event": name, "timestamp": format!("2024-03-{time}:00Z"),
    });
    for column in COLUMNS {
        if let Some(value) = properties.as_object_mut().and_then(|properties| properties.remove(column)) {
            event[column] = value;
        }
    }
    event["properties"] = properties;
    if !user.is_empty() {
        event["userId"] = json!(user);
    }
    event
}

fn bought(id: &str, time: &str, properties: Value) -> Value {
    event(id, "Order Completed", "u1", time, properties)
}

fn refunded(id: &str, time: &str, properties: Value) -> Value {
    event(id, "Order Refunded", "u1", time, properties)
}

async fn load(world: &World, events: &[Value]) -> LoadSummary {
    let mut file = tempfile::Builder::new().suffix(".ndjson").tempfile().unwrap();
    for event in events {
        writeln!(file, "{event}").unwrap();
    }
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let hash = format!("{:?}", file.path());
    let summary = world.load_batches(&hash, reader.batches().collect()).await.unwrap();
    assert_eq!(summary.rejected, 0);
    summary
}

async fn loaded(events: &[Value]) -> World {
    let world = world().await;
    load(&world, events).await;
    world
}

fn with(key: &str, value: &str) -> Settings {
    Settings::load(None, std::iter::empty(), &[(key, value.to_owned())]).unwrap()
}

async fn import_rates(world: &World, rows: &[(&str, &str, i128)]) {
    let mut rates = FxRates { base: "USD".into(), ..Default::default() };
    for (day, currency, rate) in rows {
        let day = arrow::datatypes::Date32Type::from_naive_date(day.parse().unwrap());
        rates.rates.entry((*currency).to_owned()).or_default().insert(day, *rate);
    }
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let mut writer = workspace.writer().await.unwrap();
    writer.change_rules(RuleChange { fx_rates: Some(rates), ..Default::default() }).await.unwrap();
}

const MONEY: &str = "SELECT gross, refund, net FROM orders";
const ENTRIES: &str = "SELECT kind, day, amount FROM order_entries ORDER BY order_key, entry";
const ITEMS: &str = "SELECT kind, product_id, quantity, amount FROM order_items ORDER BY order_key, line";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a1_what_a_purchase_says_stands() {
    let desk = json!({"order_id": "W1", "revenue": 30, "brand": "a", "channel": "store", "store_id": "S01"});
    let world = loaded(&[
        event("m0", "Page Viewed", "cashier7", "01T00:00", json!({})),
        event("m1", "Order Refunded", "cashier7", "02T00:00", desk),
        event("m2", "Order Completed", "anna", "03T00:00", json!({"order_id": "W1", "revenue": 100, "brand": "b"})),
        event("m3", "Order Completed", "anna", "03T00:01", json!({"order_id": "W1", "revenue": 1, "channel": "web"})),
        event("m4", "Order Refunded", "cashier7", "04T00:00", json!({"order_id": "W2", "revenue": 5, "brand": "a"})),
    ])
    .await;
    let sql = "SELECT o.order_id, i.id_value, brand, channel, store_id, net FROM orders o
               JOIN identities i ON i.person = o.person ORDER BY order_id";
    // W2 has no purchase: then its refund tells.
    assert_eq!(world.rows(sql).await, ["W1 anna b web NULL 71.0000", "W2 cashier7 a NULL NULL -5.0000"]);
    let entries = "SELECT DISTINCT i.id_value, brand, channel, store_id FROM order_entries e
                   JOIN identities i ON i.person = e.person WHERE order_id = 'W1'";
    assert_eq!(world.row(entries).await, "anna b web NULL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a2_and_a15_amounts_are_found_where_they_are_said() {
    let products = json!([{"product_id": "a", "price": 12.5, "quantity": 2}]);
    let world = loaded(&[
        bought("m1", "01T00:00", json!({"order_id": "S1", "revenue": 25})),
        refunded("m2", "02T00:00", json!({"order_id": "S1", "total": 27.5, "products": products})),
        bought(
            "m3",
            "01T00:00",
            json!({"order_id": "S2", "total": "20.00", "products": [{"product_id": "b", "price": 20}]}),
        ),
        bought(
            "m4",
            "01T00:00",
            json!({"order_id": "S3", "value": 30, "line_items": [{"product_id": "c", "price": 30}]}),
        ),
        bought("m5", "01T00:00", json!({"order_id": "S4", "items": [{"product_id": "d", "price": 4, "discount": 1}]})),
        bought("m6", "01T00:00", json!({"order_id": "S5", "revenue": 9})),
        refunded("m7", "02T00:00", json!({"order_id": "S5"})),
    ])
    .await;
    assert_eq!(
        world.rows("SELECT order_id, gross, refund FROM orders ORDER BY 1").await,
        ["S1 25.0000 -27.5000", "S2 20.0000 0.0000", "S3 30.0000 0.0000", "S4 3.0000 0.0000", "S5 9.0000 -9.0000"]
    );
    let agree = "SELECT count(*) FROM orders o JOIN (SELECT order_id, sum(amount) AS sold FROM order_items
                 WHERE kind = 'sale' GROUP BY order_id) i ON i.order_id = o.order_id AND i.sold = o.gross";
    assert_eq!(world.row(agree).await, "5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_null_like_numbers_are_none() {
    let mut events: Vec<Value> = ["null", " N/A ", "0", "000-0", "unknown"]
        .iter()
        .enumerate()
        .map(|(at, number)| {
            let properties = json!({"order_id": number, "revenue": 10});
            event(&format!("m{at}"), "Order Completed", &format!("u{at}"), "01T00:00", properties)
        })
        .collect();
    // Blanks around a number are none of it.
    // A product's number is spelled as the column is.
    let product = json!({"order_id": "B1", "products": [{"product_id": 4711.0, "price": 2}]});
    events.push(event("m7", "Order Completed", "u8", "03T00:00", product));
    events.push(event("m8", "Order Completed", "u8", "01T00:00", json!({"order_id": "A1", "revenue": 1})));
    events.push(event("m9", "Order Completed", "u8", "02T00:00", json!({"order_id": " A1 ", "revenue": 1})));
    let world = loaded(&events).await;
    let sql =
        "SELECT count(*), count(DISTINCT person), count(*) FILTER (WHERE order_id LIKE 'day:2024-03-01:%') FROM orders";
    assert_eq!(world.row(sql).await, "7 6 5");
    assert_eq!(world.row("SELECT count(*) FROM events WHERE order_id IS NOT NULL").await, "3");
    assert_eq!(world.row("SELECT product_id FROM order_items WHERE order_id = 'B1'").await, "4711");
    assert_eq!(world.row("SELECT net FROM orders WHERE order_id = 'A1'").await, "2.0000");
}

fn two_brands() -> [Value; 5] {
    let of = |number: &str, brand: &str, amount: i32| json!({"order_id": number, "brand": brand, "revenue": amount});
    [
        event("m1", "Order Completed", "u1", "01T00:00", of("1001", "north", 100)),
        event("m2", "Order Completed", "u2", "01T00:00", of("1001", "south", 50)),
        event("m3", "Order Completed", "u1", "01T00:00", of("1002", "north", 10)),
        // The brand is told by the number alone where one brand has it.
        event("m4", "Order Refunded", "u1", "02T00:00", json!({"order_id": "1002", "revenue": 4})),
        event("m5", "Order Refunded", "u1", "02T00:00", json!({"order_id": "1001", "revenue": 7})),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a8_a_number_may_count_within_a_brand() {
    let world = world().await;
    let summary = load(&world, &two_brands()).await;
    assert!(summary.notes.iter().any(|note| note.starts_with("1 order number occurs with several brands")));
    let sql = "SELECT order_id, order_key, brand, gross, refund FROM orders ORDER BY order_key, brand";
    assert_eq!(world.rows(sql).await, ["1001 1001 north 150.0000 -7.0000", "1002 1002 north 10.0000 -4.0000"]);
    let world = world_with(with("orders.order_key", "brand"), "UTC").await;
    assert!(load(&world, &two_brands()).await.notes.iter().all(|note| !note.contains("brands")));
    assert_eq!(
        world.rows(sql).await,
        [
            "1001 1001 NULL 0.0000 -7.0000",
            "1001 north/1001 north 100.0000 0.0000",
            "1002 north/1002 north 10.0000 -4.0000",
            "1001 south/1001 south 50.0000 0.0000",
        ]
    );
    assert_eq!(world.row("SELECT count(DISTINCT order_key) = count(*) FROM orders").await, "true");
    let items = "SELECT order_key, sum(amount) FROM order_items GROUP BY 1 ORDER BY 1";
    assert_eq!(world.rows(items).await, ["north/1001 100.0000", "north/1002 10.0000", "south/1001 50.0000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a11_and_a34_currencies() {
    let line = |id: &str, number: &str, amount: i32, currency: &str| {
        bought(id, "01T00:00", json!({"order_id": number, "revenue": amount, "currency": currency}))
    };
    let world = loaded(&[
        line("m1", "A11", 100, "EUR"),
        line("m2", "A11", 100, "JPY"),
        line("m3", "A34", 100, "EUR"),
        refunded("m4", "10T00:00", json!({"order_id": "A34", "revenue": 100, "currency": "EUR"})),
        line("m5", "A34b", 100, "EUR"),
        refunded("m6", "01T00:00", json!({"order_id": "A34b", "revenue": 30})),
    ])
    .await;
    let yen = RATE_ONE / 1000 * 7;
    let (dear, cheap) = (RATE_ONE / 10 * 12, RATE_ONE / 10 * 11);
    import_rates(&world, &[("2024-03-01", "EUR", cheap), ("2024-03-10", "EUR", dear), ("2024-03-01", "JPY", yen)])
        .await;
    let sql = "SELECT order_id, currency, gross, refund, net, net_base FROM orders ORDER BY order_id";
    assert_eq!(
        world.rows(sql).await,
        [
            "A11 NULL NULL NULL NULL 110.7000",
            "A34 EUR 100.0000 -100.0000 0.0000 -10.0000",
            "A34b EUR 100.0000 -30.0000 70.0000 77.0000",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a13_and_a31_signs() {
    let line =
        |id: &str, number: &str, amount: Value| bought(id, "01T00:00", json!({"order_id": number, "revenue": amount}));
    let mixed =
        json!({"order_id": "c", "products": [{"product_id": "a", "price": 30}, {"product_id": "b", "price": -20}]});
    let world = loaded(&[
        line("m1", "a", json!(40)),
        line("m2", "a", json!("-15")),
        line("m3", "b", json!(-20)),
        bought("m4", "01T00:00", mixed),
        bought("m5", "01T00:00", json!({"order_id": "d", "revenue": 0, "total": 9})),
    ])
    .await;
    assert_eq!(
        world.rows(&format!("{MONEY} ORDER BY order_id")).await,
        ["40.0000 -15.0000 25.0000", "0.0000 -20.0000 -20.0000", "10.0000 0.0000 10.0000", "0.0000 0.0000 0.0000"]
    );
    assert_eq!(
        world.rows("SELECT kind, product_id, amount FROM order_items WHERE order_id = 'c' ORDER BY line").await,
        ["sale a 30.0000", "sale b -20.0000"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_a28_and_a29_whole_statements() {
    let again = json!({"order_id": "a", "revenue": 20, "products": [
        {"product_id": "p", "price": 5, "quantity": 2}, {"product_id": "q", "price": 10}]});
    let line = |id: &str, time: &str, amount: i32| bought(id, time, json!({"order_id": "b", "revenue": amount}));
    let one = |products: Value| json!({"order_id": "c", "products": products});
    let world = loaded(&[
        bought("m1", "01T00:00", again.clone()),
        bought("m2", "01T00:00", again),
        line("m3", "01T10:00", 40),
        line("m4", "01T10:01", 60),
        bought("m5", "01T10:05", json!({"order_id": "b", "total": 95})),
        line("m6", "01T11:00", 5),
        bought("m7", "01T10:00", one(json!([{"product_id": "a", "price": 20}, {"product_id": "b", "price": 30}]))),
        bought("m8", "01T12:00", one(json!([{"product_id": "c", "price": 45}]))),
    ])
    .await;
    assert_eq!(
        world.rows("SELECT order_id, gross, refund, net, items, ts FROM orders ORDER BY 1").await,
        [
            "a 20.0000 0.0000 20.0000 3.0000 2024-03-01T00:00:00Z",
            "b 100.0000 0.0000 100.0000 3.0000 2024-03-01T10:00:00Z",
            "c 45.0000 0.0000 45.0000 1.0000 2024-03-01T10:00:00Z",
        ]
    );
    let items = "SELECT product_id, quantity, amount FROM order_items WHERE order_id = 'c'";
    assert_eq!(world.row(items).await, "c 1.0000 45.0000");
    let of_lines = "SELECT sum(amount), sum(quantity), count(*) FROM order_items WHERE order_id = 'b'";
    assert_eq!(world.row(of_lines).await, "100.0000 3.0000 4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a18_a_rate_holds_for_some_days() {
    let days: Vec<Value> = (1..=31)
        .map(|day| {
            let properties = json!({"order_id": format!("o{day}"), "revenue": 100, "currency": "EUR"});
            bought(&format!("m{day}"), &format!("{day:02}T12:00"), properties)
        })
        .collect();
    // March 2024 began on a Friday: 21 working days, 10 days of weekends. 1.08 for a euro.
    let working: Vec<String> =
        (1..=31_i32).filter(|day| !matches!((day + 4) % 7, 6 | 0)).map(|day| format!("2024-03-{day:02}")).collect();
    assert_eq!(working.len(), 21);
    let rows: Vec<(&str, &str, i128)> = working.iter().map(|day| (day.as_str(), "EUR", RATE_ONE / 100 * 108)).collect();
    for (age, expected) in [("7", "31 3348.0000"), ("0", "21 2268.0000"), ("1", "26 2808.0000")] {
        let world = world_with(with("orders.fx_max_age_days", age), "UTC").await;
        load(&world, &days).await;
        import_rates(&world, &rows).await;
        assert_eq!(world.row("SELECT count(net_base), sum(net_base) FROM orders").await, expected, "{age} days");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a19_to_a26_refunds() {
    let sale = |id: &str, number: &str| bought(id, "01T00:00", json!({"order_id": number, "revenue": 100}));
    let back = |id: &str, day: &str, number: &str, amount: i32| {
        refunded(id, &format!("{day}T00:00"), json!({"order_id": number, "revenue": amount}))
    };
    let cancelled = |id: &str, day: &str, number: &str| {
        event(id, "Order Cancelled", "u1", &format!("{day}T00:00"), json!({"order_id": number}))
    };
    let priced = json!({"order_id": "f", "products": [
        {"product_id": "a", "price": 20, "quantity": 2}, {"product_id": "b", "price": 10}]});
    let world = world().await;
    let summary = load(
        &world,
        &[
            back("r1", "09", "a", 30),
            cancelled("r2", "05", "a"),
            sale("m1", "a"),
            sale("m2", "b"),
            cancelled("r3", "02", "b"),
            cancelled("r4", "03", "b"),
            sale("m3", "c"),
            back("r5", "02", "c", 70),
            back("r6", "02", "c", 70),
            cancelled("r7", "03", "c"),
            bought("m6", "01T00:00", priced),
            refunded("r8", "02T00:00", json!({"order_id": "f", "products": [{"product_id": "a", "quantity": 1}]})),
            refunded("r9", "03T00:00", json!({"order_id": "f", "products": [{"product_id": "z"}]})),
        ],
    )
    .await;
    assert_eq!(
        world.rows("SELECT order_id, gross, refund, net FROM orders ORDER BY 1").await,
        [
            "a 100.0000 -100.0000 0.0000",
            "b 100.0000 -100.0000 0.0000",
            "c 100.0000 -140.0000 -40.0000",
            "f 50.0000 -20.0000 30.0000",
        ]
    );
    assert_eq!(
        world.rows(ENTRIES).await[..6],
        [
            "sale 2024-03-01 100.0000",
            "refund 2024-03-05 -70.0000",
            "refund 2024-03-09 -30.0000",
            "sale 2024-03-01 100.0000",
            "refund 2024-03-02 -100.0000",
            "refund 2024-03-03 0.0000",
        ]
    );
    assert_eq!(
        world
            .rows("SELECT kind, product_id, quantity, amount FROM order_items WHERE order_id = 'f' ORDER BY line")
            .await,
        ["sale a 2.0000 40.0000", "sale b 1.0000 10.0000", "refund a -1.0000 -20.0000", "refund z -1.0000 0.0000"]
    );
    let has = |start: &str| summary.notes.iter().any(|note| note.starts_with(start));
    assert!(has("1 order is below 0") && has("1 refunded product has no price"), "{:?}", summary.notes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a21_and_a33_orders_without_a_number_are_of_one_node_and_day() {
    let sale = |id: &str, who: Value, time: &str, properties: Value| {
        let mut event = event(id, "Order Completed", "", time, properties);
        if let (Some(event), Value::Object(who)) = (event.as_object_mut(), who) {
            event.extend(who);
        }
        event
    };
    let products = |amount: i32| json!({"products": [{"product_id": "p", "price": amount}]});
    let world = loaded(&[
        sale("m1", json!({"anonymousId": "c1"}), "01T09:00", json!({"revenue": 10})),
        sale("m2", json!({"anonymousId": "c2"}), "01T10:00", json!({"revenue": 20})),
        sale("m3", json!({"userId": "u1"}), "02T09:00", products(20)),
        sale("m4", json!({"userId": "u1"}), "02T18:00", products(30)),
        sale("m5", json!({}), "03T00:00", json!({"revenue": 1})),
        sale("m6", json!({}), "03T00:00", json!({"revenue": 2})),
    ])
    .await;
    let sql = "SELECT order_id, net FROM orders ORDER BY ts, net";
    let before = world.rows(sql).await;
    let nets: Vec<&str> = before.iter().filter_map(|row| row.split(' ').next_back()).collect();
    assert_eq!(nets, ["10.0000", "20.0000", "50.0000", "1.0000", "2.0000"]);
    let persons = "SELECT count(DISTINCT person) FROM orders";
    assert_eq!(world.row(persons).await, "3");
    let login = |id: &str, cookie: &str| {
        json!({"messageId": id, "type": "identify", "userId": "u9", "anonymousId": cookie,
                                                "timestamp": "2024-03-04T00:00:00Z"})
    };
    load(&world, &[login("i1", "c1"), login("i2", "c2")]).await;
    assert_eq!(world.rows(sql).await, before, "a merge changes persons alone");
    assert_eq!(world.row(persons).await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a30_lines_of_a_file_add_up() {
    let line = |id: &str, number: &str, product: &str, price: i32, pieces: i32, total: i32| {
        let properties =
            json!({"order_id": number, "product_id": product, "price": price, "quantity": pieces, "total": total});
        bought(id, "01T00:00", properties)
    };
    let world = world().await;
    let clean = load(&world, &[line("m1", "a", "a", 10, 2, 20), line("m2", "a", "b", 5, 1, 5)]).await;
    assert!(clean.notes.is_empty(), "{:?}", clean.notes);
    let shop = load(&world, &[line("m3", "b", "a", 10, 2, 28), line("m4", "b", "b", 5, 1, 28)]).await;
    assert!(shop.notes.iter().any(|note| note.starts_with("1 order whose lines name a total")), "{:?}", shop.notes);
    assert_eq!(world.rows("SELECT gross FROM orders ORDER BY order_id").await, ["25.0000", "25.0000"]);
    assert_eq!(world.rows(ITEMS).await[..2], ["sale a 2.0000 20.0000", "sale b 1.0000 5.0000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a35_entries_are_rounded_and_then_added() {
    let yen = |id: &str| bought(id, "01T00:00", json!({"order_id": "y", "revenue": 1, "currency": "JPY"}));
    let more = json!({"order_id": "x", "revenue": 110, "products": [{"product_id": "a", "price": 100}]});
    let world = loaded(&[yen("m1"), yen("m2"), yen("m3"), bought("m4", "01T00:00", more)]).await;
    import_rates(&world, &[("2024-03-01", "JPY", RATE_ONE / 100_000 * 645)]).await;
    assert_eq!(
        world.rows("SELECT amount_base FROM order_entries WHERE order_id = 'y'").await,
        ["0.0065", "0.0065", "0.0065"]
    );
    assert_eq!(world.row("SELECT net_base FROM orders WHERE order_id = 'y'").await, "0.0195");
    assert_eq!(
        world.rows("SELECT product_id, quantity, amount FROM order_items WHERE order_id = 'x' ORDER BY line").await,
        ["a 1.0000 100.0000", "NULL 0.0000 10.0000"]
    );
}

/// The order of arrival, and in how many loads, changes nothing; nor do filters, single columns and their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrival_and_the_columns_that_are_read_change_nothing() {
    let mut events = Vec::new();
    for at in 0..300 {
        let (number, day) = (at % 40, 1 + at % 28);
        let properties = match at % 5 {
            0 => {
                json!({"order_id": format!("o{number}"), "products": [{"product_id": "p", "price": at, "quantity": 2}],
                        "brand": format!("b{}", at % 3)})
            }
            1 => json!({"order_id": format!("o{number}"), "revenue": at, "channel": format!("c{}", at % 4)}),
            2 => json!({"order_id": format!("o{number}"), "products": [{"product_id": "p"}]}),
            3 => json!({"order_id": format!("o{number}")}),
            _ => json!({"revenue": 1}),
        };
        let name = if (2..4).contains(&(at % 5)) { "Order Refunded" } else { "Order Completed" };
        events.push(event(&format!("m{at:03}"), name, &format!("u{}", at % 7), &format!("{day:02}T00:00"), properties));
    }
    let all = "SELECT order_id, ts, day, brand, channel, gross, refund, net, net_base, items FROM orders
               WHERE order_id LIKE 'o%' ORDER BY order_id";
    let one = loaded(&events).await;
    let expected = one.rows(all).await;
    // Of the 40 numbers every fifth only comes with an event that does not name it.
    assert_eq!(expected.len(), 32);
    let other = world().await;
    events.reverse();
    // What is received later within one load is received at one moment; the ids decide.
    load(&other, &events).await;
    assert_eq!(other.rows(all).await, expected);
    let sums = "SELECT sum(gross), sum(refund), sum(net), sum(net_base), sum(items) FROM orders";
    let of_entries = "SELECT sum(amount) FILTER (WHERE kind = 'sale'), sum(amount) FILTER (WHERE kind = 'refund'),
                      sum(amount), sum(amount_base), (SELECT sum(quantity) FROM order_items WHERE kind = 'sale')
                      FROM order_entries";
    assert_eq!(one.row(sums).await, one.row(of_entries).await);
    let of_items = "SELECT sum(amount) FROM order_items WHERE kind = 'sale'";
    assert_eq!(one.row(of_items).await, one.row("SELECT sum(gross) FROM orders").await);
    for column in ["brand", "channel", "net", "ts", "day", "items"] {
        let alone = one.rows(&format!("SELECT {column} FROM orders WHERE order_id = 'o7'")).await;
        let beside = one.rows(&format!("SELECT {column} FROM (SELECT * FROM orders) WHERE order_id = 'o7'")).await;
        assert_eq!(alone, beside);
    }
}
