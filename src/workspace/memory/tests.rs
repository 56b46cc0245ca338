use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::timeout;

use super::*;
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::workspace::tests::simulation::events::{Batch, Message};
use crate::workspace::{Answer, Manifest, Workspace, Workspaces, flush_for_room};

const UNLIMITED: usize = usize::MAX;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Events of a record.
const EVENTS: u32 = 100;

async fn open(memory: WorkspacesMemory, names: &[&str]) -> (Workspaces, Vec<Arc<Workspace>>) {
    let workspaces = Workspaces::new(Root::open("memory://").unwrap()).with_memory(memory);
    let mut opened = Vec::new();
    for name in names {
        let name = WorkspaceName::new(*name).unwrap();
        opened.push(workspaces.create(&name, &Manifest::new(Tz::UTC)).await.unwrap());
    }
    (workspaces, opened)
}

async fn enqueue(workspace: &Arc<Workspace>, record: u32, bytes: usize) -> Answer {
    let messages = (record * EVENTS..(record + 1) * EVENTS).map(|number| Message::new(0, number)).collect();
    let batch = Batch { messages, rejected: Vec::new(), key: None };
    let events = batch.events(workspace.snapshot().rules.revision, workspace.clock().now_micros());
    workspace.enqueue(events, bytes).await
}

async fn write(workspace: &Arc<Workspace>, record: u32) {
    let written = async { enqueue(workspace, record, 0).await.wait().await };
    timeout(PATIENCE, written).await.unwrap().remove(0).unwrap();
}

fn hot_bytes(workspaces: &[Arc<Workspace>]) -> usize {
    workspaces.iter().map(|workspace| workspace.snapshot().hot.bytes()).sum()
}

/// Memory that a record takes, alone.
async fn record_bytes() -> usize {
    let (_, opened) = open(WorkspacesMemory::default(), &["one"]).await;
    write(&opened[0], 0).await;
    hot_bytes(&opened)
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "not in time: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_in_no_file_keep_to_one_limit_in_all_workspaces() {
    const RECORDS: u32 = 20;
    let record = record_bytes().await;
    let limit = 12 * record;
    let memory = WorkspacesMemory::new(limit, UNLIMITED, UNLIMITED);
    let (_, opened) = open(memory, &["a", "b", "c"]).await;
    for number in 0..RECORDS {
        for workspace in &opened {
            write(workspace, number).await;
            let sum = hot_bytes(&opened);
            // Each may be beyond by the record that came last; identifiers and ids differ in length.
            assert!(sum <= limit + 4 * record, "{sum} bytes, the limit is {limit}");
        }
    }
    for workspace in &opened {
        let state = workspace.snapshot();
        assert_eq!(state.events.rows() + state.hot.rows() as u64, u64::from(RECORDS * EVENTS));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_workspace_waits_for_no_flush_of_a_large_one_which_is_flushed_for_it() {
    let record = record_bytes().await;
    let memory = WorkspacesMemory::new(12 * record, UNLIMITED, UNLIMITED);
    let (workspaces, opened) = open(memory, &["large", "small"]).await;
    let (large, small) = (&opened[0], &opened[1]);
    for number in 0..5 {
        write(large, number).await;
    }
    let others = workspaces.memory().hot_rows.share();
    others.set(12 * record);
    let turn = large.writer().await.unwrap();
    let flushing = tokio::spawn(flush_for_room(workspaces.clone()));
    write(small, 0).await;
    assert!(!large.snapshot().hot.is_empty(), "its writer is busy");
    drop(turn);
    until("the large one is flushed", || large.snapshot().hot.is_empty()).await;
    assert!(!small.snapshot().hot.is_empty());
    flushing.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_wait_keep_to_one_limit_in_all_workspaces() {
    const BYTES: usize = 1 << 10;
    let (_, opened) = open(WorkspacesMemory::new(UNLIMITED, 8 * BYTES, UNLIMITED), &["large", "small"]).await;
    let (large, small) = (&opened[0], &opened[1]);
    let turn = large.writer().await.unwrap();
    let mut answers = Vec::new();
    // A quarter of all is for each of them, half for both.
    for number in 0..6 {
        answers.push(timeout(PATIENCE, enqueue(large, number, BYTES)).await.unwrap());
    }
    assert!(timeout(Duration::from_millis(100), enqueue(large, 6, BYTES)).await.is_err(), "there is no room");
    for number in 0..3 {
        write(small, number).await;
    }
    drop(turn);
    for answer in answers {
        timeout(PATIENCE, answer.wait()).await.unwrap().remove(0).unwrap();
    }
    write(large, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_that_is_closed_gives_its_memory_back() {
    let (workspaces, mut opened) = open(WorkspacesMemory::default(), &["a", "b"]).await;
    for workspace in &opened {
        write(workspace, 0).await;
    }
    let (memory, kept) = (Arc::clone(workspaces.memory()), opened.swap_remove(0));
    // Rows of one stay in memory with it, those of the other go with the last who holds it.
    drop((workspaces, opened));
    until("its bytes are free", || memory.hot_rows.bytes() == kept.snapshot().hot.bytes()).await;
    drop(kept);
    until("all bytes are free", || memory.hot_rows.bytes() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_holds_no_more_rows_of_logs_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path().to_str().unwrap()).unwrap();
    let names = ["a", "b", "c", "d"].map(|name| WorkspaceName::new(name).unwrap());
    let before = Workspaces::new(root.clone());
    for name in &names {
        let workspace = before.create(name, &Manifest::new(Tz::UTC)).await.unwrap();
        for number in 0..4 {
            write(&workspace, number).await;
        }
    }
    let record = hot_bytes(&before.opened()) / 16;
    // As a server that is killed, but for the leaders of the queues, which end a moment later.
    let opened: Vec<_> = before.opened().iter().map(Arc::downgrade).collect();
    drop(before);
    until("the first one has ended", || opened.iter().all(|workspace| workspace.strong_count() == 0)).await;
    let limit = 9 * record;
    let server = Workspaces::new(root).with_memory(WorkspacesMemory::new(limit, UNLIMITED, UNLIMITED));
    server.serve("http://127.0.0.1:8815").await;
    server.open_each(names.to_vec()).await;
    let (opened, sum) = (server.opened(), hot_bytes(&server.opened()));
    assert_eq!(opened.len(), 4);
    assert!(sum <= limit, "{sum} bytes, the limit is {limit}");
    for state in opened.iter().map(|workspace| workspace.snapshot()) {
        assert_eq!(state.events.rows() + state.hot.rows() as u64, u64::from(4 * EVENTS));
    }
}
