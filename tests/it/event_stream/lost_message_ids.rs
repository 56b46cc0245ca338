//! Runs of message ids that are lost: the next writer reads them from the stored events again, and nothing is stored twice.

use std::fs;
use std::path::{Path, PathBuf};

use convoke::jobs::{Check, Finding};
use convoke::store::Root;

use super::*;

const STORED: usize = 200;

/// What became of a run.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Gone,
    /// Seen as soon as the run is opened.
    InFooter,
    /// Seen when a key of the block is asked for.
    InBlock,
}

fn runs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("convoke/dedupe")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn damage(run: &Path, damage: Damage) {
    let mut bytes = fs::read(run).unwrap();
    let place = match damage {
        Damage::Gone => return fs::remove_file(run).unwrap(),
        Damage::InFooter => bytes.len() - 20,
        // Behind the 16 bytes of the header.
        Damage::InBlock => 100,
    };
    bytes[place] ^= 0x40;
    fs::write(run, bytes).unwrap();
}

async fn faults(folder: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let root = Root::open(folder.to_str().unwrap()).unwrap();
    Check::new(root, None).run(|finding| found.push(finding.clone())).await.unwrap();
    found.retain(|finding| !finding.note);
    found
}

fn events(name: &str, count: usize) -> RecordBatch {
    let names: Vec<String> = (0..count).map(|number| format!("{name}{number}")).collect();
    let rows: Vec<_> = names.iter().map(|name| event(name, name)).collect();
    batch(&rows)
}

async fn send_events(world: &World, name: &str) -> (u64, u64, u64) {
    let sender = stream(world).await;
    let checked = sender.check(events(name, STORED), b"").await.unwrap();
    counts(&sender.send(checked).await.wait().await.remove(0).unwrap())
}

/// The folder of a world with events of two flushes, `a` and `b`, and some in the log, of which one run is damaged.
async fn damaged(kind: Damage) -> Arc<TempDir> {
    let world = world().await;
    for name in ["a", "b"] {
        assert_eq!(send_events(&world, name).await, (STORED as u64, 0, 0));
        world.flush().await;
    }
    assert_eq!(send_events(&world, "c").await, (STORED as u64, 0, 0));
    let folder = kill(world).await;
    let runs = runs(folder.path());
    assert_eq!(runs.len(), 2);
    damage(&runs[0], kind);
    let (found, name) = (faults(folder.path()).await, runs[0].file_name().unwrap().to_str().unwrap());
    assert!(found.len() == 1 && found[0].path.contains(name) && found[0].help.contains("anew"), "{found:?}");
    folder
}

async fn reopen(folder: Arc<TempDir>) -> World {
    open(folder, Settings::defaults().unwrap(), "UTC").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_message_ids_come_back_by_themselves() {
    for kind in [Damage::Gone, Damage::InFooter, Damage::InBlock] {
        let mut world = reopen(damaged(kind).await).await;
        assert_eq!(world.row(COUNT).await, format!("{0} {0} {0}", 3 * STORED), "readers need none, {kind:?}");
        for _ in 0..2 {
            for name in ["a", "b", "c"] {
                assert_eq!(send_events(&world, name).await, (0, STORED as u64, 0), "{name}, {kind:?}");
            }
            assert_eq!(world.row(COUNT).await, format!("{0} {0} {0}", 3 * STORED), "{kind:?}");
            let folder = kill(world).await;
            let found = faults(folder.path()).await;
            assert!(found.is_empty(), "{kind:?}: {found:?}");
            world = reopen(folder).await;
        }
        assert_eq!(send_events(&world, "d").await, (STORED as u64, 0, 0), "what is new is stored, {kind:?}");
        world.flush().await;
        assert_eq!(send_events(&world, "d").await, (0, STORED as u64, 0));
    }
}

/// Where the stored events cannot be read either: queries are answered, events are refused with the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_message_ids() {
    let folder = damaged(Damage::Gone).await;
    let file = events_file(&folder.path().join("convoke/events"));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, vec![0; whole.len()]).unwrap();
    let world = reopen(folder).await;
    assert_eq!(world.row("SELECT count(*) FROM events").await, (3 * STORED).to_string());
    let refusal = {
        let sender = stream(&world).await;
        let checked = sender.check(events("d", STORED), b"").await.unwrap();
        sender.send(checked).await.wait().await.remove(0).unwrap_err()
    };
    assert_eq!(refusal.kind(), Kind::Corrupt, "{refusal}");
    let (said, name) = (refusal.to_string(), file.file_name().unwrap().to_str().unwrap());
    assert!(said.contains("message ids are lost") && said.contains(name), "{said}");
    let folder = kill(world).await;
    fs::write(&file, whole).unwrap();
    let world = reopen(folder).await;
    for name in ["a", "b", "c"] {
        assert_eq!(send_events(&world, name).await, (0, STORED as u64, 0), "{name}");
    }
    assert_eq!(send_events(&world, "d").await, (STORED as u64, 0, 0));
}

/// A Parquet file of the table, in one of the folders of months.
fn events_file(table: &Path) -> PathBuf {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let files = entries(table)
        .into_iter()
        .filter(|path| path.is_dir() && !path.ends_with("_delta_log"))
        .flat_map(|month| entries(&month));
    files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "parquet")).unwrap()
}

/// It does not have to begin again: its numbers stay, while the message ids come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_under_way_meets_lost_message_ids() {
    let world = reopen(damaged(Damage::InBlock).await).await;
    for (name, number) in [("a", 1), ("b", 2)] {
        let rows = events(name, MORE_THAN_THE_LOG_TAKES);
        let summary = world.load_in_log(name, vec![Ok(rows)]).await.unwrap();
        let new = (MORE_THAN_THE_LOG_TAKES - STORED) as u64;
        assert_eq!((summary.kept, summary.duplicate), (new, STORED as u64));
        let all = STORED + number * (MORE_THAN_THE_LOG_TAKES - STORED) + 2 * STORED;
        assert_eq!(world.row(COUNT).await, format!("{all} {all} {all}"));
    }
    let folder = kill(world).await;
    assert!(faults(folder.path()).await.is_empty());
    let world = reopen(folder).await;
    assert_eq!(send_events(&world, "a").await, (0, STORED as u64, 0));
}
