//! The synthetic shop, loaded and asked by SQL: every figure must be the one of the generator's truth table, which is
//! counted from the plan without any of the engine's code.

use convoke::settings::Settings;
use convoke::shop::{Shop, Truth};

use crate::harness::{World, world_with};

const PERSONS: u32 = 2_000;

async fn loaded() -> (World, Truth) {
    let settings = Settings::load(None, std::iter::empty(), &[("orders.base_currency", "CNY".into())]).unwrap();
    let world = world_with(settings, "UTC").await;
    let shop = Shop::new(PERSONS);
    let summary = world.load_batches("shop", shop.batches().collect()).await.unwrap();
    let truth: Truth = serde_json::from_str(include_str!("../data/shop_truth_2000.json")).unwrap();
    assert_eq!((summary.kept, summary.rejected), (truth.events, 0));
    (world, truth)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_base_is_counted_after_stitching() {
    let (world, truth) = loaded().await;
    let counted = world
        .row(
            "SELECT count(*), count(*) FILTER (WHERE known), sum(identifier_count), max(identifier_count) FROM persons",
        )
        .await;
    assert_eq!(
        counted,
        format!("{} {} {} {}", truth.persons, truth.known, truth.identifiers, truth.largest_person_identifiers)
    );
    let stitched = "SELECT count(*) FROM (SELECT person FROM identities WHERE id_type = 'anonymous_id'
                    GROUP BY person HAVING count(*) > 1)";
    assert_eq!(world.row(stitched).await, truth.stitched_persons.to_string());
    assert_eq!(
        world.row("SELECT count(*), count(*) FILTER (WHERE person IS NULL) FROM events").await,
        format!("{} {}", truth.events, truth.events_without_identifier)
    );
    let activity = world.row("SELECT sum(event_count), count(first_seen) FROM persons").await;
    let with_person = truth.events - truth.events_without_identifier;
    assert_eq!(activity, format!("{with_person} {}", truth.persons));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_counted_by_type_name_and_source() {
    let (world, truth) = loaded().await;
    for (column, expected) in
        [("type", &truth.events_by_type), ("event", &truth.events_by_name), ("source", &truth.events_by_source)]
    {
        let sql = format!(
            "SELECT concat({column}, '=', n) AS line FROM (SELECT {column}, count(*) AS n FROM events WHERE {column} IS NOT NULL GROUP BY {column}) ORDER BY line"
        );
        let mut expected: Vec<String> = expected.iter().map(|(name, count)| format!("{name}={count}")).collect();
        expected.sort();
        assert_eq!(world.rows(&sql).await, expected);
    }
    let catalog = "SELECT count(*) FROM event_catalog WHERE property IS NULL AND event IN
                   (SELECT event FROM events WHERE event IS NOT NULL)";
    assert_eq!(world.row(catalog).await, truth.events_by_name.len().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_sum_up_to_the_cent() {
    let (world, truth) = loaded().await;
    let money = |text: &str| format!("{text}00");
    assert_eq!(
        world.row("SELECT count(*), sum(gross), -sum(refund), sum(net), sum(cost), sum(net_base) FROM orders").await,
        format!(
            "{} {} {} {} {} {}",
            truth.orders,
            money(&truth.gross),
            money(&truth.refund),
            money(&truth.net),
            money(&truth.cost),
            money(&truth.net)
        )
    );
    assert_eq!(
        world
            .row(
                "SELECT count(*) FILTER (WHERE person IS NULL), count(*) FILTER (WHERE gross = 0),
                        count(*) FILTER (WHERE refund < 0) FROM orders"
            )
            .await,
        format!("{} {} {}", truth.orders_without_person, truth.zero_value_orders, truth.refunds)
    );
    let buyers = "SELECT count(*), count(*) FILTER (WHERE n = 1)
                  FROM (SELECT person, count(*) AS n FROM orders WHERE person IS NOT NULL GROUP BY person)";
    assert_eq!(world.row(buyers).await, format!("{} {}", truth.buyers, truth.one_time_buyers));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brands_months_and_categories_add_up() {
    let (world, truth) = loaded().await;
    let by_month = world
        .rows("SELECT brand, substr(CAST(day AS TEXT), 1, 7), sum(net) FROM orders GROUP BY 1, 2 ORDER BY 1, 2")
        .await;
    let expected: Vec<String> = truth
        .net_by_brand_and_month
        .iter()
        .flat_map(|(brand, months)| months.iter().map(move |(month, net)| format!("{brand} {month} {net}00")))
        .collect();
    assert_eq!(by_month, expected);
    let categories = world.rows("SELECT category[1], sum(amount) FROM order_items GROUP BY 1 ORDER BY 2 DESC").await;
    let expected: Vec<String> =
        truth.top_categories.iter().map(|top| format!("{} {}00", top.category, top.revenue)).collect();
    assert_eq!(categories, expected);
    // Lines reconcile with orders: amounts with gross, pieces with items.
    assert_eq!(
        world.row("SELECT sum(amount), sum(quantity) FROM order_items").await,
        world.row("SELECT sum(gross), sum(items) FROM orders").await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_holds_all_identifiers_of_the_person() {
    let (world, _) = loaded().await;
    let user = Shop::new(PERSONS).example_user_id().unwrap();
    let person =
        world.row(&format!("SELECT person FROM identities WHERE id_type = 'user_id' AND id_value = '{user}'")).await;
    let timeline = world
        .rows(&format!("SELECT message_id FROM person_timeline('user_id', '{user}') ORDER BY ts, message_id"))
        .await;
    let events =
        world.rows(&format!("SELECT message_id FROM events WHERE person = {person} ORDER BY ts, message_id")).await;
    assert!(timeline.len() > 10);
    assert_eq!(timeline, events);
    let cookies = world
        .row(&format!(
            "SELECT count(DISTINCT anonymous_id) FROM events WHERE person = {person} AND anonymous_id IS NOT NULL"
        ))
        .await;
    assert!(cookies.parse::<u32>().unwrap() >= 2, "the example was stitched from {cookies} cookies");
}
