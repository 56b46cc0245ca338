//! The write-ahead log: what is told of it, when its rows become files, what a check finds in it, and that vacuum leaves
//! it alone and a dropped workspace leaves none.

use convoke::auth::Caller;
use convoke::error::Kind;
use convoke::ingest::Loader;
use convoke::ingest::input::InputBuilder;
use convoke::jobs::{Check, Finding, Vacuum};
use convoke::query::Engine;
use convoke::settings::{Bytes, LogSettings};
use convoke::store::wal::record::{FRAME_HEADER_BYTES, HEADER_BYTES, Record, RecordKind, encode};
use convoke::workspace::Manifest;
use object_store::memory::InMemory;

use super::*;
use crate::harness::{open, over, world, world_with};
use crate::observed_store::ObservedStore;

fn visit(user: &str) -> InputRow<'_> {
    InputRow { ts: at("2024-01-05T00:00:00Z"), event: Some("Viewed"), user_id: Some(user), ..Default::default() }
}

async fn try_in_log(world: &World, name: &str, rows: &[InputRow<'_>]) -> convoke::error::Result<()> {
    let mut builder = InputBuilder::default();
    rows.iter().for_each(|row| builder.push(row));
    world.load_in_log(name, vec![builder.finish()]).await.map(drop)
}

async fn load_in_log(world: &World, name: &str, users: &[&str]) {
    let rows: Vec<InputRow<'_>> = users.iter().map(|user| visit(user)).collect();
    try_in_log(world, name, &rows).await.unwrap();
}

const LOG: &str = "SELECT position, flushed_position, hot_rows, hot_bytes > 0, segments, log_bytes > 0,
                     last_flush IS NULL, replay_seconds > 0 FROM system.log";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_the_log_alone_is_shown() {
    let world = world().await;
    assert_eq!(world.row(LOG).await, "0 0 0 false 0 false true true");
    load_in_log(&world, "a", &["u1"]).await;
    load_in_log(&world, "b", &["u1", "u2"]).await;
    assert_eq!(world.row(LOG).await, "2 0 3 true 1 true true true");
    let beside = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(beside.row(LOG).await, "2 0 3 true 1 true true true", "of a process that only reads");
    world.flush().await;
    assert_eq!(world.row(LOG).await, "2 2 0 false 1 true false true");
    assert_eq!(world.row("SELECT last_flush <= now() FROM system.log").await, "true");
    let restarted = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    let is_recent = "SELECT last_flush BETWEEN now() - INTERVAL '1 minute' AND now() FROM system.log";
    assert_eq!(restarted.row(is_recent).await, "true", "the commit tells the next process");
    load_in_log(&world, "c", &["u3"]).await;
    assert_eq!(world.row(LOG).await, "3 2 1 true 1 true false true");
}

