//! What a load's notes say of orders of which an earlier load holds a part. The figures are counted by hand.

use convoke::jobs::{Compactor, Need};

use super::*;

async fn load_rows(world: &World, events: &[Value]) -> Vec<String> {
    load(world, events).await.notes
}

#[track_caller]
fn assert_only(notes: &[String], start: &str) {
    assert!(notes.len() == 1 && notes[0].starts_with(start), "{notes:?}");
}

fn sale(id: &str, number: &str, amount: i32) -> Value {
    bought(id, "01T00:00", json!({"order_id": number, "revenue": amount}))
}

fn refund(id: &str, number: &str, amount: i32) -> Value {
    refunded(id, "20T00:00", json!({"order_id": number, "revenue": amount}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_an_earlier_load_s_order_is_not_below_zero() {
    let world = world().await;
    assert!(load_rows(&world, &[sale("m1", "a", 100), sale("m2", "b", 50), sale("m3", "c", 10)]).await.is_empty());
    assert!(load_rows(&world, &[refund("m4", "a", 30), refund("m5", "b", 50)]).await.is_empty());
    // 100 - 30 - 80 = -10; c stays at 10, and d was never sold.
    let notes = load_rows(&world, &[refund("m6", "a", 80), refund("m7", "c", 0), refund("m8", "d", 1)]).await;
    assert_only(&notes, "2 orders are below 0");
    assert_eq!(world.row("SELECT count(*) FROM orders WHERE net < 0").await, "2");
    // The sale comes at last: nothing is below 0 any more, and nothing is said of orders that a load does not touch.
    assert!(load_rows(&world, &[sale("m9", "d", 5)]).await.is_empty());
    assert_eq!(world.row("SELECT count(*) FROM orders WHERE net < 0").await, "1");
    // By itself this load is above 0; with the others a is 100 - 30 - 80 + 5 = -5.
    assert_only(&load_rows(&world, &[sale("m10", "a", 5)]).await, "1 order is below 0");
}

/// After compaction and a restart the same rows stand in other files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earlier_loads_are_found_after_compaction_and_a_restart() {
    let world = world().await;
    load(&world, &[sale("m1", "a", 100), sale("m2", "b", 50)]).await;
    load(&world, &[refund("m3", "a", 90)]).await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let settings = Settings::defaults().unwrap();
    let compacted = Compactor::new(workspace, &settings.upkeep).run(Need::All).await.unwrap();
    assert!(compacted.files_before > compacted.files_after, "{compacted:?}");
    let folder = std::sync::Arc::clone(&world.folder);
    drop(world);
    let world = crate::harness::open(folder, settings, "UTC").await;
    assert!(load_rows(&world, &[refund("m4", "a", 10), refund("m5", "b", 50)]).await.is_empty());
    assert_only(&load_rows(&world, &[refund("m6", "a", 1)]).await, "1 order is below 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a8_a_number_of_two_loads_with_two_brands_or_persons() {
    let at = |id: &str, user: &str, time: &str, brand: Value| {
        event(id, "Order Completed", user, time, json!({"order_id": "1001", "revenue": 1, "brand": brand}))
    };
    let of = |id: &str, user: &str, brand: Value| at(id, user, "01T00:00", brand);
    let world = world().await;
    assert!(load_rows(&world, &[of("m1", "u1", json!("north"))]).await.is_empty());
    assert_only(
        &load_rows(&world, &[of("m2", "u2", json!("south"))]).await,
        "1 order number occurs with several brands",
    );
    let within = world_with(with("orders.order_key", "brand"), "UTC").await;
    for (id, user, brand) in [("m1", "u1", "north"), ("m2", "u2", "south"), ("m3", "u2", "east")] {
        let notes = load_rows(&within, &[of(id, user, json!(brand))]).await;
        assert!(notes.is_empty(), "{notes:?}");
    }
    assert_only(&load_rows(&within, &[of("m4", "u2", json!("south"))]).await, "1 of 1 purchase and refund rows");
    // Without brands the persons tell; two identifiers of one person are one.
    let persons = crate::harness::world().await;
    assert!(load_rows(&persons, &[of("m1", "u1", json!(null))]).await.is_empty());
    let mut cookie = at("m2", "", "02T00:00", json!(null));
    cookie["anonymousId"] = json!("c1");
    let login = json!({"messageId": "i1", "type": "identify", "userId": "u1", "anonymousId": "c1",
                       "timestamp": "2024-03-01T00:00:00Z"});
    assert!(load_rows(&persons, &[cookie, login]).await.is_empty());
    let told = load_rows(&persons, &[at("m3", "u2", "03T00:00", json!(null))]).await;
    assert_only(&told, "1 order has purchases of several persons");
    for part in ["`convoke workspace set convoke order_key=source`", "by --source at their load", "order_key=brand"] {
        assert!(told[0].contains(part), "{part}: {told:?}");
    }
    // Within a brand the command is no help: the rows need other brands.
    let told = load_rows(&within, &[at("m5", "u9", "05T00:00", json!("south"))]).await;
    assert_only(&told, "1 order has purchases of several persons");
    assert!(told[0].ends_with("the rows of each need a brand of their own"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_and_totals_are_those_of_all_loads() {
    let product = |price: Value| json!({"order_id": "a", "products": [{"product_id": "p", "price": price}]});
    let world = world().await;
    assert!(load_rows(&world, &[bought("m1", "01T00:00", product(json!(30)))]).await.is_empty());
    assert!(load_rows(&world, &[refunded("m2", "02T00:00", product(json!(null)))]).await.is_empty());
    assert_eq!(world.row(MONEY).await, "30.0000 -30.0000 0.0000");
    // A refund by the number alone takes what is left: nothing, and never below 0.
    assert!(load_rows(&world, &[refunded("m3", "03T00:00", json!({"order_id": "a"}))]).await.is_empty());
    let other = json!({"order_id": "a", "products": [{"product_id": "z"}]});
    assert_only(&load_rows(&world, &[refunded("m4", "04T00:00", other)]).await, "1 refunded product has no price");
}

/// Orders without a number are of a node and a local day, over loads, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_without_a_number_are_known_over_loads() {
    let world = world().await;
    let of = |id: &str, name: &str, time: &str, amount: i32| event(id, name, "u1", time, json!({"revenue": amount}));
    assert!(load_rows(&world, &[of("m1", "Order Completed", "01T09:00", 100)]).await.is_empty());
    assert!(load_rows(&world, &[of("m2", "Order Refunded", "01T10:00", 30)]).await.is_empty());
    let notes = load_rows(&world, &[of("m3", "Order Refunded", "02T10:00", 30)]).await;
    assert_only(&notes, "1 order is below 0");
    assert_eq!(world.rows("SELECT net FROM orders ORDER BY ts").await, ["70.0000", "-30.0000"]);
}

/// Bookings without an order number are counted as the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_bookings_without_a_rate_are_counted() {
    let world = world().await;
    let franc = |id: &str, user: &str, number: Value| {
        event(id, "Order Completed", user, "01T00:00", json!({"order_id": number, "revenue": 1, "currency": "CHF"}))
    };
    let none = || json!(null);
    let rows = [
        franc("m1", "u1", json!("a")),
        franc("m2", "u1", json!("b")),
        franc("m3", "u2", none()),
        franc("m4", "u2", none()),
        franc("m5", "", none()),
    ];
    assert_only(&load_rows(&world, &rows).await, "5 bookings have no exchange rate");
    assert_eq!(world.row("SELECT count(*) FROM order_entries WHERE amount_base IS NULL").await, "5");
}

/// A file of an earlier load that cannot be read is no reason to fail what is committed, nor to say what is not known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_looked_at_is_said() {
    let world = world().await;
    load(&world, &[sale("m1", "a", 100)]).await;
    let events = world.folder.path().join("convoke/events/month=2024-03");
    let files: Vec<_> = std::fs::read_dir(&events).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    std::fs::remove_file(&files[0]).unwrap();
    let notes = load_rows(&world, &[refund("m2", "a", 30)]).await;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("by the rows of this load alone: 1 order is below 0"), "{notes:?}");
    assert!(notes[1].starts_with("what earlier loads say of this load's order (1) was not looked at: "), "{notes:?}");
    assert!(notes[1].contains("convoke check"), "{notes:?}");
}

/// A line in the properties of an object is the line of a CSV row: 2 x 10 and 1 x 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_in_the_properties_is_a_line() {
    let line = |id: &str, product: &str, price: i32, pieces: i32| {
        json!({"messageId": id, "type": "track", "event": "Order Completed", "userId": "u1",
               "timestamp": "2024-03-01T00:00:00Z", "properties": {"order_id": "a", "product_id": product,
               "price": price, "quantity": pieces, "brand": "north", "channel": "web", "category": "Home/Kitchen"}})
    };
    let world = world().await;
    assert!(load_rows(&world, &[line("m1", "p", 10, 2), line("m2", "q", 5, 1)]).await.is_empty());
    assert_eq!(world.row("SELECT gross, items, brand, channel FROM orders").await, "25.0000 3.0000 north web");
    let items = "SELECT product_id, category[2], quantity, amount FROM order_items ORDER BY line";
    assert_eq!(world.rows(items).await, ["p Kitchen 2.0000 20.0000", "q Kitchen 1.0000 5.0000"]);
}

/// Money of events that are no purchases is in no order: the load says so, and the setting takes it in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_of_other_events_is_said() {
    let world = world().await;
    let of = |id: &str, name: &str| event(id, name, "u1", "01T00:00", json!({"order_id": id, "revenue": 5}));
    let mut nameless = of("m4", "");
    nameless["type"] = json!("identify");
    nameless["event"] = json!(null);
    let notes = load_rows(&world, &[of("m1", "Purchase"), of("m2", "ORDER COMPLETED"), nameless]).await;
    assert_only(&notes, "3 rows have a revenue, or an amount and the number or name of an order, but are in no order");
    for part in [
        "'ORDER COMPLETED' (1; the setting purchase_events has 'Order Completed')",
        "'Purchase' (1)",
        "type identify",
        "purchase_events",
    ] {
        assert!(notes[0].contains(part), "{part}: {notes:?}");
    }
    assert_eq!(world.row("SELECT count(*) FROM orders").await, "0");
    let folder = std::sync::Arc::clone(&world.folder);
    drop(world);
    let world = crate::harness::open(folder, with("orders.purchase_events", "Purchase,ORDER COMPLETED"), "UTC").await;
    assert_eq!(world.row("SELECT count(*), sum(net) FROM orders").await, "2 10.0000");
    assert!(load_rows(&world, &[of("m5", "Purchase")]).await.is_empty());
}

