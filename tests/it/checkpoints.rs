//! Identity checkpoints at the boundary of a root: opening from one gives what all loads give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convoke::ids::WorkspaceName;
use convoke::ingest::input::InputRow;
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::{Checkpoint, Workspace, Workspaces, checkpoint_by_time};
use object_store::memory::InMemory;
use tempfile::TempDir;

use crate::harness::{World, at, copy_of, open, over, world, world_with};
use crate::observed_store::ObservedStore;

const ASKED: &str = "SELECT i.id_type, i.id_value, i.person, i.person_id, p.event_count, p.identifier_count
                     FROM identities i JOIN persons p ON p.person = i.person ORDER BY 1, 2";

async fn workspace(world: &World) -> Arc<Workspace> {
    world.workspaces.get(&world.caller.workspace).await.unwrap()
}

async fn checkpoint(world: &World) -> Checkpoint {
    workspace(world).await.checkpoint_identity(&Arc::default()).await.unwrap()
}

/// A load of `load`: some new persons, and log-ins that join persons of earlier loads.
async fn load(world: &World, load: usize) {
    let names: Vec<_> =
        (0..6).map(|row| (format!("c{}", load * 5 + row), format!("u{}", (load * 7 + row * 3) % 11))).collect();
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(row, (cookie, user))| InputRow {
            ts: at("2024-01-05T00:00:00Z"),
            event: Some("visit"),
            anonymous_id: Some(cookie),
            // Every third one logs in.
            user_id: (row % 3 == load % 3).then_some(user.as_str()),
            ..Default::default()
        })
        .collect();
    assert_eq!(world.load(&format!("load {load}"), &rows).await.rejected, 0);
}

/// The folder as a new process sees it.
async fn reopened(folder: &Arc<TempDir>) -> World {
    open(Arc::clone(folder), Settings::defaults().unwrap(), "UTC").await
}

fn checkpoints(folder: &Path) -> PathBuf {
    folder.join("convoke/identity/checkpoints")
}

