//! Upkeep: nothing that it does changes what a query sees, and damage is named.

mod check;
mod compact;
mod compact_tables;
mod log;
mod timeline;
mod user_tables;
mod vacuum;
mod wal;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use convoke::ids::WorkspaceName;
use convoke::ingest::input::InputRow;
use convoke::jobs::{CompactionSummary, Compactor, Need};
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Workspace, Workspaces};

use crate::harness::{World, at};

/// Where the harness puts the workspace.
fn folder(world: &World) -> PathBuf {
    world.folder.path().join("convoke")
}

fn root(world: &World) -> Root {
    Root::open(world.folder.path().to_str().unwrap()).unwrap()
}

async fn workspace(world: &World) -> Arc<Workspace> {
    world.workspaces.get(&WorkspaceName::default()).await.unwrap()
}

/// A workspace as another process would have it.
async fn reopened(world: &World) -> Arc<Workspace> {
    Workspaces::new(root(world)).get(&WorkspaceName::default()).await.unwrap()
}

async fn compact(world: &World) -> CompactionSummary {
    compact_with(world, &[]).await
}

async fn compact_with(world: &World, flags: &[(&str, String)]) -> CompactionSummary {
    let settings = Settings::load(None, std::iter::empty(), flags).unwrap();
    Compactor::new(workspace(world).await, &settings.upkeep).run(Need::All).await.unwrap()
}

/// Loads `loads` sources of `rows` events each, over two months and ten users, all in an order that is not that of
/// compaction; every eleventh event has no identifier.
async fn load_some(world: &World, loads: usize, rows: usize) {
    for load in 0..loads {
        let users: Vec<String> = (0..rows).map(|row| format!("u{}", (row * 7 + load) % 10)).collect();
        let events: Vec<InputRow<'_>> = users
            .iter()
            .enumerate()
            .map(|(row, user)| InputRow {
                ts: at(&format!(
                    "2024-0{}-{:02}T{:02}:00:00Z",
                    1 + row % 2,
                    1 + (row * 13) % 28,
                    (row * 5 + load) % 24
                )),
                kind: Some("track"),
                event: Some("Order Completed"),
                user_id: (row % 11 != 0).then_some(user),
                revenue: Some((row * 10_000) as i128),
                category: Some(&["women", "tops"]),
                properties: Some("{\"a\":1}"),
                ..Default::default()
            })
            .collect();
        world.load(&format!("load-{load}"), &events).await;
    }
}

/// Table `t` with a file for each of these values, in their order.
async fn insert_each(world: &World, values: &[i64]) {
    world.query("CREATE TABLE t (v BIGINT)").await.unwrap();
    for value in values {
        world.query(&format!("INSERT INTO t VALUES ({value})")).await.unwrap();
    }
}

/// All columns of all events, in an order of their own.
const EVERYTHING: &str = "SELECT * FROM events ORDER BY message_id";

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn data_files(world: &World) -> Vec<PathBuf> {
    let parquet = |path: &PathBuf| path.extension().is_some_and(|held| held == "parquet");
    let in_log = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "_delta_log");
    files(&folder(world).join("events")).into_iter().filter(|path| parquet(path) && !in_log(path)).collect()
}

fn log_files(world: &World) -> Vec<String> {
    let found = files(&folder(world).join("events/_delta_log"));
    found.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Makes a file as old as that.
fn age(path: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}
