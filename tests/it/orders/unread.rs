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