/// A file whose bad row was corrected, loaded whole: 3 of its 4 rows are there twice, and the sums say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_there_already_are_said_first() {
    let world = world().await;
    let line = |id: &str, number: &str, product: &str, amount: i32| {
        bought(id, "01T00:00", json!({"order_id": number, "product_id": product, "quantity": 2, "revenue": amount}))
    };
    let by_day = |id: &str, amount: i32| bought(id, "05T10:00", json!({"revenue": amount}));
    let first = [line("m1", "a", "p", 10), line("m2", "a", "q", 5), by_day("m3", 7)];
    assert!(load_rows(&world, &first).await.is_empty());
    assert_eq!(world.row("SELECT sum(net) FROM orders").await, "22.0000");
    // Other messages, since rows of a file are named by the file.
    let again = [line("n1", "a", "p", 10), line("n2", "a", "q", 5), by_day("n3", 7), line("n4", "b", "p", 10)];
    let notes = load_rows(&world, &again).await;
    assert_only(&notes, "3 of 4 purchase and refund rows of this load are there already, word for word, from earlier");
    for part in ["count twice now", "load the corrected rows alone", "`convoke workspace drop convoke`"] {
        assert!(notes[0].contains(part), "{part}: {notes:?}");
    }
    assert_eq!(world.row("SELECT sum(net) FROM orders").await, "54.0000", "22 + 22 + 10");
    // Each earlier row stands for one: of three equal ones two were there.
    let three = [line("o1", "a", "p", 10), line("o2", "a", "p", 10), line("o3", "a", "p", 10)];
    assert_only(&load_rows(&world, &three).await, "2 of 3 purchase and refund rows");
}

