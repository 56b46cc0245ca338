//! What an event says and cannot be read, or cannot be added: NULL and told, never another number.

use super::*;

/// cases/README.md B12. Of order b the pieces of one product are not known: its price counts for nothing, 2 x 5 stand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quantity_that_is_no_number_is_null_and_counted() {
    let world = world().await;
    let products =
        json!([{"product_id": "p", "price": 10, "quantity": "3 pcs"}, {"product_id": "q", "price": 5, "quantity": 2}]);
    let summary = load(
        &world,
        &[
            bought("m1", "01T00:00", json!({"order_id": "a", "revenue": 40, "products": products})),
            bought("m2", "01T00:00", json!({"order_id": "b", "products": products})),
        ],
    )
    .await;
    assert_eq!(
        summary.notes,
        [
            "2 events have an amount, price or quantity that is no number: it counts as absent; the first is a product's \
          quantity '3 pcs', in message_id 'm1'"
        ]
    );
    // The amount that nothing accounts for is a row without a product, SQL.md 1.
    let items = "SELECT order_id, product_id, quantity, amount FROM order_items ORDER BY order_id, line";
    let expected =
        ["a p NULL NULL", "a q 2.0000 10.0000", "a NULL 0.0000 30.0000", "b p NULL NULL", "b q 2.0000 10.0000"];
    assert_eq!(world.rows(items).await, expected);
    let orders = "SELECT order_id, gross, items FROM orders ORDER BY order_id";
    assert_eq!(world.rows(orders).await, ["a 40.0000 2.0000", "b 10.0000 2.0000"]);
    // It is stored so: the same from files that were sorted anew.
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let upkeep = Settings::defaults().unwrap().upkeep;
    convoke::jobs::Compactor::new(workspace, &upkeep).run(convoke::jobs::Need::All).await.unwrap();
    assert_eq!(world.rows(items).await, expected);
}

/// The same of an event that is its own line, in the properties of an object: 3 pcs is not 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_s_own_quantity_that_is_no_number_is_null_and_counted() {
    let world = world().await;
    let line = |id: &str, properties: Value| {
        json!({"messageId": id, "type": "track", "event": "Order Completed", "userId": "u1",
               "timestamp": "2024-03-01T00:00:00Z", "properties": properties})
    };
    let stated = json!({"order_id": "a", "product_id": "p", "revenue": 30, "quantity": "3 pcs"});
    let priced = json!({"order_id": "b", "product_id": "p", "price": 10, "quantity": "3 pcs"});
    let known = json!({"order_id": "c", "product_id": "p", "price": 10, "quantity": "3"});
    let summary = load(&world, &[line("m1", stated), line("m2", priced), line("m3", known)]).await;
    assert_eq!(
        summary.notes,
        [
            "2 events have an amount, price or quantity that is no number: it counts as absent; the first is quantity '3 \
             pcs', in message_id 'm1'",
            "1 purchase event of this load says no amount: it counts as 0"
        ]
    );
    let items = "SELECT order_id, product_id, quantity, amount FROM order_items ORDER BY order_id, line";
    assert_eq!(world.rows(items).await, ["a p NULL 30.0000", "b p NULL 0.0000", "c p 3.0000 30.0000"]);
    let orders = "SELECT order_id, gross, items FROM orders ORDER BY order_id";
    assert_eq!(world.rows(orders).await, ["a 30.0000 0.0000", "b 0.0000 0.0000", "c 30.0000 3.0000"]);
}

/// A quantity of the event itself that is no number: the event is kept aside with its reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_with_such_a_quantity_of_its_own_is_rejected() {
    let world = world().await;
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    write!(file, "ts,event,order_id,product_id,revenue,quantity\n2024-03-01,Order Completed,a,p,30,3 pcs\n").unwrap();
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let summary = world.load_batches("one", reader.batches().collect()).await.unwrap();
    assert_eq!((summary.kept, summary.rejected), (0, 1));
    assert_eq!(
        summary.reasons,
        ["row 1: column 'quantity': '3 pcs' is not a decimal number: write digits and a point alone, such as 1234.56"]
    );
}

