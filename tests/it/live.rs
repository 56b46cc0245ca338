//! What a statement and a ticket read while others write.

/// Who wants to write when the process stops.
mod closing;
/// A client of the event stream.
mod event_stream;
/// A sync that fails.
#[cfg(target_os = "linux")]
mod failed_sync;
/// A disk that is full, and has space again.
mod full_disk;
/// kill -9 of a server that takes streams, over and over.
mod kill;
/// What must be stored, by what was sent and answered.
mod oracle;
/// Commits of other programs.
mod other_programs;
/// Tables that other programs made ones of a later protocol.
mod other_protocols;
/// Counts beside streams, flushes and compactions.
mod readers;
/// A batch that cannot be written, by its number.
mod refused;
/// Tickets beside streams, flushes and compactions.
mod tickets;
/// A client whose wire is cut.
mod vanish;
/// A root that is compared with what was sent to it.
mod watched_root;

use std::time::Duration;

use convoke::ingest::input::InputRow;
use convoke::query::{Once, SessionOptions};
use datafusion::common::ScalarValue;
use futures::TryStreamExt;

use crate::harness::{World, at, texts, world};

const COUNT: &str = "SELECT count(*) AS n, count(DISTINCT person) AS persons FROM events";

/// A purchase of 5.00.
fn purchase(user: &str) -> InputRow<'_> {
    InputRow {
        event: Some("Order Completed"),
        ts: at("2024-01-05T00:00:00Z"),
        user_id: Some(user),
        revenue: Some(50_000),
        ..Default::default()
    }
}

async fn load_one(world: &World, number: usize) {
    world.load(&format!("load {number}"), &[purchase(&format!("u{number}"))]).await;
}