/// It goes before what else is to be said, and what says less than the same words is another row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_say_something_else_are_no_repetition() {
    let world = world().await;
    let row = |id: &str, user: &str, time: &str, mut more: Value| {
        more["order_id"] = json!("a");
        event(id, "Order Completed", user, time, more)
    };
    let words = || json!({"revenue": 10, "product_id": "p", "quantity": 1});
    assert!(load_rows(&world, &[row("m1", "u1", "01T00:00", words())]).await.is_empty());
    let others = [
        row("m2", "u1", "01T00:01", words()),
        row("m3", "u1", "01T00:00", json!({"revenue": 11, "product_id": "p", "quantity": 1})),
        row("m4", "u1", "01T00:00", json!({"revenue": 10, "product_id": "q", "quantity": 1})),
        row("m5", "u1", "01T00:00", json!({"revenue": 10, "product_id": "p", "quantity": 2})),
    ];
    for other in others {
        let notes = load_rows(&world, &[other]).await;
        assert!(notes.is_empty(), "{notes:?}");
    }
    // Equal rows of one load were written twice by whoever wrote it: each counts.
    let twins = [row("m6", "u1", "09T00:00", words()), row("m7", "u1", "09T00:00", words())];
    assert!(load_rows(&world, &twins).await.is_empty());
    let notes = load_rows(&world, &[row("m8", "u1", "01T00:00", words()), row("m9", "u2", "01T00:00", words())]).await;
    assert!(notes.len() == 2 && notes[0].starts_with("1 of 2 purchase and refund rows of this load is"), "{notes:?}");
    assert!(notes[1].starts_with("1 order has purchases of several persons"), "{notes:?}");
}

