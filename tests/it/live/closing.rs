//! What is asked of a workspace that is closed: reading goes on, nothing is written behind its end.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use convoke::error::{Kind, Result};
use convoke::ingest::input::InputBuilder;
use convoke::settings::Settings;
use convoke::workspace::ClosedLogs;

use super::{COUNT, purchase};
use crate::harness::{World, open, world};

async fn load(world: &World, user: &str) -> Result<()> {
    let mut builder = InputBuilder::default();
    builder.push(&purchase(user));
    world.load_in_log(user, vec![builder.finish()]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_writer_that_closes_is_refused() {
    let world = world().await;
    load(&world, "u0").await.unwrap();
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let turn = workspace.writer().await.unwrap();
    let workspaces = world.workspaces.clone();
    let closing = tokio::spawn(async move { workspaces.close().await });
    // It waits for its turn, and what comes now waits behind it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let end_turn = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(turn);
    };
    let (first, second, ()) = tokio::join!(load(&world, "u1"), load(&world, "u2"), end_turn);
    closing.await.unwrap();
    for refused in [first, second, load(&world, "u3").await] {
        let error = refused.unwrap_err();
        assert!(error.kind() == Kind::Busy && error.message().contains("the server stops"), "{error}");
    }
    assert_eq!(world.row(COUNT).await, "1 1");
    assert_eq!(workspace.flush(64 << 20).await.unwrap_err().kind(), Kind::Busy);
    let folder = Arc::clone(&world.folder);
    drop((workspace, world));
    let next = open(folder, Settings::defaults().unwrap(), "UTC").await;
    load(&next, "u1").await.unwrap();
    assert_eq!(next.row(COUNT).await, "2 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_cannot_be_brought_into_files_are_left_to_the_next_start() {
    let world = world().await;
    load(&world, "u0").await.unwrap();
    // A file in the place of the folder of the month.
    let in_the_way = world.folder.path().join("convoke/events/month=2024-01");
    fs::write(&in_the_way, "").unwrap();
    assert_eq!(world.workspaces.close().await, ClosedLogs { flushed: 0, left: 1 });
    let folder = Arc::clone(&world.folder);
    drop(world);
    let next = open(folder, Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(next.row(COUNT).await, "1 1");
    fs::remove_file(&in_the_way).unwrap();
    load(&next, "u1").await.unwrap();
    assert_eq!(next.workspaces.close().await, ClosedLogs { flushed: 2, left: 0 });
    assert_eq!(next.row(COUNT).await, "2 2");
}
