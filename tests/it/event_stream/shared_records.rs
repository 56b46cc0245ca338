//! Events of several senders in one record of the log: what is wrong with one of them, or with one batch, is told to that
//! one alone, and nothing of it is left.

use chrono::{DateTime, Utc};
use convoke::identity::{IdentifierTypes, NumberEvents, Origin, Overlay, Seen};
use convoke::store::dedupe::MessageKey;
use convoke::workspace::{Answer, NewEvents, NewRows};

use super::*;
use crate::harness::world_with;

const DAY: i64 = 86_400_000_000;

/// Events that turn out to have no place when the identifiers of these users are numbered already.
fn without_place(ids: &[&str], users: &'static [&'static str], settings_revision: u64) -> NewEvents {
    let number = move |new: &[usize], overlay: &mut Overlay| -> Result<NewRows> {
        assert!(!new.is_empty());
        let origin = overlay.origin(Origin { source: Some("bad".into()), kind: "track".into(), load: None }.by_ref());
        for user in users {
            overlay.add_event(Seen { ts: 0, origin }, [(IdentifierTypes::USER_ID, *user)])?;
        }
        Err(Error::busy("no number is left"))
    };
    let keys: Vec<MessageKey> = ids.iter().map(|id| MessageKey::of(id)).collect();
    let batches = vec![keys.len()];
    NewEvents { keys, batches, key: None, settings_revision, received_at: 0, number: Box::new(number) }
}

async fn hand_over(stream: &EventStream, rows: &[InputRow<'_>]) -> Answer {
    let checked = stream.check(batch(rows), b"").await.unwrap();
    stream.send(checked).await
}

async fn result(answer: Answer) -> Result<AppendResult> {
    answer.wait().await.remove(0)
}

const NUMBERS: &str = "SELECT message_id, user_id, person FROM events ORDER BY message_id";

/// What two senders leave behind in one record, with one between them that is refused or not.
async fn two_and_one_between(is_there: bool) -> World {
    let world = world().await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let sender = stream(&world).await;
    send(&sender, &[event("before", "u1")], "").await;
    // Whoever comes while another one writes shares a record.
    let writer = workspace.writer().await.unwrap();
    let first = hand_over(&sender, &[event("a", "u1"), event("b", "u2")]).await;
    let between = match is_there {
        true => {
            let events = without_place(&["c", "d", "a"], &["nobody", "u2", "u3"], workspace.snapshot().rules.revision);
            Some(workspace.enqueue(events, 100).await)
        }
        false => None,
    };
    // Two of its message ids came first with the one that is refused, and its user, too.
    let last = hand_over(&sender, &[event("c", "u3"), event("e", "u4"), event("d", "u2"), event("b", "u2")]).await;
    drop(writer);
    let (first, last) = (result(first).await.unwrap(), result(last).await.unwrap());
    assert_eq!((counts(&first), counts(&last)), ((2, 0, 0), (3, 1, 0)));
    assert_eq!(first.position, last.position, "one record");
    if let Some(between) = between {
        let error = result(between).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::Busy, "no number is left"));
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_cannot_be_numbered_is_refused_alone() {
    let (with, without) = (two_and_one_between(true).await, two_and_one_between(false).await);
    let expected = without.rows(NUMBERS).await;
    assert_eq!(expected.len(), 6);
    assert_eq!(with.rows(NUMBERS).await, expected);
    let identities = "SELECT id_value FROM identities ORDER BY 1";
    assert_eq!(with.rows(identities).await, ["u1", "u2", "u3", "u4"]);
    let with = killed(with).await;
    assert_eq!(with.rows(NUMBERS).await, expected);
    assert_eq!(with.rows(identities).await, ["u1", "u2", "u3", "u4"]);
    assert_next_number(&with, &without).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_a_load_has_messages_of_is_refused_alone() {
    let world = world().await;
    let sender = stream(&world).await;
    let ids: Vec<String> = (0..MORE_THAN_THE_LOG_TAKES).map(|number| format!("m{number}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| event(id, id)).collect();
    let (more, loading) = slow_load(&world, vec![batch(&rows[..40_000]), batch(&rows[40_000..])]);
    more.send(batch(&[event("last", "last")])).await.unwrap();
    let probes = until_numbered(&sender).await;
    let bad = || InputRow { ts: None, ..event("bad", "u") };
    let batches = [
        vec![event("x", "x"), bad()],
        vec![event("m3", "y"), event("y", "y"), bad()],
        vec![],
        vec![event("y", "z"), event("z", "z"), event("x", "x")],
    ];
    let sizes = batches.iter().map(Vec::len).collect();
    let checked = sender.check_together(batch(&batches.concat()), sizes).await.unwrap();
    let results = sender.send(checked).await.wait().await;
    let told: Vec<_> = results.iter().map(|result| result.as_ref().map(counts).map_err(Error::kind)).collect();
    assert_eq!(told, [Ok((1, 0, 1)), Err(Kind::Busy), Ok((0, 0, 0)), Ok((2, 1, 0))]);
    let shown = "SELECT message_id, user_id FROM events WHERE message_id NOT LIKE 'probe%' ORDER BY 1";
    assert_eq!(world.rows(shown).await, ["x x", "y z", "z z"]);
    let letters = "SELECT count(*) FROM system.dead_letters";
    assert_eq!(world.row(letters).await, "1");
    drop(more);
    let summary = loading.await.unwrap().unwrap();
    assert_eq!((summary.kept, summary.duplicate), (rows.len() as u64 + 1, 0));
    // Now it is known what is stored.
    assert_eq!(counts(&send(&sender, &batches[1], "").await), (0, 2, 1));
    let all = probes + 3 + summary.kept;
    assert_eq!(world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await, format!("{all} {all}"));
    assert_eq!(world.row(letters).await, "2");
}

/// East of Greenwich the first month of the calendar begins before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_without_a_whole_month_is_rejected_alone() {
    let world = world_with(Settings::defaults().unwrap(), "Asia/Shanghai").await;
    let early = InputRow { ts: Some(DateTime::<Utc>::MIN_UTC.timestamp_micros() + 2 * DAY), ..event("early", "u") };
    let result = send(&stream(&world).await, &[early, event("good", "u")], "").await;
    assert_eq!(counts(&result), (1, 0, 1));
    assert!(result.reasons[0].starts_with("row 1: column 'ts': "), "{result:?}");
    assert_eq!(world.row("SELECT message_id FROM events").await, "good");
    // A program has no option that says how its times are written.
    let late = InputRow { ts: at("2076-05-31T00:00:00Z"), ..event("late", "u") };
    let result = send(&stream(&world).await, &[late], "").await;
    assert!(result.reasons[0].ends_with(" beyond now (setting ingest.max_future_hours)"), "{result:?}");
}