/// SQL.md 1: of refunds that say nothing of what is given back the first books the rest, and a line of before a statement
/// of the whole is replaced by it. Neither counts twice, however often it is loaded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_book_nothing_are_no_repetition() {
    let world = world().await;
    let cancelled = |id: &str| event(id, "Order Cancelled", "u1", "20T00:00", json!({"order_id": "a"}));
    let line =
        |id: &str| bought(id, "01T00:00", json!({"order_id": "b", "product_id": "p", "quantity": 1, "revenue": 10}));
    let whole = json!({"order_id": "b", "products": [{"product_id": "p", "price": 10, "quantity": 1}]});
    let whole = bought("w1", "02T00:00", whole);
    load_rows(&world, &[sale("m1", "a", 10), cancelled("r1"), line("l1"), whole]).await;
    let sums = "SELECT order_id, net FROM orders ORDER BY order_id";
    assert_eq!(world.rows(sums).await, SUMS);
    let notes = load_rows(&world, &[cancelled("r2"), line("l2")]).await;
    assert!(!notes.iter().any(|note| note.contains("word for word")), "{notes:?}");
    assert_eq!(world.rows(sums).await, SUMS);
}

const SUMS: [&str; 2] = ["a 0.0000", "b 10.0000"];

/// What states an order whole replaces what was stated before: sent again it counts once. A refund counts each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_stated_whole_again_do_not_count_twice() {
    let world = world().await;
    let whole = |id: &str| {
        let products = json!([{"product_id": "p", "price": 30}, {"product_id": "q", "price": 20}]);
        bought(id, "01T00:00", json!({"order_id": "a", "products": products}))
    };
    assert!(load_rows(&world, &[whole("m1"), refund("m2", "a", 4)]).await.is_empty());
    assert!(load_rows(&world, &[whole("m3")]).await.is_empty());
    assert_eq!(world.row(MONEY).await, "50.0000 -4.0000 46.0000");
    assert_only(&load_rows(&world, &[whole("m4"), refund("m5", "a", 4)]).await, "1 of 2 purchase and refund rows");
    assert_eq!(world.row(MONEY).await, "50.0000 -8.0000 42.0000");
}

/// A till whose receipts begin anew in each store: 10 + 20 are one order of the number 1 until the store is their source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_several_stores_are_told() {
    let receipt = |id: &str, store: &str, amount: i32| {
        let mut event = event(id, "Order Completed", "", "01T00:00", json!({"order_id": "1", "revenue": amount}));
        event["store_id"] = json!(store);
        event
    };
    let with_source = |id: &str, store: &str, amount: i32| {
        let mut event = receipt(id, store, amount);
        event["source"] = json!(store);
        event
    };
    let told = |notes: &[String]| notes.iter().find(|note| note.contains("several stores")).cloned();
    let world = world().await;
    assert_eq!(told(&load_rows(&world, &[receipt("m1", "B01", 10), receipt("m2", "B01", 5)]).await), None);
    let said = told(&load_rows(&world, &[receipt("m3", "M07", 20)]).await).unwrap();
    assert!(said.starts_with("1 order number occurs with several stores (store_id) and is one order"), "{said}");
    for part in ["`convoke workspace set convoke order_key=source`", "--map source=store_id,store_id=store_id"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(world.row("SELECT count(*), sum(net) FROM orders").await, "1 35.0000");
    let within = world_with(with("orders.order_key", "source"), "UTC").await;
    let apart = [with_source("m1", "B01", 10), with_source("m2", "M07", 20)];
    assert_eq!(told(&load_rows(&within, &apart).await), None);
    assert_eq!(within.rows("SELECT net FROM orders ORDER BY net").await, ["10.0000", "20.0000"]);
    let said = told(&load_rows(&within, &[receipt("m3", "B01", 1), receipt("m4", "M07", 2)]).await).unwrap();
    assert!(said.contains("each needs a source of its own"), "{said}");
    // Persons tell more than stores.
    let member = |id: &str, user: &str, store: &str| {
        event(id, "Order Completed", user, "01T00:00", json!({"order_id": "7", "revenue": 1, "store_id": store}))
    };
    let notes = load_rows(&world, &[member("m8", "u1", "B01"), member("m9", "u2", "M07")]).await;
    assert_only(&notes, "1 order has purchases of several persons");
}