/// What programs write for no value identifies nobody and names no order: the load says how often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_identifiers_and_order_numbers_are_counted() {
    let world = world().await;
    let sale = |id: &str, user: &str, number: &str| {
        event(id, "Order Completed", user, "01T00:00", json!({"order_id": number, "revenue": 10}))
    };
    let nobody = load(&world, &[sale("m1", "(not set)", "N/A"), sale("m2", "unknown", "7")]).await;
    assert_eq!(nobody.notes.len(), 3, "{:?}", nobody.notes);
    assert_eq!(
        nobody.notes[..2],
        [
            "2 identifiers are values that identify nobody, such as '(not set)': they are left out",
            "1 order number is a value that names no order, 'N/A': its row has none"
        ]
    );
    assert!(nobody.notes[2].starts_with("no row has an identifier: "), "{:?}", nobody.notes);
    assert_eq!(world.row("SELECT count(*), count(person) FROM events").await, "2 0");
    let known = load(&world, &[sale("m3", "u1", "8"), sale("m4", "", "9"), sale("m5", "null", "10")]).await;
    assert_eq!(known.notes, ["1 identifier is a value that identifies nobody, 'null': it is left out"]);
    assert!(load(&world, &[sale("m6", "u1", "11")]).await.notes.is_empty());
}

/// A header's names in any case: 2 pieces at 10 are 20, as they are by `price`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_column_in_another_case_is_the_price() {
    let world = world().await;
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    write!(file, "Event,Order_ID,TS,User_ID,Product_ID,Price,Quantity\nOrder Completed,1,2024-03-01,u1,a,10,2\n")
        .unwrap();
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let summary = world.load_batches("one", reader.batches().collect()).await.unwrap();
    assert!(summary.notes.is_empty(), "{:?}", summary.notes);
    assert_eq!(world.row(ITEMS).await, "sale a 2.0000 20.0000");
    assert_eq!(world.row(MONEY).await, "20.0000 0.0000 20.0000");
    assert_eq!(world.row("SELECT properties ->> 'Price' FROM events").await, "10", "kept as it was written");
}

/// SQL.md 1, "Currency": gross and net of an order in two currencies are NULL; the load says what sum(net) leaves out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_a_sum_of_net_leaves_out_are_counted() {
    let world = world().await;
    let money = |number: &str, revenue: i64, currency: &str| json!({"order_id": number, "revenue": revenue, "currency": currency});
    let summary = load(
        &world,
        &[
            bought("m1", "01T00:00", money("a", 100, "USD")),
            bought("m2", "01T00:00", money("b", 50, "EUR")),
            refunded("m3", "02T00:00", money("b", 10, "USD")),
            refunded("m4", "02T00:00", money("a", 30, "USD")),
        ],
    )
    .await;
    assert_eq!(world.row("SELECT count(*), count(net), sum(net) FROM orders").await, "2 1 70.0000");
    let told =
        "1 order is sold or refunded in several currencies: its net is NULL and no part of sum(net), net_base has all";
    assert!(summary.notes.iter().any(|note| note == told), "{:?}", summary.notes);
}

/// SQL.md 1 says which keys of a product count: 2 x 1 + 2 x 1 of them, where 2 x 3 twice was meant. Each is named where its
/// product lacks what it looks like.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_products_that_only_look_like_one_that_counts_are_named() {
    let world = world().await;
    let products = json!([{"id": "a", "price": 2, "qty": 3}, {"productId": "b", "Price": "2", "Qty": 3}]);
    let summary = load(&world, &[bought("m1", "01T00:00", json!({"order_id": "a", "products": products}))]).await;
    assert_eq!(
        summary.notes,
        [
            "keys of products that look like one that counts and are not read as one: 'Qty' (to be read as quantity, name \
             it so), 'id' (to be read as product_id, name it so), 'productId' (to be read as product_id, name it so), \
             'qty' (to be read as quantity, name it so)"
        ]
    );
    assert_eq!(world.row("SELECT gross, items FROM orders").await, "4.0000 2.0000");
    // What a product says by the key that counts needs no other; what says nothing is not told; nor is a product seen.
    let plain = json!([
        {"product_id": "a", "id": 1, "price": 2, "unit_price": 2, "line_total": 6, "quantity": 3, "qty": 3},
        {"sku": "b", "total": 6, "unit_price": 2, "discount_amount": 1, "qty": null, "name": "B", "brand": "x"},
    ]);
    let seen = json!({"products": [{"id": "a", "qty": 3}]});
    let known = [
        bought("m2", "01T00:00", json!({"order_id": "b", "products": plain})),
        event("m3", "Product List Viewed", "u1", "01T00:00", seen),
    ];
    assert!(load(&world, &known).await.notes.is_empty());
    let priced = json!([{"product_id": "a", "unit_price": 2, "discount_amount": 1, "unit-cost": 1}]);
    let notes = load(&world, &[bought("m4", "01T00:00", json!({"order_id": "c", "line_items": priced}))]).await.notes;
    let said = notes.concat();
    for part in [
        "'unit_price' (to be read as price, name it so)",
        "'discount_amount' (to be read as discount, name it so)",
        "'unit-cost' (to be read as cost, name it so)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// The same of a cell of a CSV file, which holds the array as a text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_products_in_a_cell_are_named() {
    let world = world().await;
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    let cell = r#""[{""product_id"":""a"",""price"":2,""qty"":3}]""#;
    write!(file, "ts,event,order_id,products\n2024-03-01,Order Completed,a,{cell}\n").unwrap();
    let reader = FileReader::open(file.path(), ReadOptions::default()).unwrap();
    let summary = world.load_batches("one", reader.batches().collect()).await.unwrap();
    let said = summary.notes.concat();
    assert!(
        said.contains("keys of products that look like") && said.contains("'qty' (to be read as quantity"),
        "{said}"
    );
}

