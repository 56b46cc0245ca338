//! A load with more new identifiers than one record takes makes those durable that it has, before it goes on: killed
//! behind such a record it leaves nothing but numbers that are nobody's.

use super::*;
use crate::harness::{copy_of, world_with};

/// With three identifiers each, of which one is long: in all more bytes than one record takes (`workspace/load.rs`).
const PEOPLE: usize = 400_000;
const DOMAIN_BYTES: usize = 120;
const IN_A_BATCH: usize = 20_000;

const SHOWN: &str = "SELECT n, ids, people, (SELECT count(*) FROM persons), (SELECT count(*) FROM identities)
                     FROM (SELECT count(*) AS n, count(DISTINCT message_id) AS ids, count(DISTINCT person) AS people
                           FROM events)";
const SINGLE: &str = "SELECT user_id, person, person_id FROM events JOIN persons USING (person)
                      WHERE message_id IN ('first', 'a', 'b', 'c') ORDER BY person";

fn people(range: std::ops::Range<usize>) -> RecordBatch {
    let domain = "x".repeat(DOMAIN_BYTES);
    let names: Vec<[String; 3]> =
        range.map(|number| [format!("u{number}"), format!("c{number}"), format!("e{number}@{domain}")]).collect();
    let emails: Vec<[(&str, &str); 1]> = names.iter().map(|[_, _, email]| [("email", email.as_str())]).collect();
    let rows = names.iter().zip(&emails).map(|([user, cookie, _], emails)| InputRow {
        message_id: None,
        anonymous_id: Some(cookie),
        identifiers: emails,
        ..event("", user)
    });
    batch(&rows.collect::<Vec<_>>())
}

/// Waits until the load has written a record of its own. Nobody else asks for a turn.
async fn until_stored(world: &World) {
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
    while workspace.snapshot().position < 2 {
        assert!(tokio::time::Instant::now() < deadline, "no record before the end of the load");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// As if the process had been killed while the load was under way.
async fn check_killed(world: World) {
    assert_eq!(world.row(SHOWN).await, "1 1 1 1 1");
    let sender = stream(&world).await;
    for (id, user) in [("a", "u7"), ("b", "u399999"), ("c", "nobody")] {
        assert_eq!(counts(&send(&sender, &[event(id, user)], "").await), (1, 0, 0));
    }
    drop(sender);
    let shown = "4 4 4 4 4";
    assert_eq!(world.row(SHOWN).await, shown);
    let single = world.rows(SINGLE).await;
    let numbers: Vec<&str> = single.iter().map(|row| row.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(numbers, ["first 0", "u7 1", "u399999 2", "nobody 3"]);
    let world = killed(world).await;
    assert_eq!((world.row(SHOWN).await.as_str(), world.rows(SINGLE).await), (shown, single.clone()));
    world.flush().await;
    let world = killed(world).await;
    assert_eq!((world.row(SHOWN).await.as_str(), world.rows(SINGLE).await), (shown, single.clone()));
    // Numbers that were nobody's become somebody's.
    let summary = world.load_in_log("again", vec![Ok(people(0..MORE_THAN_THE_LOG_TAKES))]).await.unwrap();
    assert_eq!((summary.kept, summary.duplicate), (MORE_THAN_THE_LOG_TAKES as u64, 0));
    let loaded = MORE_THAN_THE_LOG_TAKES;
    // u7 is among them.
    let shown = format!("{0} {0} {1} {1} {2}", loaded + 4, loaded + 3, 3 * loaded + 3);
    assert_eq!((world.row(SHOWN).await, world.rows(SINGLE).await), (shown.clone(), single.clone()));
    let world = killed(world).await;
    assert_eq!((world.row(SHOWN).await, world.rows(SINGLE).await), (shown, single));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_identifiers_than_a_record_takes_are_stored_on_the_way() {
    // Nothing but records is written while the folder is copied.
    let settings = "[log]\nflush_bytes = \"1GiB\"\n[ingest]\nbuffer_memory = \"1GiB\"\n";
    let settings = Settings::load(Some(settings), std::iter::empty(), &[]).unwrap();
    let world = world_with(settings, "UTC").await;
    send(&stream(&world).await, &[event("first", "first")], "").await;
    let batches = (0..PEOPLE / IN_A_BATCH).map(|number| people(number * IN_A_BATCH..(number + 1) * IN_A_BATCH));
    let (more, loading) = slow_load(&world, batches.collect());
    until_stored(&world).await;
    let folder = copy_of(world.folder.path());
    check_killed(open(folder, Settings::defaults().unwrap(), "UTC").await).await;
    assert_eq!(world.row(SHOWN).await, "1 1 1 1 1");
    more.send(people(PEOPLE..PEOPLE + 100)).await.unwrap();
    drop(more);
    let summary = loading.await.unwrap().unwrap();
    assert_eq!((summary.kept, summary.rejected), (PEOPLE as u64 + 100, 0));
    let shown = format!("{0} {0} {0} {0} {1}", PEOPLE + 101, 3 * (PEOPLE + 100) + 1);
    assert_eq!(world.row(SHOWN).await, shown);
    let numbers = "SELECT user_id, person FROM events WHERE user_id LIKE 'u3999%' ORDER BY user_id";
    let expected = world.rows(numbers).await;
    let world = killed(world).await;
    assert_eq!((world.row(SHOWN).await, world.rows(numbers).await), (shown, expected));
}