/// States were kept by their count once: after 128 commits a ticket was worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_reads_its_state_however_much_is_written_meanwhile() {
    let world = world().await;
    let session = SessionOptions::default();
    load_one(&world, 0).await;
    let planned = world.engine.prepare(&world.caller, &session, COUNT, None).await.unwrap();
    let leased = world.engine.lease(&planned, Duration::from_secs(900));
    drop(planned);
    for number in 1..=150 {
        load_one(&world, number).await;
    }
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    let old = world.engine.prepare(&world.caller, &session, COUNT, Some(leased)).await.unwrap();
    let rows = world.engine.execute(&world.caller, &session, &old, Vec::new()).await.unwrap();
    assert_eq!(texts(&rows.stream.try_collect::<Vec<_>>().await.unwrap()), ["1 1"]);
    assert_eq!(world.row(COUNT).await, "151 151");
    // The table was not there.
    let error = world.engine.prepare(&world.caller, &session, "SELECT * FROM t", Some(leased)).await.err().unwrap();
    assert!(error.to_string().contains("there is no table 't'"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_without_a_lease_is_gone_when_nobody_reads_it() {
    let world = world().await;
    let session = SessionOptions::default();
    load_one(&world, 0).await;
    let planned = world.engine.prepare(&world.caller, &session, COUNT, None).await.unwrap();
    let leased = world.engine.lease(&planned, Duration::ZERO);
    load_one(&world, 1).await;
    let error = world.engine.prepare(&world.caller, &session, COUNT, Some(leased)).await.err().unwrap();
    assert!(error.to_string().contains("run it again"), "{error}");
    // Who planned it holds it.
    let rows = world.engine.execute(&world.caller, &session, &planned, Vec::new()).await.unwrap();
    assert_eq!(texts(&rows.stream.try_collect::<Vec<_>>().await.unwrap()), ["1 1"]);
}

/// Everything that is planned once and read at the state of the statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_reads_the_state_of_its_statement() {
    let world = world().await;
    let session = SessionOptions::default();
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    load_one(&world, 0).await;
    let bad = InputRow { currency: Some("??"), ..purchase("u1") };
    let statements = [
        ("SELECT count(*), count(DISTINCT person) FROM events", "1 1", "2 2"),
        ("SELECT count(*), sum(event_count) FROM persons", "1 1", "2 2"),
        ("SELECT count(*), count(DISTINCT id_value) FROM identities", "1 1", "2 2"),
        ("SELECT count(*) FROM orders", "1", "2"),
        ("SELECT count(*) FROM order_entries", "1", "2"),
        ("SELECT count(*) FROM person_timeline('user_id', 'u1')", "0", "1"),
        ("SELECT count(*) FROM system.dead_letters", "0", "1"),
        ("SELECT sum(v) FROM t", "1", "3"),
        ("SELECT rows FROM event_catalog WHERE property IS NULL", "1", "2"),
    ];
    let mut before = Vec::new();
    for (sql, ..) in statements {
        before.push(world.engine.prepare(&world.caller, &session, sql, None).await.unwrap());
    }
    world.load("more", &[purchase("u1"), bad]).await;
    world.query("INSERT INTO t VALUES (2)").await.unwrap();
    for ((sql, then, now), before) in statements.into_iter().zip(before) {
        assert_eq!(world.row(sql).await, now, "{sql}");
        let rows = world.engine.execute(&world.caller, &session, &before, Vec::new()).await.unwrap();
        assert_eq!(texts(&rows.stream.try_collect::<Vec<_>>().await.unwrap()), [then], "{sql}, planned before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_the_changes_of_a_statement_sees_those_before_it() {
    let world = world().await;
    let session = SessionOptions::default();
    world.query("CREATE TABLE t AS SELECT value AS v FROM generate_series(1, 5)").await.unwrap();
    let sql = "DELETE FROM t WHERE v = (SELECT max(v) FROM t) - $1";
    let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let rows = [0, 0, 1].map(|less| vec![ScalarValue::Int64(Some(less))]).to_vec();
    let changed = world.engine.change(&world.caller, &session, &prepared, rows, Once::default()).await.unwrap();
    assert_eq!(texts(&changed.stream.try_collect::<Vec<_>>().await.unwrap()), ["3"]);
    assert_eq!(world.rows("SELECT v FROM t ORDER BY v").await, ["1", "3"]);
}

/// Broken off before its first rows, and behind some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_fails_leaves_nothing_that_a_state_shows() {
    let world = world().await;
    load_one(&world, 0).await;
    let rows = |users: &[&str]| {
        let mut builder = convoke::ingest::input::InputBuilder::default();
        users.iter().for_each(|user| builder.push(&purchase(user)));
        builder.finish()
    };
    let broken = || Err(convoke::error::Error::invalid("the source broke off"));
    for batches in [vec![broken()], vec![rows(&["phantom", "u0"]), broken()]] {
        let request = convoke::ingest::LoadRequest {
            source: "broken".into(),
            content_hash: "broken".into(),
            file_hash: None,
            again: false,
            checked: false,
        };
        let loaded = world.loader.load(&world.caller, request, Box::pin(futures::stream::iter(batches))).await;
        assert!(loaded.unwrap_err().to_string().contains("broke off"));
        assert_eq!(world.row(COUNT).await, "1 1");
        assert_eq!(world.rows("SELECT id_value, person FROM identities").await, ["u0 0"]);
    }
    world.load("more", &[purchase("u1"), purchase("phantom")]).await;
    let persons = "SELECT id_value, person FROM identities ORDER BY person";
    assert_eq!(world.rows(persons).await, ["u0 0", "u1 1", "phantom 2"]);
}

/// Of the log, of files and after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_read_from_the_log_as_from_files() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    load_one(&world, 0).await;
    let rows = |users: &[&str], bad: bool| {
        let mut builder = convoke::ingest::input::InputBuilder::default();
        users.iter().for_each(|user| builder.push(&InputRow { anonymous_id: Some("c1"), ..purchase(user) }));
        if bad {
            builder.push(&InputRow { currency: Some("??"), ..purchase("bad") });
        }
        vec![builder.finish()]
    };
    let statements = [
        "SELECT count(*), count(DISTINCT person), min(ts) FROM events",
        "SELECT message_id, person, ts FROM events ORDER BY message_id",
        "SELECT person, known, event_count, identifier_count FROM persons ORDER BY person",
        "SELECT id_type, id_value, person, first_seen FROM identities ORDER BY id_value",
        "SELECT order_id, person, net FROM orders ORDER BY order_id",
        "SELECT rows FROM event_catalog WHERE property IS NULL",
        "SELECT message_id FROM person_timeline('user_id', 'u2') ORDER BY message_id",
        "SELECT message_id FROM events WHERE person = 1 AND ts < '2024-02-01' ORDER BY 1",
        "SELECT count(*) FROM events WHERE ts > '2025-01-01'",
        "SELECT source, reason FROM system.dead_letters",
    ];
    world.load_in_log("log 1", rows(&["u1"], false)).await.unwrap();
    world.load_in_log("log 2", rows(&["u2", "u3"], true)).await.unwrap();
    world.load_in_log("log 3", rows(&["u4"], false)).await.unwrap();
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    assert_eq!((workspace.snapshot().hot.rows(), workspace.snapshot().position), (4, 4));
    let mut in_log = Vec::new();
    for sql in statements {
        in_log.push(world.rows(sql).await);
    }
    assert_eq!(in_log[0], ["5 2 2024-01-05T00:00:00Z"]);
    assert!(world.load_in_log("log 2", rows(&["u2", "u3"], true)).await.unwrap().skipped, "it is there already");
    // A reader beside the writer, as `sql --data` is one.
    let reader = crate::harness::open(
        std::sync::Arc::clone(&world.folder),
        convoke::settings::Settings::defaults().unwrap(),
        "UTC",
    )
    .await;
    for (sql, expected) in statements.iter().zip(&in_log) {
        assert_eq!(reader.rows(sql).await, *expected, "{sql}, read beside the writer");
    }
    drop(reader);
    // The process ends without a word.
    let folder = std::sync::Arc::clone(&world.folder);
    drop((workspace, world));
    let world = crate::harness::open(folder, convoke::settings::Settings::defaults().unwrap(), "UTC").await;
    for (sql, expected) in statements.iter().zip(&in_log) {
        assert_eq!(world.rows(sql).await, *expected, "{sql}, after a restart");
    }
    world.flush().await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    assert_eq!((workspace.snapshot().hot.rows(), workspace.snapshot().events.rows()), (0, 5));
    for (sql, expected) in statements.iter().zip(&in_log) {
        assert_eq!(world.rows(sql).await, *expected, "{sql}, flushed");
    }
}
