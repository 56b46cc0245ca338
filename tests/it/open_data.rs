//! The events table is a minimal-protocol Delta table that tells nobody's data in its log.

use std::fs;
use std::path::{Path, PathBuf};

use convoke::ingest::input::InputRow;
use serde_json::Value;

use crate::harness::{World, at, world};

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|held| held == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn loaded() -> World {
    let world = world().await;
    let row = |ts, user| InputRow {
        ts: at(ts),
        event: Some("Order Completed"),
        user_id: Some(user),
        identifiers: &[("email", "secret.person@example.cn")],
        properties: Some("{\"note\":\"secret note\"}"),
        ..Default::default()
    };
    world
        .load("a", &[row("2024-01-31T23:59:59.9999Z", "secret-user-1"), row("2024-02-01T00:00:00Z", "secret-user-2")])
        .await;
    world
}

fn log(world: &World) -> Vec<Value> {
    let entries = files(&world.folder.path().join("convoke/events/_delta_log"), "json");
    assert_eq!(entries.len(), 2, "the table and one load");
    let text: String = entries.iter().map(|path| fs::read_to_string(path).unwrap() + "\n").collect();
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_protocol_is_the_smallest() {
    let world = loaded().await;
    let log = log(&world);
    let protocol = log.iter().find_map(|action| action.get("protocol")).unwrap();
    assert_eq!((&protocol["minReaderVersion"], &protocol["minWriterVersion"]), (&1.into(), &2.into()));
    assert!(protocol.get("readerFeatures").is_none());
    let metadata = log.iter().find_map(|action| action.get("metaData")).unwrap();
    assert_eq!(metadata["partitionColumns"], serde_json::json!(["month"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_is_of_one_month_with_true_bounds() {
    let world = loaded().await;
    let adds: Vec<Value> = log(&world).into_iter().filter_map(|action| action.get("add").cloned()).collect();
    let mut months: Vec<_> =
        adds.iter().map(|add| add["partitionValues"]["month"].as_str().unwrap().to_owned()).collect();
    months.sort();
    assert_eq!(months, ["2024-01", "2024-02"]);
    for add in &adds {
        let stats: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
        assert_eq!(stats["numRecords"], 1);
        if add["partitionValues"]["month"] == "2024-01" {
            // 23:59:59.9999 lies between the bounds: the log has milliseconds only.
            assert_eq!(stats["minValues"]["ts"], "2024-01-31T23:59:59.999Z");
            assert_eq!(stats["maxValues"]["ts"], "2024-02-01T00:00:00.000Z");
        }
    }
    // Both sides of a millisecond are found by pruning.
    let found = "SELECT user_id FROM events WHERE ts >= '2024-01-31T23:59:59.9995Z' AND ts < '2024-02-01T00:00:00Z'";
    assert_eq!(world.rows(found).await, ["secret-user-1"]);
    assert_eq!(
        world.row("SELECT CAST(max(ts) AS TEXT), CAST(min(ts) AS TEXT) FROM events").await,
        "2024-02-01T00:00:00Z 2024-01-31T23:59:59.999900Z"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_holds_nothing_of_a_person() {
    let world = loaded().await;
    for action in log(&world) {
        assert!(!action.to_string().contains("secret"), "{action}");
    }
}
