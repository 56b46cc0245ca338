//! The session's zone where SQL text files do not reach: bound parameters, files that are skipped, bulk ingest.
//!
//! Case A3 of the case list: 10 at local 1 March 00:30 of Shanghai, 20 at 31 March 23:30, 40 at 1 April 07:59.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use convoke::ingest::input::InputRow;
use convoke::query::{IfExists, SessionOptions};
use convoke::settings::Settings;
use datafusion::common::ScalarValue;
use futures::StreamExt;

use crate::harness::{World, at, texts, world_with};

async fn a_month(zone: &str) -> World {
    let world = world_with(Settings::defaults().unwrap(), zone).await;
    for (load, ts, revenue) in [
        ("a1", "2024-02-29T16:30:00Z", 10_0000),
        ("a2", "2024-03-31T15:30:00Z", 20_0000),
        ("a3", "2024-03-31T23:59:00Z", 40_0000),
    ] {
        let row = InputRow {
            ts: at(ts),
            event: Some("Order Completed"),
            user_id: Some("u1"),
            revenue: Some(revenue),
            ..Default::default()
        };
        world.load(load, &[row]).await;
    }
    world
}

fn day(text: &str) -> ScalarValue {
    let days = text.parse::<NaiveDate>().unwrap().signed_duration_since(NaiveDate::default()).num_days();
    ScalarValue::Date32(Some(i32::try_from(days).unwrap()))
}

fn naive_micros(text: &str) -> i64 {
    text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros()
}

fn aware_micros(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

fn zoned(text: &str, zone: &str) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(aware_micros(text)), Some(zone.into()))
}