/// Where nothing else asks for a flush. A load that finds no room may come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_become_files_before_the_log_is_full() {
    let mut settings = Settings::defaults().unwrap();
    settings.log.disk_limit = Bytes(4 << 20);
    (settings.log.flush_rows, settings.log.flush_bytes) = (usize::MAX, Bytes(usize::MAX));
    let world = world_with(settings, "UTC").await;
    let properties = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    let rows: Vec<InputRow<'_>> = (0..25).map(|_| InputRow { properties: Some(&properties), ..visit("u1") }).collect();
    // 15 MB in all.
    for load in 0..30 {
        let mut attempts = 0;
        while let Err(error) = try_in_log(&world, &format!("load {load}"), &rows).await {
            assert_eq!(error.kind(), Kind::Busy, "{error}");
            attempts += 1;
            assert!(attempts < 1_000, "{error}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(world.row("SELECT count(*) FROM events").await, "750");
    let shown =
        world.row("SELECT flushed_position > 0, log_bytes <= 4194304, last_flush IS NULL FROM system.log").await;
    assert_eq!(shown, "true true false");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_has_no_room_for_is_refused_with_the_setting() {
    let workspaces = Workspaces::new(Root::open("memory://").unwrap())
        .with_log(LogSettings { disk_limit: Bytes(1_000), ..LogSettings::default() });
    let (settings, name) = (Arc::new(Settings::defaults().unwrap()), WorkspaceName::default());
    workspaces.get_or_create(&name, &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
    let world = World {
        folder: Arc::new(tempfile::tempdir().unwrap()),
        engine: Engine::new(workspaces.clone(), Arc::clone(&settings)).unwrap(),
        loader: Loader::new(workspaces.clone(), settings),
        caller: Caller::local_admin(name),
        workspaces,
    };
    let error = try_in_log(&world, "a", &[visit("u1")]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    assert!(error.message().contains("log.disk_limit"), "{error}");
    assert_eq!(world.row("SELECT count(*) FROM events").await, "0");
    assert_eq!(world.row("SELECT position, hot_rows, segments, log_bytes FROM system.log").await, "0 0 0 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_the_log_full_learns_why_its_rows_are_in_no_files() {
    let mut settings = Settings::defaults().unwrap();
    settings.log.disk_limit = Bytes(4 << 20);
    let world = world_with(settings, "UTC").await;
    load_in_log(&world, "first", &["u1"]).await;
    // A file in the place of the folder of the month.
    let in_the_way = folder(&world).join("events/month=2024-01");
    fs::write(&in_the_way, "").unwrap();
    let properties = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    let rows: Vec<InputRow<'_>> = (0..25).map(|_| InputRow { properties: Some(&properties), ..visit("u1") }).collect();
    let (mut loads, mut refused) = (0, String::new());
    for _ in 0..1_000 {
        match try_in_log(&world, &format!("load {loads}"), &rows).await {
            Ok(()) => loads += 1,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Busy, "{error}");
                refused = error.to_string();
                // The first ones may be refused before a flush was tried.
                if refused.contains("cannot be brought there") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    assert!(refused.starts_with("the log of the workspace holds ") && refused.contains("month=2024-01"), "{refused}");
    fs::remove_file(&in_the_way).unwrap();
    world.flush().await;
    try_in_log(&world, "last", &rows).await.unwrap();
    let count = world.row("SELECT count(*) FROM events").await;
    assert_eq!(count, (1 + 25 * (loads + 1)).to_string(), "nothing of what was refused");
}

async fn findings(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    Check::new(root(world), None).run(|finding| found.push(finding.clone())).await.unwrap();
    found
}

/// The one finding, which is of the log.
async fn fault(world: &World) -> Finding {
    let mut found = findings(world).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = found.remove(0);
    assert!(finding.path == "convoke/wal" && !finding.note, "{finding:?}");
    finding
}

/// Frames are found by the layout that `store/wal/record.rs` states: a header, then length, 16 bytes more, payload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_of_the_log_is_named() {
    let world = world().await;
    world.load("in files", &[visit("u0")]).await;
    load_in_log(&world, "a", &["u1"]).await;
    load_in_log(&world, "b", &["u2"]).await;
    assert!(findings(&world).await.is_empty());
    let segment = files(&folder(&world).join("wal")).remove(0);
    let whole = fs::read(&segment).unwrap();
    let length = u32::from_le_bytes(whole[HEADER_BYTES..HEADER_BYTES + 4].try_into().unwrap()) as usize;
    let second = HEADER_BYTES + FRAME_HEADER_BYTES + length;

    for (offset, position) in [(HEADER_BYTES, 1), (second, 2)] {
        let mut changed = whole.clone();
        changed[offset + FRAME_HEADER_BYTES + 9] ^= 0x55;
        fs::write(&segment, changed).unwrap();
        let Finding { what, help, .. } = fault(&world).await;
        assert_eq!(help, "restore the file from a copy, or the workspace from a backup", "as a start says it");
        let name = segment.file_name().unwrap().to_str().unwrap();
        assert!(what.contains(name) && what.contains(&format!("offset {offset}, position {position}")), "{what}");
        assert!(!what.contains("restore"), "what helps is said once: {what}");
    }
    // Whole, and no events.
    let mut nonsense = whole[..second].to_vec();
    let record = Record { position: 2, kind: RecordKind::Events, flags: 0, payload: "nonsense".into() };
    encode(&record, 1, &mut nonsense);
    fs::write(&segment, nonsense).unwrap();
    let Finding { what, help, .. } = fault(&world).await;
    assert!(what.contains(&format!("offset {second}, position 2")) && what.contains("damaged loads"), "{what}");
    assert_eq!(help, "restore it from a backup", "to run the check is no help here");

    fs::write(&segment, &whole[..HEADER_BYTES]).unwrap();
    assert!(fault(&world).await.what.contains("position 0"), "the log ends before what is in files");
    fs::remove_file(&segment).unwrap();
    let Finding { what, help, .. } = fault(&world).await;
    assert!(what.contains("no segment") && help == "restore the folder", "{what}: {help}");
    fs::write(&segment, whole).unwrap();
    assert!(findings(&world).await.is_empty(), "all is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_segment_that_is_lost_is_named() {
    let world = world().await;
    world.load("in files", &[visit("u0")]).await;
    load_in_log(&world, "a", &["u1"]).await;
    load_in_log(&world, "b", &["u2"]).await;
    let root_folder = Arc::clone(&world.folder);
    // The process ends without a word, and the next one begins a segment.
    drop(world);
    let world = open(root_folder, Settings::defaults().unwrap(), "UTC").await;
    load_in_log(&world, "c", &["u3"]).await;
    let mut segments = files(&folder(&world).join("wal"));
    assert_eq!(segments.len(), 2, "{segments:?}");
    let newest = segments.remove(1);
    let name = newest.file_name().unwrap().to_str().unwrap();
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, b"").unwrap();
    let emptied = fault(&world).await.what;
    fs::remove_file(&newest).unwrap();
    for what in [emptied, fault(&world).await.what] {
        assert!(what.contains(name) && what.contains("missing or empty"), "{what}");
    }
    fs::write(&newest, whole).unwrap();
    assert!(findings(&world).await.is_empty(), "all is as it was");
}

/// What a disk is full of must not grow with each try.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_cannot_write_its_files_leaves_none() {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let world = over(&store).await;
    load_in_log(&world, "a", &["u1"]).await;
    let workspace = workspace(&world).await;
    let before = store.paths().await;
    let mut broken_off = 0;
    let left = loop {
        store.fail_after(broken_off);
        let flushed = workspace.flush(64 << 20).await;
        store.fail_never();
        assert!(flushed.is_err(), "at write {broken_off}");
        let left: Vec<_> = store.paths().await.into_iter().filter(|path| !before.contains(path)).collect();
        if !left.is_empty() {
            break left;
        }
        broken_off += 1;
    };
    assert!(broken_off >= 2, "identities and a file of events at least: {left:?}");
    assert_eq!(left.len(), broken_off, "a commit that was tried may have come to pass: {left:?}");
    world.flush().await;
    assert_eq!(world.row("SELECT count(*) FROM events").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vacuum_leaves_the_log_alone() {
    let world = world().await;
    load_in_log(&world, "a", &["u1"]).await;
    files(&folder(&world)).iter().filter(|path| !path.ends_with(".writer.lock")).for_each(|path| age(path, 90));
    let removed = Vacuum::new(workspace(&world).await, 7).unwrap().run().await.unwrap();
    assert!(removed.is_empty(), "{removed:?}");
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.row("SELECT count(*) FROM events").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_workspace_leaves_no_log() {
    let world = world().await;
    load_in_log(&world, "a", &["u1"]).await;
    let folder = Arc::clone(&world.folder);
    // The process that wrote it has ended.
    drop(world);
    let workspaces = Workspaces::new(Root::open(folder.path().to_str().unwrap()).unwrap());
    workspaces.remove(&WorkspaceName::default()).await.unwrap();
    assert!(!folder.path().join("convoke").exists());
}
