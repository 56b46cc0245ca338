//! Another program that rewrites the files of the events table, as delta-rs and Spark do, while rows are in the log.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use convoke::error::Kind;
use convoke::settings::Settings;
use serde_json::{Value, json};

use super::{COUNT, load_one, purchase};
use crate::harness::{World, open, world};

const SHOWN: &str = "SELECT message_id, person FROM events ORDER BY message_id";

/// OPTIMIZE: the newest file has another name, and the commit says what delta-rs 1.6.6 says.
fn optimize(world: &World) {
    let events = world.folder.path().join("convoke/events");
    let log = events.join("_delta_log");
    let mut entries: Vec<_> = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    entries.sort();
    let lines: Vec<Value> = entries.iter().flat_map(|path| actions(path)).collect();
    let mut add = lines.iter().rfind(|action| action.get("add").is_some()).unwrap()["add"].clone();
    let before = add["path"].as_str().unwrap().to_owned();
    let after = before.replace(".parquet", "-c000.zstd.parquet");
    fs::copy(events.join(&before), events.join(&after)).unwrap();
    let remove = json!({"remove": {
        "path": before, "dataChange": false, "deletionTimestamp": 1_796_056_843_258_i64, "extendedFileMetadata": true,
        "partitionValues": add["partitionValues"], "size": add["size"],
    }});
    add["path"] = after.into();
    add["dataChange"] = false.into();
    let info = json!({"commitInfo": {
        "timestamp": 1_796_056_843_262_i64, "operation": "OPTIMIZE", "engineInfo": "delta-rs:py-1.6.6",
        "operationParameters": {"predicate": "[]", "targetSize": "104857600"}, "clientVersion": "delta-rs.py-1.6.6",
    }});
    let text = [info, remove, json!({"add": add})].map(|action| action.to_string()).join("\n");
    fs::write(log.join(format!("{:020}.json", entries.len())), text).unwrap();
}

fn actions(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn in_log(world: &World, user: &str) {
    let mut builder = convoke::ingest::input::InputBuilder::default();
    builder.push(&purchase(user));
    world.load_in_log(user, vec![builder.finish()]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_another_program_rewrites_hide_and_double_no_row_of_the_log() {
    let world = world().await;
    load_one(&world, 0).await;
    in_log(&world, "u1").await;
    let before = world.rows(SHOWN).await;
    assert_eq!(before.len(), 2);
    optimize(&world);
    let beside = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(beside.rows(SHOWN).await, before, "of a process that only reads");
    drop(beside);

    // The writer learns of it when its own commit finds the place taken.
    in_log(&world, "u2").await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    assert_eq!(workspace.flush(64 << 20).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(world.row(COUNT).await, "3 3");
    workspace.flush(64 << 20).await.unwrap();
    assert_eq!(world.row(COUNT).await, "3 3");
    drop(workspace);

    // Behind a flush that trimmed the log, and with rows in it.
    optimize(&world);
    in_log(&world, "u3").await;
    optimize(&world);
    let shown = world.rows(SHOWN).await;
    assert_eq!(shown.len(), 4);
    let folder = Arc::clone(&world.folder);
    drop(world);
    let again = open(folder, Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows(SHOWN).await, shown);
    in_log(&again, "u4").await;
    again.flush().await;
    assert_eq!(again.row(COUNT).await, "5 5");
    assert_eq!(again.row("SELECT hot_rows FROM system.log").await, "0");
}