/// The two ends of March in Shanghai, in each form that a client binds.
fn ends_of_march() -> Vec<[ScalarValue; 2]> {
    let naive = |text: &str| ScalarValue::TimestampMicrosecond(Some(naive_micros(text)), None);
    let nanos = |text: &str| ScalarValue::TimestampNanosecond(Some(naive_micros(text) * 1_000), None);
    let seconds = |text: &str| ScalarValue::TimestampSecond(Some(naive_micros(text) / 1_000_000), None);
    let (start, end) = ("2024-03-01T00:00:00", "2024-04-01T00:00:00");
    vec![
        [day("2024-03-01"), day("2024-04-01")],
        [naive(start), naive(end)],
        [nanos(start), nanos(end)],
        [seconds(start), seconds(end)],
        [ScalarValue::from("2024-03-01"), ScalarValue::from("2024-04-01 00:00:00")],
        [ScalarValue::from("2024-02-29T16:00:00Z"), ScalarValue::from("2024-04-01T00:00:00+08:00")],
        [zoned("2024-02-29T16:00:00Z", "UTC"), zoned("2024-04-01T00:00:00+08:00", "UTC")],
        [zoned("2024-02-29T16:00:00Z", "Europe/Berlin"), zoned("2024-04-01T00:00:00+08:00", "+08:00")],
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_without_a_zone_are_read_in_that_of_the_session() {
    let world = a_month("Asia/Shanghai").await;
    let session = SessionOptions::default();
    for sql in [
        "SELECT sum(revenue) FROM events WHERE ts >= $1 AND ts < $2",
        "SELECT sum(revenue) FROM events WHERE $1 <= ts AND NOT $2 <= ts",
        "SELECT sum(CASE WHEN ts >= $1 AND ts < $2 THEN revenue END) FROM events",
        "SELECT sum(revenue) FROM events WHERE date_trunc('month', ts) >= $1 AND date_trunc('month', ts) < $2",
        "SELECT sum(revenue) FROM events WHERE ts >= CAST($1 AS TIMESTAMP) AND ts < CAST($2 AS TIMESTAMP)",
        "SELECT sum(revenue) FROM events WHERE ts::DATE >= $1 AND ts::DATE < CAST($2 AS DATE)",
    ] {
        for values in ends_of_march() {
            // A text as a day is its date, as DataFusion reads it.
            if sql.contains("::DATE") && matches!(&values[0], ScalarValue::Utf8(Some(text)) if text.contains('Z')) {
                continue;
            }
            let rows = world.query_with(sql, &session, values.to_vec()).await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql} with {values:?}: {error}"));
            assert_eq!(texts(&rows), ["30.0000"], "{sql} with {values:?}");
        }
    }
    // Nothing but the zone of the session: the same values as UTC gives them.
    let utc = SessionOptions::default().with_time_zone("UTC").unwrap();
    let sql = "SELECT sum(revenue) FROM events WHERE ts >= $1 AND ts < $2";
    for (values, sum) in ends_of_march().into_iter().zip(["60", "60", "60", "60", "60", "30", "30", "30"]) {
        let rows = world.query_with(sql, &utc, values.to_vec()).await.unwrap();
        assert_eq!(texts(&rows), [format!("{sum}.0000")], "{values:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_parameters_are_stored_as_instants() {
    let world = a_month("Asia/Shanghai").await;
    world.row("CREATE TABLE visits (ts TIMESTAMP)").await;
    let session = SessionOptions::default();
    let naive = ScalarValue::TimestampMicrosecond(Some(naive_micros("2024-03-01T00:30:00")), None);
    let values = [naive, zoned("2024-02-29T16:30:00Z", "Europe/Berlin"), ScalarValue::from("2024-03-01 00:30:00")];
    for value in values.clone() {
        world.query_with("INSERT INTO visits VALUES ($1)", &session, vec![value]).await.unwrap();
    }
    assert_eq!(
        world.row("SELECT count(*), min(ts), max(ts) FROM visits").await,
        "3 2024-03-01T00:30:00+08:00 2024-03-01T00:30:00+08:00"
    );
    // Many rows of one statement are one plan.
    let prepared = world.engine.prepare(&world.caller, &session, "INSERT INTO visits VALUES ($1)", None).await.unwrap();
    let rows = values.iter().map(|value| vec![value.clone()]).collect();
    let changed = world.engine.change(&world.caller, &session, &prepared, rows, convoke::query::Once::default()).await;
    changed.unwrap().stream.collect::<Vec<_>>().await.into_iter().for_each(|batch| drop(batch.unwrap()));
    assert_eq!(world.row("SELECT count(*), count(DISTINCT ts) FROM visits").await, "6 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_ingest_reads_times_without_a_zone_in_that_of_the_session() {
    let world = a_month("Asia/Shanghai").await;
    let times = TimestampMicrosecondArray::from(vec![Some(naive_micros("2024-03-01T00:30:00")), None]);
    let zoned = TimestampMicrosecondArray::from(vec![Some(aware_micros("2024-02-29T16:30:00Z")), None]);
    let zoned = zoned.with_timezone("Europe/Berlin");
    let columns: [(&str, ArrayRef); 2] = [("a", Arc::new(times)), ("b", Arc::new(zoned))];
    world.ingest("visits", IfExists::Fail, true, &columns).await;
    assert_eq!(
        world.rows("SELECT a, b, arrow_typeof(a) FROM visits ORDER BY a").await,
        [
            "2024-03-01T00:30:00+08:00 2024-03-01T00:30:00+08:00 Timestamp(µs, \"UTC\")",
            "NULL NULL Timestamp(µs, \"UTC\")",
        ]
    );
    let days: [(&str, ArrayRef); 2] = [
        ("b", Arc::new(Date32Array::from(vec![19_783]))),
        ("a", Arc::new(StringArray::from(vec!["2024-03-01 00:30:00"]))),
    ];
    world.ingest("visits", IfExists::Append, false, &days).await;
    assert_eq!(
        world.row("SELECT a, b FROM visits WHERE b = DATE '2024-03-01'").await,
        "2024-03-01T00:30:00+08:00 2024-03-01T00:00:00+08:00"
    );
}

/// The files that a statement opens, out of its plan.
async fn files_read(world: &World, sql: &str, session: &SessionOptions, values: Vec<ScalarValue>) -> usize {
    let plan = world.query_with(&format!("EXPLAIN {sql}"), session, values).await.unwrap();
    texts(&plan).join("\n").matches(".parquet").count()
}

/// Each load is a file: of three, one or two lie in what is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparisons_with_times_of_the_zone_skip_files() {
    let world = a_month("Asia/Shanghai").await;
    let session = SessionOptions::default();
    assert_eq!(files_read(&world, "SELECT message_id FROM events", &session, Vec::new()).await, 3);
    for (condition, files) in [
        ("ts < '2024-03-02'", 1),
        ("ts < DATE '2024-03-02'", 1),
        ("ts < TIMESTAMP '2024-03-02 00:00:00'", 1),
        ("ts >= '2024-03-31' AND ts < DATE '2024-04-01'", 1),
        ("ts BETWEEN DATE '2024-03-01' AND TIMESTAMP '2024-03-02'", 1),
        ("ts IN ('2024-03-31 23:30:00')", 1),
        ("ts::DATE = '2024-03-31'", 1),
        ("ts::DATE >= DATE '2024-04-01'", 1),
        ("ts::DATE < DATE '2024-03-02'", 1),
        ("CAST(ts AS DATE) BETWEEN '2024-03-01' AND '2024-03-31'", 2),
        ("CAST(ts AS DATE) IN (DATE '2024-03-01')", 1),
        ("DATE '2024-04-01' <= ts::DATE", 1),
        ("ts < DATE '2024-03-01' + INTERVAL '1 month' AND ts > '2024-03-02'", 1),
        ("ts::DATE > current_date - INTERVAL '1 day'", 0),
        ("ts > now() - INTERVAL '30 days'", 0),
    ] {
        let sql = format!("SELECT message_id FROM events WHERE {condition}");
        assert_eq!(files_read(&world, &sql, &session, Vec::new()).await, files, "{condition}");
    }
    let utc = SessionOptions::default().with_time_zone("UTC").unwrap();
    let sql = "SELECT message_id FROM events WHERE ts::DATE = '2024-03-31'";
    assert_eq!(files_read(&world, sql, &utc, Vec::new()).await, 2, "in UTC both lie on the 31st");
    let sql = "SELECT message_id FROM events WHERE ts < $1";
    assert_eq!(files_read(&world, sql, &session, vec![day("2024-03-02")]).await, 1);
    let sql = "SELECT message_id FROM events WHERE ts::DATE = $1";
    assert_eq!(files_read(&world, sql, &session, vec![day("2024-03-31")]).await, 1);
}

/// What is promised at Prepare is what comes, and instants come with the session's zone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_promised_as_they_come() {
    let world = a_month("Europe/Berlin").await;
    let session = SessionOptions::default();
    let instant = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("Europe/Berlin".into()));
    for (sql, data_type) in [
        ("SELECT ts FROM events", &instant),
        ("SELECT now()", &instant),
        ("SELECT date_trunc('day', ts) FROM events", &instant),
        ("SELECT date_bin('1 day', ts) FROM events", &instant),
        ("SELECT ts + INTERVAL '1 day' FROM events", &instant),
        ("SELECT coalesce(ts, DATE '2024-03-01') FROM events", &instant),
        ("SELECT DATE '2024-03-01' UNION ALL SELECT ts FROM events", &instant),
        ("SELECT CASE WHEN revenue > 10 THEN DATE '2024-03-01' ELSE ts END FROM events", &instant),
        ("SELECT ts::DATE FROM events", &DataType::Date32),
        ("SELECT ts::TEXT FROM events", &DataType::Utf8),
    ] {
        let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
        assert_eq!(prepared.schema.field(0).data_type(), data_type, "{sql}");
        for batch in world.query(sql).await.unwrap() {
            assert_eq!(batch.column(0).data_type(), data_type, "{sql}");
        }
    }
}

/// A parameter beside a length of time is what it is multiplied or divided by. Two days by two, by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_scale_lengths_of_time() {
    let world = a_month("Asia/Shanghai").await;
    let session = SessionOptions::default();
    for sql in [
        "SELECT INTERVAL '2 days' * $1 = INTERVAL '4 days' AND INTERVAL '2 days' / $1 = INTERVAL '1 day'",
        "SELECT bool_and($1 * (ts + INTERVAL '2 days' - ts) = INTERVAL '4 days') FROM events",
    ] {
        for value in [
            ScalarValue::Int64(Some(2)),
            ScalarValue::Float64(Some(2.0)),
            ScalarValue::Decimal128(Some(200), 10, 2),
            ScalarValue::Int32(Some(2)),
        ] {
            let rows = world.query_with(sql, &session, vec![value.clone()]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql} with {value}: {error}"));
            assert_eq!(texts(&rows), ["true"], "{sql} with {value}");
        }
    }
}

/// A length of time that is a parameter, as a whole or by its number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intervals_are_parameters() {
    let world = a_month("Asia/Shanghai").await;
    let session = SessionOptions::default();
    let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
    for (sql, value) in [
        ("SELECT INTERVAL $1 = INTERVAL '1 day 2 hours 30 minutes'", text("1 day 02:30")),
        ("SELECT INTERVAL $1 = INTERVAL '1 month' * 0.33", text("0.33 month")),
        ("SELECT INTERVAL ? DAY = INTERVAL '2 days'", ScalarValue::Int64(Some(2))),
        ("SELECT bool_and(ts - INTERVAL ? HOUR < ts) FROM events", ScalarValue::Int64(Some(3))),
    ] {
        let rows = world.query_with(sql, &session, vec![value]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(texts(&rows), ["true"], "{sql}");
    }
}
