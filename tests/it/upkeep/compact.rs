//! Compaction: the same rows in the promised order, once, beside loads and queries.

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use convoke::error::Kind;
use convoke::ingest::input::InputBuilder;
use convoke::jobs::{Compactor, Need};
use convoke::settings::Settings;
use convoke::store::events::schema;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::harness::world;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_stay_and_small_files_are_joined() {
    let world = world().await;
    load_some(&world, 5, 60).await;
    let before = world.rows(EVERYTHING).await;
    assert_eq!((before.len(), data_files(&world).len()), (300, 10));
    let done = compact(&world).await;
    assert_eq!((done.months, done.rows, done.files_before, done.files_after), (2, 300, 10, 2));
    assert_eq!(world.rows(EVERYTHING).await, before);
    let again = reopened(&world).await;
    assert_eq!(again.snapshot().events.files.len(), 2);
    assert_eq!(again.snapshot().loads().count(), 5, "the loads are remembered");
    let loads_again = compact(&world).await;
    assert_eq!(loads_again.months, 0, "a month that is one sorted run is left alone");
    load_some(&world, 5, 60).await;
    assert_eq!(world.row("SELECT count(*) FROM events").await, "300", "the same content is still loaded once");
}

/// (node, ts, message_id) of all rows of a file, NULL nodes as the largest.
fn keys(path: &Path) -> Vec<(i64, i64, String)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut keys = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let node = batch["node"].as_primitive::<Int64Type>();
        let ts = batch["ts"].as_primitive::<TimestampMicrosecondType>();
        let id = batch["message_id"].as_string::<i32>();
        keys.extend(
            (0..batch.num_rows()).map(|row| {
                (node.iter().nth(row).unwrap().unwrap_or(i64::MAX), ts.value(row), id.value(row).to_owned())
            }),
        );
    }
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_in_order_of_node_time_and_id_over_all_its_files() {
    let world = world().await;
    load_some(&world, 3, 400).await;
    // Files of one batch each.
    compact_with(&world, &[("upkeep.file_size", "1".to_owned())]).await;
    let live = workspace(&world).await.snapshot();
    for month in ["2024-01", "2024-02"] {
        let files = live.events.files.iter().filter(|file| schema::month_of(file) == month);
        let found: Vec<_> = files.flat_map(|file| keys(&folder(&world).join("events").join(&file.path))).collect();
        assert_eq!(found.len(), 600);
        assert!(found.is_sorted(), "month {month}");
        assert!(found.last().unwrap().0 == i64::MAX && found[0].0 == 0, "NULL nodes come last");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_grew_is_compacted_again_alone() {
    let world = world().await;
    load_some(&world, 2, 20).await;
    compact(&world).await;
    let row =
        InputRow { ts: at("2024-02-03T00:00:00Z"), user_id: Some("u1"), event: Some("seen"), ..Default::default() };
    world.load("late", &[row]).await;
    let done = compact(&world).await;
    assert_eq!((done.months, done.rows, done.files_before, done.files_after), (1, 21, 2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_and_queries_go_on() {
    let world = world().await;
    load_some(&world, 4, 100).await;
    let workspace = workspace(&world).await;
    let settings = Settings::defaults().unwrap();
    let compacting = tokio::spawn(async move {
        let mut months = 0;
        for _ in 0..12 {
            months += Compactor::new(Arc::clone(&workspace), &settings.upkeep).run(Need::All).await.unwrap().months;
        }
        months
    });
    let mut expected = 400;
    for load in 0..12 {
        let mut builder = InputBuilder::default();
        for day in 1..=9 {
            let ts = format!("2024-01-{day:02}T{load:02}:30:00Z");
            builder.push(&InputRow { ts: at(&ts), user_id: Some("new"), event: Some("seen"), ..Default::default() });
        }
        world.load_batches(&format!("more-{load}"), vec![builder.finish()]).await.unwrap();
        expected += 9;
        let counted = world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await;
        assert_eq!(counted, format!("{expected} {expected}"));
    }
    assert!(compacting.await.unwrap() >= 2, "it must have compacted");
    compact(&world).await;
    assert_eq!(world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await, "508 508");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_went_meanwhile_are_a_conflict_and_nothing_is_lost() {
    let world = world().await;
    load_some(&world, 2, 20).await;
    let workspace = workspace(&world).await;
    let old = workspace.snapshot();
    compact(&world).await;
    let mut writer = workspace.writer().await.unwrap();
    let error = writer.replace_files(&old.events.files, Vec::new(), 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(world.row("SELECT count(*) FROM events").await, "40");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_planned_before_reads_on() {
    use convoke::query::SessionOptions;
    use futures::TryStreamExt;
    let world = world().await;
    load_some(&world, 3, 30).await;
    let session = SessionOptions::default();
    let prepared =
        world.engine.prepare(&world.caller, &session, "SELECT count(*) AS n FROM events", None).await.unwrap();
    compact(&world).await;
    let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
    let rows: Vec<_> = execution.stream.try_collect().await.unwrap();
    assert_eq!(crate::harness::texts(&rows), ["90"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_fits_in_memory_is_sorted_on_disk() {
    let world = world().await;
    let mut builder = InputBuilder::default();
    let long = "x".repeat(500);
    let note = format!("{{\"note\":\"{long}\"}}");
    for row in 0..60_000_i64 {
        let user = format!("u{}", row * 7_919 % 1_000);
        let ts = at("2024-01-01T00:00:00Z").map(|start| start + row * 1_000_000);
        builder.push(&InputRow {
            ts,
            user_id: Some(&user),
            event: Some("seen"),
            properties: Some(&note),
            ..Default::default()
        });
    }
    world.load_batches("wide", vec![builder.finish()]).await.unwrap();
    let sums = "SELECT count(*), count(DISTINCT message_id), sum(length(properties)), sum(person) FROM events";
    let before = world.row(sums).await;
    // Thirty megabytes of rows in eight.
    let done = compact_with(&world, &[("upkeep.memory", "8MiB".to_owned())]).await;
    assert_eq!(done.rows, 60_000);
    assert_eq!(world.row(sums).await, before);
}