/// Numbers that begin anew each month: 31 days apart they may be one order, a minute later they are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_come_again_after_a_month_are_told() {
    let receipt = |id: &str, user: &str, number: &str, timestamp: &str| {
        let mut event = event(id, "Order Completed", user, "01T00:00", json!({"order_id": number, "revenue": 1}));
        event["timestamp"] = json!(timestamp);
        event
    };
    let told = |notes: &[String]| notes.iter().find(|note| note.contains("31 days apart")).cloned();
    let world = world().await;
    let first = [receipt("m1", "", "1", "2024-03-01T00:00:00Z"), receipt("m2", "", "1", "2024-04-01T00:00:00Z")];
    assert_eq!(told(&load_rows(&world, &first).await), None);
    let said = told(&load_rows(&world, &[receipt("m3", "", "1", "2024-04-01T00:01:00Z")]).await).unwrap();
    assert!(
        said.starts_with("1 order number occurs in purchases without a person that lie more than 31 days"),
        "{said}"
    );
    assert!(said.ends_with("no setting tells them apart"), "{said}");
    // A refund comes when it comes, and one person may pay for one order month by month.
    let mut back = receipt("m4", "", "2", "2024-06-01T00:00:00Z");
    back["event"] = json!("Order Refunded");
    let known = ["2024-03-01T00:00:00Z", "2024-06-01T00:00:00Z"].map(|time| receipt(time, "u1", "3", time));
    let quiet = [receipt("m5", "", "2", "2024-03-01T00:00:00Z"), back].into_iter().chain(known).collect::<Vec<_>>();
    assert_eq!(told(&load_rows(&world, &quiet).await), None);
}

/// The same file with its members mapped: u1 and u2 were nobody the first time. Only what no file of the same orders would
/// say by chance is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_come_again_by_another_mapping_are_said() {
    let world = world().await;
    let row = |id: &str, user: &str, more: Value| {
        let mut properties = json!({"order_id": "a", "revenue": 10, "product_id": "p"});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event(id, "Order Completed", user, "01T00:00", properties)
    };
    let plain = || json!({});
    let rows =
        [row("m1", "", plain()), row("m2", "", json!({"order_id": "b"})), row("m3", "u1", json!({"order_id": "c"}))];
    load_rows(&world, &rows).await;
    let again = [
        row("n1", "u1", json!({"brand": "north"})),
        row("n2", "u2", json!({"order_id": "b"})),
        row("n3", "u1", json!({"order_id": "c"})),
    ];
    let notes = load_rows(&world, &again).await;
    let start = "3 of 3 purchase and refund rows of this load are there already, 1 word for word and 2 by order number, \
                 event, time and amount, though with other columns, as by another --map, from earlier loads, and count \
                 twice now";
    assert!(notes[0].starts_with(start), "{notes:?}");
    // Another product, brand or amount is another line; and each earlier row stands for one.
    let others = [
        row("o1", "u1", json!({"product_id": "q"})),
        row("o2", "u2", json!({"order_id": "c", "brand": "south", "quantity": 3, "revenue": 11})),
        row("o3", "u1", json!({"order_id": "d"})),
    ];
    let notes = load_rows(&world, &others).await;
    assert!(notes.iter().all(|note| !note.contains("there already")), "{notes:?}");
    let notes = load_rows(&world, &["o4", "o5", "o6"].map(|id| row(id, "u3", json!({"order_id": "d"})))).await;
    assert!(
        notes[0].starts_with("1 of 3 purchase and refund rows of this load is there already, by order"),
        "{notes:?}"
    );
}
