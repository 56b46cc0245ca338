//! Events a batch at a time: durable, readable and stored once when they are answered.

/// A clock that is set on and back.
mod clock_jumps;
/// A commit of which nobody can tell whether it landed.
mod doubtful_commits;
/// Runs of message ids that are damaged or gone.
mod lost_message_ids;
/// Identifiers of one load that are more than a record takes.
mod many_identifiers;
/// Each way back to a state.
mod replay;
/// Senders whose events become one record.
mod shared_records;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use convoke::error::{Error, Kind, Result};
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::ingest::{EventStream, LoadRequest, LoadSummary};
use convoke::settings::Settings;
use convoke::workspace::AppendResult;
use futures::StreamExt;
use futures::future::join_all;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::harness::{World, at, open, world};

const COUNT: &str = "SELECT count(*), count(DISTINCT message_id), count(DISTINCT person) FROM events";

/// Larger loads are written as files.
const MORE_THAN_THE_LOG_TAKES: usize = 50_001;

fn event<'a>(message_id: &'a str, user_id: &'a str) -> InputRow<'a> {
    let (message_id, user_id) = (Some(message_id), Some(user_id));
    InputRow { message_id, user_id, event: Some("seen"), ts: at("2024-02-29T12:00:00Z"), ..InputRow::default() }
}

