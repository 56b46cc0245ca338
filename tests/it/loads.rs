//! Loads: all of a source or nothing, once, with bad rows kept aside; the same after a restart.

use std::sync::Arc;

use convoke::error::{Error, Kind};
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::settings::Settings;

use crate::harness::{at, open, world};

fn purchase<'a>(user: &'a str, ts: &str) -> InputRow<'a> {
    InputRow {
        ts: at(ts),
        kind: Some("track"),
        event: Some("Order Completed"),
        user_id: Some(user),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_breaks_off_leaves_nothing() {
    let world = world().await;
    world.load("first", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    let mut builder = InputBuilder::default();
    builder.push(&purchase("u2", "2024-01-06T00:00:00Z"));
    let batches = vec![builder.finish(), Err(Error::invalid("the disk was pulled out"))];
    let error = world.load_batches("second", batches).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert_eq!(world.row("SELECT count(*) FROM events").await, "1");
    assert_eq!(world.rows("SELECT id_value FROM identities").await, ["u1"]);
    // The number that the failed load had given is given again: nothing of it was kept.
    world.load("third", &[purchase("u3", "2024-01-07T00:00:00Z")]).await;
    assert_eq!(world.rows("SELECT id_value, person FROM identities ORDER BY 2").await, ["u1 0", "u3 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_content_is_loaded_once() {
    let world = world().await;
    let rows = [purchase("u1", "2024-01-05T00:00:00Z")];
    assert!(!world.load("same", &rows).await.skipped);
    assert!(world.load("same", &rows).await.skipped);
    assert_eq!(world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await, "1 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_rows_are_kept_with_their_reason_and_good_ones_loaded() {
    let world = world().await;
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    let rows = [
        InputRow { row: Some(1), ..purchase("u1", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(2), ts: None, ..purchase("u2", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(3), reject_reason: Some("column 'x': bad"), raw: Some("1,2"), ..Default::default() },
        InputRow { row: Some(4), kind: Some("sale"), ..purchase("u4", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(5), identifiers: &[("e-mail", "a@x.cn")], ..purchase("u5", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(6), properties: Some(&long), ..purchase("u6", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(7), properties: Some("[1]"), ..purchase("u7", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(8), properties: Some("{\"a\":"), ..purchase("u8", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(9), kind: None, event: Some(" "), ..purchase("u9", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(10), kind: Some("Track"), event: None, ..purchase("u10", "2024-01-05T00:00:00Z") },
        // A word about a person, or a look at a page, needs no name.
        InputRow { row: Some(11), kind: Some("identify"), event: None, ..purchase("u11", "2024-01-05T00:00:00Z") },
        InputRow { row: Some(12), kind: Some("page"), event: None, ..purchase("u12", "2024-01-05T00:00:00Z") },
    ];
    let summary = world.load("mixed", &rows).await;
    assert_eq!((summary.read, summary.kept, summary.rejected), (12, 3, 9));
    assert_eq!(world.rows("SELECT user_id FROM events ORDER BY user_id").await, ["u1", "u11", "u12"]);
    let letters = world.rows("SELECT row, reason FROM system.dead_letters ORDER BY row").await;
    for (letter, part) in letters.iter().zip([
        "2 column 'ts'",
        "3 column 'x': bad",
        "4 column 'type': 'sale'",
        "5 column 'identifiers': 'e-mail' is not an identifier type",
        "6 column 'properties': longer than 1048576 bytes",
        "7 column 'properties'",
        "8 column 'properties'",
        "9 column 'event': an event of type track needs a name",
        "10 column 'event': an event of type track needs a name",
    ]) {
        assert!(letter.starts_with(part), "{letter} should start with {part}");
    }
    assert_eq!(letters.len(), 9);
    assert_eq!(world.row("SELECT raw FROM system.dead_letters WHERE row = 3").await, "1,2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_values_identify_nobody() {
    let world = world().await;
    let rows = [
        InputRow { identifiers: &[("email", " NULL ")], user_id: None, ..purchase("", "2024-01-05T00:00:00Z") },
        InputRow {
            identifiers: &[("phone", "000-000"), ("email", "a@x.cn")],
            ..purchase("unknown", "2024-01-05T00:00:00Z")
        },
        InputRow { identifiers: &[("phone", "000-000")], ..purchase("u1", "2024-01-05T00:00:00Z") },
    ];
    world.load("blocked", &rows).await;
    assert_eq!(world.row("SELECT count(*), count(person) FROM events").await, "3 2");
    assert_eq!(world.rows("SELECT id_type, id_value FROM identities ORDER BY 1").await, ["email a@x.cn", "user_id u1"]);
    assert_eq!(world.row("SELECT count(*) FROM persons").await, "2");
}

/// 512 bytes are an identifier; one more is none, whichever column it stands in, and its row is kept without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identifier_that_is_too_long_is_left_out_and_counted() {
    let world = world().await;
    let (longest, too_long) = ("x".repeat(512), "y".repeat(513));
    let emails: [(&str, &str); 2] = [("email", &too_long), ("email", "a@x.cn")];
    let rows = [
        InputRow { row: Some(1), ..visit(&longest, &[]) },
        InputRow { row: Some(2), ..visit(&too_long, &[]) },
        InputRow { row: Some(3), anonymous_id: Some(&too_long), ..visit("u3", &emails) },
    ];
    let summary = world.load("long", &rows).await;
    assert_eq!((summary.kept, summary.rejected), (3, 0));
    let said = "row 2: an identifier of type user_id is longer than 512 bytes: it is left out, and so are 2 others";
    assert_eq!(summary.notes, [said]);
    let stored =
        "SELECT coalesce(length(user_id), 0), anonymous_id IS NULL, person IS NULL FROM events ORDER BY 1 DESC";
    assert_eq!(world.rows(stored).await, ["512 true false", "2 true false", "0 true true"]);
    let identities = "SELECT id_type, length(id_value) FROM identities ORDER BY 1, 2";
    assert_eq!(world.rows(identities).await, ["email 6", "user_id 2", "user_id 512"]);
}

fn visit<'a>(user: &'a str, identifiers: &'a [(&'a str, &'a str)]) -> InputRow<'a> {
    InputRow { event: Some("visit"), identifiers, ..purchase(user, "2024-01-05T00:00:00Z") }
}

/// A word for "none" that nobody blocked makes one person of all whom it stands beside: no row tells, so the load does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_beside_many_persons_is_told() {
    let world = world().await;
    let users: Vec<String> = (0..21).map(|user| format!("u{user}")).collect();
    let family: Vec<InputRow<'_>> = users[..20].iter().map(|user| visit(user, &[("email", "kasse")])).collect();
    assert_eq!(world.load("family", &family).await.notes, [""; 0], "20 may be of one person");
    let all: Vec<InputRow<'_>> =
        users.iter().map(|user| visit(user, &[("email", "kasse"), ("phone", "1,2")])).collect();
    let notes = world.load("all", &all).await.notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    let told = "the email 'kasse' stands beside 21 different user_id, the phone '1,2' stands beside 21 different user_id: \
                each makes one person of all of these. ";
    assert!(notes[0].starts_with(told), "{}", notes[0]);
    assert!(notes[0].contains(r#" blocked_values='["kasse","1,2"]'` "#), "{}", notes[0]);
    assert_eq!(world.row("SELECT count(*) FROM persons").await, "1");
    // Cookies are no persons: one has many in the course of time.
    let cookies = users.iter().map(|cookie| InputRow { anonymous_id: Some(cookie), ..visit("u0", &[]) });
    assert_eq!(world.load("cookies", &cookies.collect::<Vec<_>>()).await.notes, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_gives_the_same_persons_and_numbers() {
    let first = world().await;
    first.load("a", &[purchase("u1", "2024-01-05T00:00:00Z"), purchase("u2", "2024-02-05T00:00:00Z")]).await;
    let link = InputRow { anonymous_id: Some("c1"), ..purchase("u2", "2024-02-06T00:00:00Z") };
    first.load("b", &[link]).await;
    let asked = "SELECT i.id_value, i.person, i.person_id, p.event_count FROM identities i
                 JOIN persons p ON p.person = i.person ORDER BY 1";
    let before = first.rows(asked).await;
    assert_eq!(before.len(), 3);
    let again = open(Arc::clone(&first.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows(asked).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_is_refused_while_the_first_lives() {
    let first = world().await;
    first.load("a", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    let second = open(Arc::clone(&first.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(second.row("SELECT count(*) FROM events").await, "1", "reading goes on");
    let mut builder = InputBuilder::default();
    builder.push(&purchase("u2", "2024-01-05T00:00:00Z"));
    let error = second.load_batches("b", vec![builder.finish()]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.to_string().contains("--connect"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_reads_one_snapshot_while_loads_go_on() {
    use convoke::query::SessionOptions;
    use futures::TryStreamExt;
    let world = world().await;
    world.load("a", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    let session = SessionOptions::default();
    let sql = "SELECT count(*) AS n, count(DISTINCT person) AS persons FROM events";
    let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let link = InputRow { anonymous_id: Some("c1"), ..purchase("u1", "2024-02-06T00:00:00Z") };
    world.load("b", &[link, purchase("u2", "2024-02-06T00:00:00Z")]).await;
    let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
    let planned: Vec<_> = execution.stream.try_collect().await.unwrap();
    assert_eq!(crate::harness::texts(&planned), ["1 1"], "the state of the plan");
    assert_eq!(world.row(sql).await, "3 2", "a new plan reads the newest state");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_nobody_waits_for_leaves_nothing() {
    use std::time::Duration;

    use convoke::ingest::LoadRequest;
    use futures::StreamExt;
    let world = world().await;
    world.load("first", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    let mut builder = InputBuilder::default();
    builder.push(&purchase("phantom", "2024-01-06T00:00:00Z"));
    // One batch, then silence: the client has gone and its call is dropped.
    let batches = futures::stream::iter([builder.finish()]).chain(futures::stream::pending()).boxed();
    let request = LoadRequest {
        source: "gone".into(),
        content_hash: "gone".into(),
        file_hash: None,
        again: false,
        checked: false,
    };
    let load = world.loader.load(&world.caller, request, batches);
    assert!(tokio::time::timeout(Duration::from_millis(500), load).await.is_err(), "it must have been under way");
    world.load("third", &[purchase("u3", "2024-01-07T00:00:00Z")]).await;
    let persons = ["u1 0", "u3 1"];
    assert_eq!(world.rows("SELECT id_value, person FROM identities ORDER BY 2").await, persons);
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows("SELECT id_value, person FROM identities ORDER BY 2").await, persons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_leaves_nothing_and_the_next_one_can_be_read_again() {
    let world = world().await;
    world.load("first", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    // Somebody else's entry stands where the next one goes.
    let foreign = world.folder.path().join("convoke/events/_delta_log/00000000000000000002.json");
    std::fs::write(&foreign, "{\"commitInfo\":{}}").unwrap();
    let mut builder = InputBuilder::default();
    // As many as are written as files.
    (0..50_001).for_each(|_| builder.push(&purchase("phantom", "2024-01-06T00:00:00Z")));
    let error = world.load_in_log("second", vec![builder.finish()]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    std::fs::remove_file(&foreign).unwrap();
    world.load("third", &[purchase("u3", "2024-01-07T00:00:00Z")]).await;
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    for world in [&world, &again] {
        assert_eq!(world.rows("SELECT id_value, person FROM identities ORDER BY 2").await, ["u1 0", "u3 1"]);
        assert_eq!(world.row("SELECT count(*) FROM events").await, "2");
    }
}

/// The state before it has another position than the one with it; a position of a load that failed is no state's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_of_files_is_one_record_of_the_log() {
    const LOG: &str = "SELECT position, flushed_position, hot_rows FROM system.log";
    let world = world().await;
    let large = |user: &'static str| {
        let mut builder = InputBuilder::default();
        (0..50_001).for_each(|_| builder.push(&purchase(user, "2024-01-06T00:00:00Z")));
        vec![builder.finish()]
    };
    let small = |user: &'static str| {
        let mut builder = InputBuilder::default();
        builder.push(&purchase(user, "2024-01-05T00:00:00Z"));
        vec![builder.finish()]
    };
    assert_eq!(world.load_in_log("first", small("u1")).await.unwrap().position, 1);
    assert_eq!(world.row(LOG).await, "1 0 1");
    assert_eq!(world.load_in_log("second", large("u2")).await.unwrap().position, 2);
    assert_eq!(world.row(LOG).await, "2 2 0", "what was in the log went into files with it");
    let foreign = world.folder.path().join("convoke/events/_delta_log/00000000000000000002.json");
    std::fs::write(&foreign, "{\"commitInfo\":{}}").unwrap();
    world.load_in_log("third", large("u3")).await.unwrap_err();
    std::fs::remove_file(&foreign).unwrap();
    assert_eq!(world.load_in_log("fourth", small("u4")).await.unwrap().position, 4);
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    for world in [&world, &again] {
        assert_eq!(world.row(LOG).await, "4 2 1");
        assert_eq!(world.row("SELECT count(*), count(DISTINCT user_id) FROM events").await, "50003 3");
    }
    assert_eq!(world.load_in_log("fifth", large("u5")).await.unwrap().position, 5);
    assert_eq!(world.row(LOG).await, "5 5 0");
}

/// What is acknowledged does not hang on the files: those can be written later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_fails_loses_nothing() {
    let world = world().await;
    world.load("first", &[purchase("u1", "2024-01-05T00:00:00Z")]).await;
    let foreign = world.folder.path().join("convoke/events/_delta_log/00000000000000000002.json");
    std::fs::write(&foreign, "{\"commitInfo\":{}}").unwrap();
    let mut builder = InputBuilder::default();
    builder.push(&purchase("u2", "2024-01-06T00:00:00Z"));
    world.load_in_log("second", vec![builder.finish()]).await.unwrap();
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let error = workspace.flush(64 << 20).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(world.row("SELECT count(*) FROM events").await, "2");
    std::fs::remove_file(&foreign).unwrap();
    world.load("third", &[purchase("u3", "2024-01-07T00:00:00Z")]).await;
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    for world in [&world, &again] {
        assert_eq!(world.rows("SELECT id_value, person FROM identities ORDER BY 2").await, ["u1 0", "u2 1", "u3 2"]);
        assert_eq!(world.row("SELECT count(*) FROM events").await, "3");
        assert_eq!(world.row("SELECT hot_rows FROM system.log").await, "0");
    }
}
