//! One person's events: the same rows as without the index, out of few pages.

use convoke::settings::Settings;

use super::*;
use crate::harness::{open, world};

/// The rows of a person found without a constant that an index could use.
async fn slowly(world: &World, person: &str) -> Vec<String> {
    let sql = format!("SELECT message_id FROM events WHERE abs(person) = {person} ORDER BY 1");
    world.rows(&sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_the_same_rows_by_the_index() {
    let world = world().await;
    load_some(&world, 3, 400).await;
    for compacted in [false, true] {
        if compacted {
            compact(&world).await;
        }
        for user in ["u0", "u3", "u9"] {
            let person = world.row(&format!("SELECT person FROM identities WHERE id_value = '{user}'")).await;
            let expected = slowly(&world, &person).await;
            assert!(expected.len() > 50, "{}", expected.len());
            for sql in [
                format!("SELECT message_id FROM events WHERE person = {person} ORDER BY 1"),
                format!("SELECT message_id FROM events WHERE {person} = person AND ts >= '2020-01-01' ORDER BY 1"),
                format!("SELECT message_id FROM events WHERE person IN ({person}) ORDER BY 1"),
                format!("SELECT message_id FROM person_timeline('user_id', '{user}') ORDER BY 1"),
            ] {
                assert_eq!(world.rows(&sql).await, expected, "{sql}");
            }
        }
    }
    assert_eq!(world.row("SELECT count(*) FROM events WHERE person = 4711").await, "0");
    assert_eq!(world.row("SELECT count(*) FROM events WHERE person = -1").await, "0");
    let two = world.row("SELECT count(*) FROM events WHERE person = 1 OR person = 2").await;
    assert_eq!(two, world.row("SELECT count(*) FROM events WHERE abs(person) IN (1, 2)").await);
    let others = world.row("SELECT count(*) FROM events WHERE NOT (person = 1)").await;
    assert_eq!(others, world.row("SELECT count(*) FROM events WHERE abs(person) <> 1").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_after_compaction_joins_both_timelines() {
    let world = world().await;
    load_some(&world, 2, 200).await;
    compact(&world).await;
    let count = |user: &str| format!("SELECT count(*) FROM person_timeline('user_id', '{user}')");
    let (one, two): (usize, usize) =
        (world.row(&count("u1")).await.parse().unwrap(), world.row(&count("u2")).await.parse().unwrap());
    let link = |user| InputRow { anonymous_id: Some("browser"), ..seen(user) };
    world.load("links", &[link("u1"), link("u2")]).await;
    for user in ["u1", "u2"] {
        assert_eq!(world.row(&count(user)).await, (one + two + 2).to_string());
    }
}

fn seen(user: &str) -> InputRow<'_> {
    InputRow { ts: at("2024-02-20T00:00:00Z"), user_id: Some(user), event: Some("seen"), ..Default::default() }
}

/// Bytes that a statement read of the files, out of the metrics of its plan.
async fn pages_read(world: &World, sql: &str) -> usize {
    let plan = world.rows(&format!("EXPLAIN ANALYZE {sql}")).await.join("\n");
    let scan = plan.split("bytes_scanned=").nth(1).unwrap_or_else(|| panic!("{plan}"));
    let number: String = scan.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let unit = if scan[number.len()..].trim_start().starts_with('K') {
        1_000.0
    } else if scan[number.len()..].trim_start().starts_with('M') {
        1e6
    } else {
        1.0
    };
    (number.parse::<f64>().unwrap() * unit) as usize
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_persons_costs_few_pages() {
    let world = world().await;
    let mut builder = convoke::ingest::input::InputBuilder::default();
    for row in 0..40_000_i64 {
        let user = format!("u{}", row * 7_919 % 10_000);
        let ts = at("2024-01-01T00:00:00Z").map(|start| start + row * 1_000_000);
        builder.push(&InputRow { ts, user_id: Some(&user), event: Some("seen"), ..Default::default() });
    }
    world.load_batches("many", vec![builder.finish()]).await.unwrap();
    compact(&world).await;
    let whole = pages_read(&world, "SELECT message_id, ts, person FROM events").await;
    let indexed = pages_read(&world, "SELECT message_id, ts, person FROM events WHERE person = 5000").await;
    assert!(indexed * 5 < whole, "{indexed} of {whole} bytes");
    assert_eq!(world.row("SELECT count(*) FROM events WHERE person = 5000").await, "4");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_may_be_calls() {
    let world = world().await;
    world.load("a", &[seen("u1")]).await;
    let sql = "SELECT count(*) FROM person_timeline(lower('USER_ID'), concat('u', '1'))";
    assert_eq!(world.row(sql).await, "1");
    let message = world.refusal("SELECT * FROM events e, person_timeline('user_id', e.user_id)").await;
    assert!(!message.is_empty());
    let reopened = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    let session = convoke::query::SessionOptions::default();
    let values = vec![datafusion::common::ScalarValue::from("U1")];
    let rows = reopened
        .query_with("SELECT count(*) FROM person_timeline('user_id', lower(?))", &session, values)
        .await
        .unwrap();
    assert_eq!(crate::harness::texts(&rows), ["1"]);
}