/// The price is there: what is not known are the pieces, those that come back or those that were sold. By hand: of a, whose
/// pieces are not known, nothing is refunded; of b 1 of 2 pieces of 20 together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_without_a_quantity_is_not_said_to_lack_a_price() {
    let note = "1 refunded product has a quantity that is no number, there or in its order: what it is worth is not known, \
                it refunds 0";
    let sold = |quantity: Value| json!([{"product_id": "a", "Price": "20", "Quantity": quantity}]);
    let back = |quantity: Value| json!([{"product_id": "a", "quantity": quantity}]);
    for (of_sale, of_refund) in
        [(json!("2 pcs"), json!("1 pcs")), (json!(2), json!("1 pcs")), (json!("2 pcs"), json!(1))]
    {
        let world = world().await;
        let events = [
            bought("m1", "01T00:00", json!({"order_id": "1", "products": sold(of_sale.clone())})),
            refunded("m2", "02T00:00", json!({"order_id": "1", "products": back(of_refund.clone())})),
        ];
        let notes = load(&world, &events).await.notes;
        assert!(notes.iter().any(|said| said == note), "{of_sale}, {of_refund}: {notes:?}");
        assert!(notes.iter().all(|said| !said.contains("no price")), "{of_sale}, {of_refund}: {notes:?}");
        assert_eq!(world.row("SELECT refund FROM orders").await, "0.0000");
    }
    let known = json!({"order_id": "2", "products": [{"product_id": "b", "price": 10, "quantity": 2}]});
    let unknown = json!({"order_id": "2", "products": [{"product_id": "b"}, {"product_id": "z"}]});
    let world = world().await;
    let notes = load(&world, &[bought("m3", "01T00:00", known), refunded("m4", "02T00:00", unknown)]).await.notes;
    assert_eq!(notes, ["1 refunded product has no price, nor has its order one: it refunds 0"]);
    assert_eq!(world.row("SELECT refund FROM orders").await, "-10.0000");
}

/// A message that stands twice in a file counts once: 10 of one and 10 of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_stand_twice_in_a_load_count_once() {
    let world = world().await;
    let line = |id: &str| bought(id, "01T00:00", json!({"order_id": "a", "revenue": 10}));
    let summary = load(&world, &[line("m1"), line("m1"), line("m2")]).await;
    assert_eq!((summary.kept, summary.duplicate, summary.notes.len()), (2, 1, 0), "{summary:?}");
    assert_eq!(world.row("SELECT sum(net) FROM orders").await, "20.0000");
    let whole = || bought("m3", "01T00:00", json!({"order_id": "b", "total": 10}));
    let summary = load(&world, &[whole(), whole(), line("m1")]).await;
    assert_eq!((summary.kept, summary.duplicate, summary.notes.len()), (1, 2, 0), "{summary:?}");
    assert_eq!(world.row("SELECT sum(net) FROM orders").await, "30.0000");
}

/// 0 of Unix in UTC and in Shanghai (16:00 of the day before), 0 of a spreadsheet in New York; no zone is 15 hours off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_that_stand_for_none_are_counted() {
    let world = world().await;
    let times = [
        ("a", "1970-01-01T00:00:00Z"),
        ("b", "1969-12-31T16:00:00Z"),
        ("c", "1900-01-01T05:00:00Z"),
        ("d", "1969-12-31T09:00:00Z"),
        ("e", "1970-01-02T00:00:00Z"),
    ];
    let events = times.map(|(id, time)| {
        let mut event = bought(id, "01T00:00", json!({"order_id": id, "revenue": 1}));
        event["timestamp"] = json!(time);
        event
    });
    let notes = load(&world, &events).await.notes;
    assert!(notes.len() == 1 && notes[0].starts_with("3 rows have a time of 1970-01-01 or 1900-01-01"), "{notes:?}");
}
