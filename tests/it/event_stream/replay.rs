//! Every way back to a state gives it byte for byte: its identifiers, nodes, person numbers, person_ids and epoch. Records
//! are read one by one, a flush makes one object of many, a checkpoint one of all, and without it all objects are read.

use std::fs;
use std::ops::Range;

use super::*;
use crate::harness::copy_of;

/// All that says who is who.
#[derive(Debug, PartialEq)]
struct Tables {
    epoch: u64,
    /// Identifiers by their nodes, with their persons.
    nodes: RecordBatch,
    /// Of all person numbers, those of merged persons among them.
    births: RecordBatch,
    published: RecordBatch,
    identities: Vec<String>,
    persons: Vec<String>,
    events: Vec<String>,
}

async fn tables(world: &World) -> Tables {
    let snapshot = world.workspaces.get(&world.caller.workspace).await.unwrap().snapshot();
    let identity = &snapshot.identity;
    Tables {
        epoch: snapshot.id().epoch,
        nodes: identity.node_rows(0..identity.nodes()).unwrap(),
        births: identity.birth_rows(0..identity.births()).unwrap(),
        published: identity.published_rows(0..identity.nodes()).unwrap(),
        identities: world.rows("SELECT * FROM identities ORDER BY id_type, id_value").await,
        persons: world.rows("SELECT person, person_id, known, event_count FROM persons ORDER BY person").await,
        events: world.rows("SELECT message_id, person FROM events ORDER BY message_id").await,
    }
}

/// Texts of an event: its message id, user, cookie and email.
type Texts = (String, Option<String>, Option<String>, Option<String>);

/// Some log in, some have an email, some name nobody; persons that were two become one again and again.
fn texts_of(number: usize) -> Texts {
    let given = |is_given: bool, text: String| (is_given && number % 13 != 12).then_some(text);
    let user = given(number.is_multiple_of(4), format!("u{}", number * 7 % 41));
    let email = given(number.is_multiple_of(6), format!("e{}@x.cn", number * 11 % 29));
    (format!("m{number:03}"), user, given(number % 4 != 3, format!("c{}", number % 230)), email)
}

/// Sends events, so many in one batch.
async fn append(world: &World, events: Range<usize>, size: usize) {
    let sender = stream(world).await;
    let texts: Vec<Texts> = events.map(texts_of).collect();
    for some in texts.chunks(size) {
        let emails: Vec<Vec<(&str, &str)>> =
            some.iter().map(|(.., email)| email.iter().map(|email| ("email", email.as_str())).collect()).collect();
        let rows = some.iter().zip(&emails).map(|((id, user, cookie, _), emails)| InputRow {
            user_id: user.as_deref(),
            anonymous_id: cookie.as_deref(),
            identifiers: emails,
            ..event(id, "")
        });
        let rows: Vec<InputRow<'_>> = rows.collect();
        assert_eq!(counts(&send(&sender, &rows, "").await), (some.len() as u64, 0, 0));
    }
}

/// Where a start begins to read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    /// At the newest one, if there is any.
    Checkpoint,
    /// At the first event.
    Beginning,
}

/// What a process makes of it that starts now, as a reader and then as the writer that gives the next number.
async fn check_start(world: &World, start: Start, expected: &Tables, when: &str) {
    let folder = copy_of(world.folder.path());
    if start == Start::Beginning {
        let checkpoints = folder.path().join("convoke/identity/checkpoints");
        assert!(checkpoints.is_dir(), "{when}: there is a checkpoint");
        fs::remove_dir_all(checkpoints).unwrap();
    }
    let started = open(folder, Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(tables(&started).await, *expected, "{when}, start at {start:?}");
    let writer = started.workspaces.get(&started.caller.workspace).await.unwrap().writer().await.unwrap();
    drop(writer);
    assert_eq!(tables(&started).await, *expected, "{when}, start at {start:?}, as the writer");
    send(&stream(&started).await, &[event("next", "nobody before")], "").await;
    let next = started.row("SELECT person FROM events WHERE message_id = 'next'").await;
    assert_eq!(next, expected.births.num_rows().to_string(), "{when}, start at {start:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_start_gives_the_same_numbers_and_person_ids() {
    for size in [1, 7, 200] {
        let world = world().await;
        let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
        append(&world, 0..200, size).await;
        let in_log = tables(&world).await;
        assert!(in_log.persons.len() < in_log.births.num_rows(), "persons became one");
        check_start(&world, Start::Checkpoint, &in_log, "all in the log").await;
        world.flush().await;
        assert_eq!(tables(&world).await, in_log, "a flush changes nothing");
        check_start(&world, Start::Checkpoint, &in_log, "all in files").await;
        append(&world, 200..300, size).await;
        let in_both = tables(&world).await;
        check_start(&world, Start::Checkpoint, &in_both, "in files and in the log").await;
        workspace.checkpoint_identity(&Arc::default()).await.unwrap();
        assert_eq!(tables(&world).await, in_both, "a checkpoint changes nothing");
        for start in [Start::Checkpoint, Start::Beginning] {
            check_start(&world, start, &in_both, "at a checkpoint").await;
        }
        append(&world, 300..350, size).await;
        let behind = tables(&world).await;
        for start in [Start::Checkpoint, Start::Beginning] {
            check_start(&world, start, &behind, "in the log behind a checkpoint").await;
        }
        world.flush().await;
        for start in [Start::Checkpoint, Start::Beginning] {
            check_start(&world, start, &behind, "in files behind a checkpoint").await;
        }
    }
}

/// Person_ids are random, and each record makes an epoch: all else hangs on the events and their order alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_hang_on_no_batch_size_flush_or_checkpoint() {
    let mut all = Vec::new();
    for (size, upkeep) in [(350, false), (1, false), (1, true), (13, true), (64, false)] {
        let world = world().await;
        for events in [0..100, 100..250, 250..350] {
            append(&world, events, size).await;
            if upkeep {
                world.flush().await;
                let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
                workspace.checkpoint_identity(&Arc::default()).await.unwrap();
            }
        }
        let Tables { nodes, births, events, .. } = tables(&killed(world).await).await;
        let columns = ["person", "birth_node"].map(|name| births.schema().index_of(name).unwrap());
        all.push((nodes, births.project(&columns).unwrap(), events));
    }
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
}
