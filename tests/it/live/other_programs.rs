//! Another program that commits to the events table, as delta-rs and Spark do, while rows are in the log or nothing is
//! written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convoke::error::Kind;
use convoke::settings::Settings;
use convoke::workspace::flush_by_time;
use serde_json::{Value, json};

use super::{COUNT, load_one, purchase};
use crate::harness::{World, open, texts, world};

const SHOWN: &str = "SELECT message_id, person FROM events ORDER BY message_id";

/// The folder of the events table.
pub(super) fn events(world: &World) -> PathBuf {
    world.folder.path().join("convoke/events")
}

/// The actions of each version of a table.
pub(super) fn versions(table: &Path) -> Vec<Vec<Value>> {
    let mut entries: Vec<_> =
        fs::read_dir(table.join("_delta_log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    entries.sort();
    let actions = |path: &PathBuf| -> Vec<Value> {
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    entries.iter().map(actions).collect()
}

/// What the newest action of this kind says.
pub(super) fn newest(table: &Path, kind: &str) -> Value {
    versions(table).into_iter().flatten().rfind(|action| action.get(kind).is_some()).unwrap()[kind].clone()
}

/// Writes the next version of a table as another program does.
pub(super) fn commit(table: &Path, operation: &str, actions: &[Value]) {
    let info = json!({"commitInfo": {
        "timestamp": 1_796_056_843_262_i64, "operation": operation, "engineInfo": "delta-rs:py-1.6.6",
        "operationParameters": {}, "clientVersion": "delta-rs.py-1.6.6",
    }});
    let lines: Vec<String> = [info].iter().chain(actions).map(Value::to_string).collect();
    let entry = table.join(format!("_delta_log/{:020}.json", versions(table).len()));
    fs::write(entry, lines.join("\n")).unwrap();
}

/// The action that takes out what `add` put in.
pub(super) fn removal(add: &Value, data_change: bool) -> Value {
    json!({"remove": {
        "path": add["path"], "dataChange": data_change, "deletionTimestamp": 1_796_056_843_258_i64,
        "extendedFileMetadata": true, "partitionValues": add["partitionValues"], "size": add["size"],
    }})
}

/// OPTIMIZE: the newest file has another name, and the commit says what delta-rs 1.6.6 says.
fn optimize(world: &World) {
    let events = events(world);
    let mut add = newest(&events, "add");
    let before = add["path"].as_str().unwrap().to_owned();
    let after = before.replace(".parquet", "-c000.zstd.parquet");
    fs::copy(events.join(&before), events.join(&after)).unwrap();
    let remove = removal(&add, false);
    add["path"] = after.into();
    add["dataChange"] = false.into();
    commit(&events, "OPTIMIZE", &[remove, json!({"add": add})]);
}

pub(super) async fn in_log(world: &World, user: &str) {
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

/// A DELETE of all rows of the newest file, whose bytes a VACUUM removes at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_commits_is_seen_by_a_writer_that_commits_nothing() {
    let world = world().await;
    load_one(&world, 0).await;
    load_one(&world, 1).await;
    let shown = world.rows(SHOWN).await;
    assert_eq!(shown.len(), 2);
    let ticks = tokio::spawn(flush_by_time(world.workspaces.clone(), Duration::from_millis(50), 64 << 20));
    let events = events(&world);
    let add = newest(&events, "add");
    commit(&events, "DELETE", &[removal(&add, true)]);
    fs::remove_file(events.join(add["path"].as_str().unwrap())).unwrap();
    let is_seen = async {
        // Until then the file is missed.
        while !world.query(COUNT).await.is_ok_and(|rows| texts(&rows) == ["1 1"]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_seen).await.expect("the DELETE is seen without a commit");
    let left = world.rows(SHOWN).await;
    assert!(left.len() == 1 && shown.contains(&left[0]), "{left:?} of {shown:?}");
    ticks.abort();
}