fn batch(rows: &[InputRow<'_>]) -> RecordBatch {
    let mut builder = InputBuilder::default();
    rows.iter().for_each(|row| builder.push(row));
    builder.finish().unwrap()
}

async fn stream(world: &World) -> EventStream {
    world.loader.stream(&world.caller).await.unwrap()
}

async fn send(stream: &EventStream, rows: &[InputRow<'_>], key: &str) -> AppendResult {
    let checked = stream.check(batch(rows), key.as_bytes()).await.unwrap();
    let mut results = stream.send(checked).await.wait().await;
    assert_eq!(results.len(), 1, "one batch was sent");
    results.remove(0).unwrap()
}

/// The same folder as a process finds it that starts after this one was killed.
async fn killed(world: World) -> World {
    open(kill(world).await, Settings::defaults().unwrap(), "UTC").await
}

/// Gives the folder that a process leaves when it is killed.
async fn kill(world: World) -> Arc<TempDir> {
    let folder = Arc::clone(&world.folder);
    let workspace = Arc::downgrade(&world.workspaces.get(&world.caller.workspace).await.unwrap());
    drop(world);
    // Its tasks end by themselves; a process takes them along.
    while workspace.strong_count() > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    folder
}

fn counts(result: &AppendResult) -> (u64, u64, u64) {
    (result.kept, result.duplicate, result.rejected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_share_records_and_read_what_was_answered() {
    let world = world().await;
    let senders = (0..400).map(|number| {
        let world = &world;
        async move {
            let (id, user) = (format!("m{number}"), format!("u{}", number % 50));
            let result = send(&stream(world).await, &[event(&id, &user)], "").await;
            assert_eq!(counts(&result), (1, 0, 0));
            if number % 8 == 0 {
                assert_eq!(world.row(&format!("SELECT count(*) FROM events WHERE message_id = '{id}'")).await, "1");
            }
            result.position
        }
    });
    let mut positions = join_all(senders).await;
    assert_eq!(world.row(COUNT).await, "400 400 50");
    positions.sort_unstable();
    positions.dedup();
    assert!(positions.len() < 400, "each of 400 events that came at once has a record of its own");
    let world = killed(world).await;
    assert_eq!(world.row(COUNT).await, "400 400 50");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_id_is_stored_once_whatever_happens_in_between() {
    let world = world().await;
    let first = stream(&world).await;
    assert_eq!(counts(&send(&first, &[event("a", "u"), event("b", "u"), event("a", "v")], "").await), (2, 1, 0));
    assert_eq!(counts(&send(&first, &[event("b", "u"), event("c", "u")], "").await), (1, 1, 0));
    drop(first);
    // Out of the log.
    let world = killed(world).await;
    assert_eq!(counts(&send(&stream(&world).await, &[event("c", "u"), event("d", "u")], "").await), (1, 1, 0));
    // Out of a run, and out of one beside rows in the log.
    world.flush().await;
    let world = killed(world).await;
    assert_eq!(counts(&send(&stream(&world).await, &[event("a", "u"), event("e", "u")], "").await), (1, 1, 0));
    let world = killed(world).await;
    let all: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|id| event(id, "u")).collect();
    assert_eq!(counts(&send(&stream(&world).await, &all, "").await), (1, 5, 0));
    // A file is no other way in.
    let summary = world.load_in_log("file", vec![Ok(batch(&[event("f", "u"), event("g", "u")]))]).await.unwrap();
    assert_eq!((summary.read, summary.kept, summary.duplicate, summary.rejected), (2, 1, 1, 0));
    assert_eq!(world.row(COUNT).await, "7 7 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_load_stores_each_message_id_once_and_a_failed_one_none() {
    let world = world().await;
    send(&stream(&world).await, &[event("m5", "u"), event("other", "u")], "").await;
    let ids: Vec<String> = (0..MORE_THAN_THE_LOG_TAKES).map(|number| format!("m{number}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| event(id, "u")).collect();
    let broken = vec![Ok(batch(&rows)), Ok(batch(&rows[..1])), Err(Error::invalid("the source broke off"))];
    assert_eq!(world.load_in_log("broken", broken).await.unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(world.row(COUNT).await, "2 2 1");
    // None of its ids is taken for stored.
    assert_eq!(counts(&send(&stream(&world).await, &rows[6..8], "").await), (2, 0, 0));
    let whole = vec![Ok(batch(&rows[..40_000])), Ok(batch(&rows[30_000..]))];
    let summary = world.load_in_log("whole", whole).await.unwrap();
    let all = ids.len() as u64;
    assert_eq!((summary.read, summary.kept, summary.duplicate), (all + 10_000, all - 3, 10_003));
    let expected = format!("{} {} 1", ids.len() + 1, ids.len() + 1);
    assert_eq!(world.row(COUNT).await, expected);
    let world = killed(world).await;
    assert_eq!(counts(&send(&stream(&world).await, &rows[..100], "").await), (0, 100, 0));
    assert_eq!(world.row(COUNT).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_sent_again_under_its_key_gets_its_first_answer() {
    let world = world().await;
    let nameless = InputRow { message_id: None, ..event("", "u") };
    let bad = InputRow { currency: Some("??"), ..event("bad", "u") };
    let first = send(&stream(&world).await, &[nameless.clone(), bad], "monday").await;
    assert_eq!(counts(&first), (1, 0, 1));
    assert!(first.reasons[0].starts_with("row 2: column 'currency'"), "{:?}", first.reasons);
    assert_eq!(send(&stream(&world).await, &[event("x", "u")], "monday").await, first);
    let world = killed(world).await;
    assert_eq!(send(&stream(&world).await, std::slice::from_ref(&nameless), "monday").await, first);
    world.flush().await;
    let world = killed(world).await;
    assert_eq!(send(&stream(&world).await, std::slice::from_ref(&nameless), "monday").await, first);
    assert_eq!(world.row("SELECT count(*) FROM events").await, "1");
    assert_eq!(world.row("SELECT count(*) FROM system.dead_letters").await, "1");
    // Without a key, and without an id, an event is new whenever it comes.
    send(&stream(&world).await, std::slice::from_ref(&nameless), "").await;
    assert_eq!(world.row("SELECT count(*) FROM events").await, "2");
    let both = async |key: &str| {
        let stream = stream(&world).await;
        join_all((0..8).map(|_| send(&stream, std::slice::from_ref(&nameless), key))).await
    };
    let answers = both("tuesday").await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(world.row("SELECT count(*) FROM events").await, "3");
}

/// Node and person numbers hang on the order of events alone: not on how many come at once, nor on the way in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_those_of_one_load_in_the_same_order() {
    let events: Vec<(String, String, String)> = (0..300_u64)
        .map(|number| (format!("m{number}"), format!("u{}", number * 7 % 41), format!("e{}", number * 11 % 29)))
        .collect();
    let row = |(id, user, email): &'static (String, String, String)| -> InputRow<'static> {
        let emails: &'static [(&str, &str)] = Box::leak(Box::new([("email", email.as_str())]));
        InputRow { identifiers: emails, ..event(id, if email.len() == 2 { email } else { user }) }
    };
    let events: &'static Vec<_> = Box::leak(Box::new(events));
    let rows: Vec<InputRow<'_>> = events.iter().map(row).collect();
    let numbers = "SELECT message_id, person FROM events ORDER BY message_id";
    let whole = world().await;
    whole.load("whole", &rows).await;
    let expected = whole.rows(numbers).await;
    let single = world().await;
    let sender = stream(&single).await;
    for (number, row) in rows.iter().enumerate() {
        send(&sender, std::slice::from_ref(row), "").await;
        if number % 70 == 69 {
            single.flush().await;
        }
    }
    assert_eq!(single.rows(numbers).await, expected);
    drop(sender);
    let single = killed(single).await;
    assert_eq!(single.rows(numbers).await, expected);
    assert_next_number(&whole, &single).await;
}

/// Somebody new gets the same number in both.
async fn assert_next_number(one: &World, other: &World) {
    for world in [one, other] {
        send(&stream(world).await, &[event("new", "nobody before")], "").await;
    }
    let of_new = "SELECT person FROM events WHERE message_id = 'new'";
    assert_eq!(one.row(of_new).await, other.row(of_new).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_leaves_no_trace() {
    let world = world().await;
    let sender = stream(&world).await;
    let rows: Vec<_> = (0..65_537).map(|_| InputRow { message_id: None, ..event("", "u") }).collect();
    let error = sender.check(batch(&rows), b"").await.err().unwrap();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("65536"), "{error}");
    for key in [vec![b'k'; 257], vec![0xff]] {
        let error = sender.check(batch(&rows[..1]), &key).await.err().unwrap();
        assert!(error.message().contains("batch key"), "{error}");
    }
    // Checked, and not handed over: a client that went away.
    drop(sender.check(batch(&[event("a", "u")]), b"").await.unwrap());
    assert_eq!(world.row(COUNT).await, "0 0 0");
    assert_eq!(world.row("SELECT count(*) FROM identities").await, "0");
    assert_eq!(counts(&send(&sender, &[event("a", "u")], "").await), (1, 0, 0));
}

/// Beside others: what one sends must not be refused for what another did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_no_table_can_hold_is_refused_alone() {
    let world = world().await;
    let sender = stream(&world).await;
    let values: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let identifiers: Vec<(&str, &str)> = values.iter().map(|value| ("email", value.as_str())).collect();
    let rows = [
        InputRow { ts: Some(i64::MIN), ..event("early", "u") },
        InputRow { identifiers: &identifiers, ..event("many", "u") },
        InputRow { identifiers: &identifiers[..100], ..event("good", "u") },
    ];
    let result = send(&sender, &rows, "").await;
    assert_eq!(counts(&result), (1, 0, 2));
    assert!(result.reasons[0].starts_with("row 1: column 'ts': "), "{result:?}");
    assert_eq!(result.reasons[1], "row 2: column 'identifiers': more than 100");
    assert_eq!(world.row(COUNT).await, "1 1 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_are_done_together_are_answered_one_by_one() {
    let world = world().await;
    let sender = stream(&world).await;
    let bad = || InputRow { ts: None, ..event("bad", "u") };
    let batches = [
        vec![event("a", "u1"), bad(), event("b", "u2")],
        vec![],
        vec![bad(), bad()],
        vec![event("a", "u3"), event("c", "u4"), bad()],
        vec![event("c", "u5"), event("d", "u6")],
    ];
    let (sizes, rows) = (batches.iter().map(Vec::len).collect(), batches.concat());
    let checked = sender.check_together(batch(&rows), sizes).await.unwrap();
    let results = sender.send(checked).await.wait().await;
    let results: Vec<AppendResult> = results.into_iter().map(Result::unwrap).collect();
    let told: Vec<_> = results.iter().map(counts).collect();
    assert_eq!(told, [(2, 0, 1), (0, 0, 0), (0, 0, 2), (1, 1, 1), (1, 1, 0)]);
    let of = |place: usize| results[place].reasons.first().map(String::as_str);
    let no_time = |row| Some(format!("row {row}: column 'ts': no time is given"));
    assert_eq!([0, 2, 3].map(|place| of(place).map(str::to_owned)), [no_time(2), no_time(1), no_time(3)]);
    assert_eq!((of(1), of(4)), (None, None));
    assert!(results.iter().all(|result| result.position == results[0].position));
    let stored = "SELECT message_id, user_id FROM events ORDER BY 1";
    assert_eq!(world.rows(stored).await, ["a u1", "b u2", "c u4", "d u6"]);
    let letters = "SELECT \"row\", count(*) FROM system.dead_letters GROUP BY 1 ORDER BY 1";
    assert_eq!(world.rows(letters).await, ["1 1", "2 2", "3 1"]);
}

/// Each batch is told of its own rows, beside those that are rejected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identifier_that_is_left_out_is_told() {
    let world = world().await;
    let sender = stream(&world).await;
    let long = "x".repeat(513);
    let emails: [(&str, &str); 1] = [("email", &long)];
    let batches = [
        vec![event("a", "u1"), InputRow { identifiers: &emails, ..event("b", "u2") }],
        vec![event("c", "u3")],
        vec![InputRow { ts: None, ..event("d", "u4") }, event("e", &long)],
    ];
    let sizes = batches.iter().map(Vec::len).collect();
    let checked = sender.check_together(batch(&batches.concat()), sizes).await.unwrap();
    let results = sender.send(checked).await.wait().await;
    let results: Vec<AppendResult> = results.into_iter().map(Result::unwrap).collect();
    let told: Vec<_> = results.iter().map(counts).collect();
    assert_eq!(told, [(2, 0, 0), (1, 0, 0), (1, 0, 1)]);
    let long_one =
        |row, kind| format!("row {row}: an identifier of type {kind} is longer than 512 bytes: it is left out");
    assert_eq!(results[0].reasons, [long_one(2, "email")]);
    assert_eq!(results[1].reasons, [""; 0]);
    assert_eq!(results[2].reasons.len(), 2);
    assert!(results[2].reasons[0].starts_with("row 1: column 'ts': "), "{:?}", results[2].reasons);
    assert_eq!(results[2].reasons[1], long_one(2, "user_id"));
    let stored = "SELECT message_id, coalesce(user_id, '-') FROM events ORDER BY 1";
    assert_eq!(world.rows(stored).await, ["a u1", "b u2", "c u3", "e -"]);
    assert_eq!(world.row("SELECT count(*) FROM identities WHERE length(id_value) > 512").await, "0");
    assert_eq!(world.row("SELECT count(*) FROM system.dead_letters").await, "1");
}

/// A checkpoint held a lock once that reading the state anew waits for, and that after every load that had failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_after_a_load_that_failed_comes_to_its_end() {
    let world = world().await;
    world.load("one", &[event("a", "u")]).await;
    let rows: Vec<_> = (0..MORE_THAN_THE_LOG_TAKES).map(|_| InputRow { message_id: None, ..event("", "w") }).collect();
    let broken = vec![Ok(batch(&rows)), Ok(batch(&[event("b", "v")])), Err(Error::invalid("the source broke off"))];
    world.load_in_log("broken", broken).await.unwrap_err();
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let written = Arc::default();
    let taking = tokio::time::timeout(Duration::from_secs(60), workspace.checkpoint_identity(&written));
    assert_eq!(taking.await.expect("a deadlock").unwrap().persons, 1);
}

/// A large load whose source is slow: `more` sends it its next batch; it ends when that is dropped.
fn slow_load(world: &World, first: Vec<RecordBatch>) -> (mpsc::Sender<RecordBatch>, JoinHandle<Result<LoadSummary>>) {
    let (more, batches) = mpsc::channel(1);
    let batches = futures::stream::unfold(batches, async |mut batches| {
        let batch: RecordBatch = batches.recv().await?;
        Some((batch, batches))
    });
    let batches = futures::stream::iter(first).chain(batches).map(Ok).boxed();
    let (loader, caller) = (world.loader.clone(), world.caller.clone());
    let hash = || "slow".to_owned();
    let request = LoadRequest { source: hash(), content_hash: hash(), file_hash: None, again: false, checked: false };
    (more, tokio::spawn(async move { loader.load(&caller, request, batches).await }))
}

/// Sends events of one person until a load under way has numbered some of its own: that takes a record among theirs. Gives
/// how many it sent.
async fn until_numbered(stream: &EventStream) -> u64 {
    for sent in 1..2_000 {
        let result = send(stream, &[event(&format!("probe {sent}"), "probe")], "").await;
        if result.position > sent {
            return sent;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the load does not begin");
}

/// Rows of one person a row, with the identifiers `u0`, `u1` and so on.
fn users(range: std::ops::Range<usize>) -> RecordBatch {
    let names: Vec<String> = range.map(|number| format!("u{number}")).collect();
    let rows: Vec<_> = names.iter().map(|name| InputRow { message_id: None, ..event("", name) }).collect();
    batch(&rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_events_do_not_wait_for_a_large_load() {
    let world = world().await;
    let sender = stream(&world).await;
    let (more, loading) = slow_load(&world, vec![users(0..30_000), users(30_000..60_000)]);
    more.send(users(60_000..60_100)).await.unwrap();
    let probes = until_numbered(&sender).await;
    // Of an identifier that the load has, of one that it will have, and of one that it has not.
    for (id, user) in [("a", "u7"), ("b", "u60200"), ("c", "nobody else")] {
        let sent = tokio::time::timeout(Duration::from_secs(20), send(&sender, &[event(id, user)], "")).await;
        assert_eq!(counts(&sent.expect("the load holds it up")), (1, 0, 0));
    }
    assert_eq!(world.row(COUNT).await, format!("{0} {0} 4", probes + 3));
    assert_eq!(world.row("SELECT count(*) FROM identities").await, "4");
    world.flush().await;
    more.send(users(60_100..60_300)).await.unwrap();
    drop(more);
    let summary = loading.await.unwrap().unwrap();
    assert_eq!((summary.kept, summary.duplicate, summary.rejected), (60_300, 0, 0));
    let shown = "SELECT (SELECT count(*) FROM events), (SELECT count(DISTINCT person) FROM events),
                 (SELECT count(*) FROM persons), (SELECT count(*) FROM identities)";
    let all = format!("{} 60302 60302 60302", probes + 60_303);
    assert_eq!(world.row(shown).await, all);
    let of_one = "SELECT count(*), count(DISTINCT person) FROM events WHERE user_id IN ('u7', 'u60200')";
    assert_eq!(world.row(of_one).await, "4 2");
    let numbers = "SELECT user_id, min(person), max(person) FROM events GROUP BY user_id ORDER BY user_id LIMIT 500";
    let expected = world.rows(numbers).await;
    drop(sender);
    let world = killed(world).await;
    assert_eq!(world.row(shown).await, all);
    assert_eq!(world.rows(numbers).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_load_that_breaks_off_among_others_leaves_nothing() {
    let world = world().await;
    let sender = stream(&world).await;
    let ids: Vec<String> = (0..MORE_THAN_THE_LOG_TAKES).map(|number| format!("m{number}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| event(id, id)).collect();
    let (more, loading) = slow_load(&world, vec![batch(&rows[..40_000]), batch(&rows[40_000..])]);
    more.send(batch(&[event("last", "last")])).await.unwrap();
    let probes = until_numbered(&sender).await;
    // Whether it is stored is not known yet.
    let checked = sender.check(batch(&[event("m3", "u")]), b"").await.unwrap();
    let error = sender.send(checked).await.wait().await.remove(0).unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.message().contains("send them again when it has ended"), "{error}");
    loading.abort();
    assert!(loading.await.unwrap_err().is_cancelled());
    drop(more);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let sent = loop {
        // The thread that numbers the load ends by itself.
        let checked = sender.check(batch(&[event("m3", "u"), event("m4", "m4")]), b"").await.unwrap();
        match sender.send(checked).await.wait().await.remove(0) {
            Err(error) if error.kind() == Kind::Busy => {
                assert!(tokio::time::Instant::now() < deadline, "the load goes on");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => break outcome.unwrap(),
        }
    };
    assert_eq!(counts(&sent), (2, 0, 0));
    let shown =
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM persons), (SELECT count(*) FROM identities)";
    // The probes' person, u and m4.
    let all = format!("{} 3 3", probes + 2);
    assert_eq!(world.row(shown).await, all);
    drop(sender);
    let world = killed(world).await;
    assert_eq!(world.row(shown).await, all);
    world.flush().await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    workspace.checkpoint_identity(&Arc::default()).await.unwrap();
    drop(workspace);
    let world = killed(world).await;
    assert_eq!(world.row(shown).await, all);
    // The same load again is as new.
    let summary = world.load_in_log("again", vec![Ok(batch(&rows))]).await.unwrap();
    assert_eq!((summary.kept, summary.duplicate), (rows.len() as u64 - 2, 2));
}
