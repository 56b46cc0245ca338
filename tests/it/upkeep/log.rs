//! The log: checkpoints, and clean-up that loses neither rows nor load records.

use super::*;
use crate::harness::{open, world};
use convoke::jobs::Vacuum;

async fn many_loads(world: &World, from: usize, to: usize) {
    for load in from..to {
        let user = format!("u{load}");
        let row = InputRow {
            ts: at("2024-01-05T00:00:00Z"),
            user_id: Some(&user),
            event: Some("seen"),
            ..Default::default()
        };
        world.load(&format!("load-{load}"), &[row]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_up_keeps_rows_persons_and_load_records() {
    let world = world().await;
    many_loads(&world, 0, 40).await;
    assert!(log_files(&world).contains(&"00000000000000000032.checkpoint.parquet".to_owned()));
    let (rows, persons) = (world.rows(EVERYTHING).await, world.rows("SELECT * FROM identities ORDER BY person").await);
    assert_eq!(persons.len(), 40);
    files(&folder(&world).join("events/_delta_log")).iter().for_each(|path| age(path, 10));
    // Everything is old, so the newest version alone stays.
    Vacuum::new(workspace(&world).await, 7).unwrap().run().await.unwrap();
    let entries = log_files(&world).into_iter().filter(|name| name.ends_with(".json")).collect::<Vec<_>>();
    assert!(entries.len() <= 8, "{entries:?}");
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows(EVERYTHING).await, rows);
    assert_eq!(again.rows("SELECT * FROM identities ORDER BY person").await, persons);
    let snapshot = workspace(&again).await.snapshot();
    assert_eq!(snapshot.loads().count(), 40);
    drop(again);
    // The first process goes on where it was, and what was loaded long ago is still known.
    many_loads(&world, 0, 42).await;
    assert_eq!(world.row("SELECT count(*), count(DISTINCT person) FROM events").await, "42 42");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_within_the_retention_keep_their_entries() {
    let world = world().await;
    many_loads(&world, 0, 36).await;
    let before = log_files(&world);
    Vacuum::new(workspace(&world).await, 7).unwrap().run().await.unwrap();
    for name in before.iter().filter(|name| name.ends_with(".json")) {
        assert!(log_files(&world).contains(name), "{name}");
    }
}