/// Names of the checkpoints' folders.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(checkpoints(folder)) else { return BTreeSet::new() };
    let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("checkpoint.json").exists());
    folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_checkpoint_equals_a_start_from_all_loads() {
    for taken_after in [vec![0], vec![3], vec![1, 4], vec![6], vec![0, 2, 5]] {
        let world = world().await;
        for number in 0..7 {
            load(&world, number).await;
            if taken_after.contains(&number) {
                assert_eq!(checkpoint(&world).await.epoch, number as u64 + 1);
            }
        }
        let expected = world.rows(ASKED).await;
        let bare = copy_of(world.folder.path());
        fs::remove_dir_all(checkpoints(bare.path())).unwrap();
        let (with, without) = (reopened(&world.folder).await, reopened(&bare).await);
        assert_eq!(with.rows(ASKED).await, expected, "checkpoints after {taken_after:?}");
        assert_eq!(without.rows(ASKED).await, expected);
        let ids = (workspace(&with).await.snapshot().id(), workspace(&without).await.snapshot().id());
        assert_eq!(ids.0, ids.1, "version and epoch");
        assert_eq!(workspace(&with).await.snapshot().commits, workspace(&without).await.snapshot().commits);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_goes_on_after_a_start_from_a_checkpoint() {
    let first = world().await;
    let (loads, numbers) = (5, "SELECT id_type, id_value, person FROM identities ORDER BY 1, 2");
    for number in 0..loads {
        load(&first, number).await;
    }
    checkpoint(&first).await;
    let folder = copy_of(first.folder.path());
    load(&first, loads).await;
    load(&first, loads + 1).await;
    let second = reopened(&folder).await;
    let row =
        InputRow { ts: at("2024-01-05T00:00:00Z"), user_id: Some("u1"), event: Some("seen"), ..Default::default() };
    assert!(second.load("load 2", &[row]).await.skipped, "loads before the checkpoint are known");
    load(&second, loads).await;
    load(&second, loads + 1).await;
    assert_eq!(second.rows(numbers).await, first.rows(numbers).await, "the same numbers as without a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_checkpoint_falls_back_to_an_older_one_and_then_to_the_loads() {
    let world = world().await;
    for number in 0..4 {
        load(&world, number).await;
        checkpoint(&world).await;
    }
    let expected = world.rows(ASKED).await;
    let held = names(world.folder.path());
    assert_eq!(held.len(), 2, "older ones are removed: {held:?}");
    for name in held.iter().rev() {
        let part = checkpoints(world.folder.path()).join(name).join("nodes-00000.parquet");
        let mut bytes = fs::read(&part).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(&part, bytes).unwrap();
        assert_eq!(reopened(&world.folder).await.rows(ASKED).await, expected, "{name} is damaged");
    }
    // The next one heals.
    load(&world, 4).await;
    let newest = checkpoint(&world).await;
    assert_eq!(newest.epoch, 5);
    assert_eq!(reopened(&world.folder).await.rows(ASKED).await, world.rows(ASKED).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_load_is_undone_from_a_checkpoint_and_the_loads_after_it() {
    let world = world().await;
    load(&world, 0).await;
    checkpoint(&world).await;
    load(&world, 1).await;
    let before = world.rows(ASKED).await;
    let mut builder = convoke::ingest::input::InputBuilder::default();
    builder.push(&InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        user_id: Some("phantom"),
        event: Some("seen"),
        ..Default::default()
    });
    let broken = vec![builder.finish(), Err(convoke::error::Error::invalid("the disk was pulled out"))];
    assert!(world.load_batches("broken", broken).await.is_err());
    // Takes the writer, which undoes the load first.
    assert_eq!(checkpoint(&world).await.epoch, 2);
    assert_eq!(world.rows(ASKED).await, before);
    assert_eq!(reopened(&world.folder).await.rows(ASKED).await, before);
}

/// Identity objects of loads that were read, once for each read.
fn of_loads(store: &ObservedStore) -> usize {
    store.reads().iter().filter(|path| path.contains("/identity/") && !path.contains("checkpoints")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_reads_the_stored_state_once() {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let loader = over(&store).await;
    for number in 0..5 {
        load(&loader, number).await;
    }
    let server = Workspaces::new(Root::in_store(Arc::clone(&store) as _).unwrap());
    server.serve("http://127.0.0.1:8815").await;
    store.forget();
    let opened = server.get(&WorkspaceName::default()).await.unwrap();
    assert_eq!(of_loads(&store), 5);
    assert_eq!(opened.snapshot().commits, workspace(&loader).await.snapshot().commits);
    drop(opened.writer().await.unwrap());
    assert_eq!(of_loads(&store), 5, "it is the writer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_checkpoint_reads_fewer_objects() {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let writer = over(&store).await;
    let loads = 20;
    for number in 0..loads {
        load(&writer, number).await;
    }
    store.forget();
    let full = over(&store).await;
    let read_in_full = store.reads().len();
    assert_eq!(of_loads(&store), loads, "each load has one identity object");
    assert_eq!(full.rows(ASKED).await, writer.rows(ASKED).await);

    checkpoint(&writer).await;
    load(&writer, loads).await;
    store.forget();
    let quick = over(&store).await;
    assert_eq!(of_loads(&store), 1, "the load after the checkpoint");
    // The manifest, nodes, births and loads of the checkpoint, in place of an identity object and a log entry a load.
    let read = store.reads();
    let of_checkpoint = read.iter().filter(|path| path.contains("/checkpoints/")).count();
    assert_eq!(of_checkpoint, 4, "{read:?}");
    assert!(read.len() + 2 * (loads - 1) <= read_in_full + of_checkpoint + 2, "{} of {read_in_full}", read.len());
    assert_eq!(quick.rows(ASKED).await, writer.rows(ASKED).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_breaks_off_at_any_write_harms_nothing() {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let world = over(&store).await;
    load(&world, 0).await;
    checkpoint(&world).await;
    load(&world, 1).await;
    let expected = world.rows(ASKED).await;
    let mut broken_off = 0;
    loop {
        store.fail_after(broken_off);
        let outcome = workspace(&world).await.checkpoint_identity(&Arc::default()).await;
        store.fail_never();
        assert_eq!(over(&store).await.rows(ASKED).await, expected, "broken off at write {broken_off}");
        match outcome {
            Ok(taken) => {
                assert_eq!(taken.epoch, 2);
                break;
            }
            Err(_) => broken_off += 1,
        }
    }
    assert_eq!(broken_off, 6, "nodes, births, loads, published file, its manifest, the checkpoint's");
    let left: BTreeSet<_> = store.paths().await.into_iter().filter(|path| path.contains("checkpoints/")).collect();
    assert_eq!(left.len(), 2 * 4, "what broken-off attempts left is removed: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_go_on_while_a_checkpoint_is_written() {
    let world = world().await;
    load(&world, 0).await;
    let workspace = workspace(&world).await;
    let counter = Arc::default();
    let taken = workspace.checkpoint_identity(&counter);
    let loading = async {
        for number in 1..6 {
            load(&world, number).await;
        }
    };
    let (taken, ()) = tokio::join!(taken, loading);
    let taken = taken.unwrap();
    assert!(taken.epoch >= 1 && taken.nodes >= 6);
    assert_eq!(reopened(&world.folder).await.rows(ASKED).await, world.rows(ASKED).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_brings_enough_nodes_is_followed_by_a_checkpoint() {
    let settings = Settings::load(Some("[identity]\ncheckpoint_nodes = 12\n"), std::iter::empty(), &[]).unwrap();
    let world = world_with(settings, "UTC").await;
    let row = |user| InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        user_id: Some(user),
        event: Some("seen"),
        ..Default::default()
    };
    let users: Vec<_> = (0..24).map(|number| format!("u{number}")).collect();
    for (load, users) in users.chunks(4).enumerate() {
        let rows: Vec<_> = users.iter().map(|user| row(user)).collect();
        world.load(&load.to_string(), &rows).await;
        assert_eq!(names(world.folder.path()).len(), (load + 1) / 3, "after {} nodes", (load + 1) * 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_takes_checkpoints_by_time_when_something_was_loaded() {
    let world = world().await;
    load(&world, 0).await;
    let timer = tokio::spawn(checkpoint_by_time(world.workspaces.clone(), Duration::from_millis(20)));
    for epoch in 1..=2 {
        for _ in 0..500 {
            if names(world.folder.path()).len() >= epoch {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(names(world.folder.path()).len(), epoch, "none without a load, one after it");
        load(&world, epoch).await;
    }
    timer.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_new_loads_the_checkpoint_stays() {
    let world = world().await;
    let empty = checkpoint(&world).await;
    assert_eq!((empty.epoch, empty.nodes, empty.persons), (0, 0, 0));
    load(&world, 0).await;
    let first = checkpoint(&world).await;
    assert_eq!(checkpoint(&world).await, first);
    // Another process may ask, too: nothing is to be written.
    let reader = reopened(&world.folder).await;
    assert_eq!(checkpoint(&reader).await, first);
    load(&world, 1).await;
    let reader = reopened(&world.folder).await;
    let refused = workspace(&reader).await.checkpoint_identity(&Arc::default()).await.unwrap_err();
    assert_eq!(refused.kind(), convoke::error::Kind::Conflict);
    assert_ne!(checkpoint(&world).await, first);
}
