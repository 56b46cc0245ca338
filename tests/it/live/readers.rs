//! Counts while streams bring rows, flushes move them into files and compactions rewrite those: none falls, none has a row
//! that was not sent, none lacks one that was acknowledged before it began.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use convoke::jobs::{Compactor, Need};
use convoke::workspace::Workspace;
use futures::{StreamExt, stream};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::event_stream::{Answer, Batch, Journal, send};
use crate::harness::world;
use crate::server::{Served, boot, within};

const DURATION: Duration = Duration::from_secs(4);
const CLIENTS: u64 = 3;
const BUFFER: usize = 64 << 20;

/// Rows that may be there, and rows that must be.
#[derive(Default)]
pub struct Progress {
    sent: AtomicU64,
    acknowledged: AtomicU64,
}

impl Journal for Progress {
    fn sent(&self, batch: &Batch) {
        self.sent.fetch_add(batch.rows as u64, Ordering::SeqCst);
    }

    fn answered(&self, batch: &Batch, answer: Answer) {
        assert_eq!((answer.kept, answer.duplicate, answer.rejected), (batch.rows as u64, 0, 0), "{batch:?}");
        self.acknowledged.fetch_add(answer.kept, Ordering::SeqCst);
    }
}

impl Progress {
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Counts until the end; gives how often. The counts of one reader never fall.
    async fn watch(&self, end: Instant, what: &str, mut count: impl AsyncFnMut() -> u64) -> usize {
        let (mut last, mut counted) = (0, 0);
        while Instant::now() < end {
            let acknowledged = self.acknowledged();
            let rows = count().await;
            let sent = self.sent();
            assert!(rows >= last, "{what}: {rows} rows behind {last}");
            assert!(rows >= acknowledged, "{what}: {rows} rows, {acknowledged} were acknowledged");
            assert!(rows <= sent, "{what}: {rows} rows, {sent} were sent");
            (last, counted) = (rows, counted + 1);
            sleep(Duration::from_millis(5)).await;
        }
        counted
    }
}

/// Rows of the Parquet files of a version of a Delta table, by its log and their footers alone.
fn rows_of_files(table: &Path, version: u64) -> u64 {
    let mut live = BTreeSet::new();
    for version in 0..=version {
        let entry = fs::read_to_string(table.join(format!("_delta_log/{version:020}.json"))).unwrap();
        for line in entry.lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            if let Some(path) = action["add"]["path"].as_str() {
                assert!(live.insert(path.to_owned()), "version {version} adds {path} again");
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(live.remove(path), "version {version} removes {path}, which is not there");
            }
        }
    }
    let rows = |path: &String| {
        let file = fs::File::open(table.join(path)).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().metadata().file_metadata().num_rows() as u64
    };
    live.iter().map(rows).sum()
}

/// Rows of the files and of the log of one state.
fn rows_of_state(table: &Path, workspace: &Workspace) -> u64 {
    let state = workspace.snapshot();
    let is_behind = state.hot.parts().iter().all(|part| part.first > state.flushed);
    assert!(is_behind, "no record is in files and in the log: {:?}", state.id());
    rows_of_files(table, state.events.version) + state.hot.rows() as u64
}

/// Batches of a client of this number, until the end.
pub async fn send_some(served: Arc<Served>, progress: Arc<Progress>, client: u64, end: Instant) {
    let mut random = ChaCha8Rng::seed_from_u64(client);
    let batches = stream::iter(0..).map(move |number| {
        let batch = Batch::new(format!("m{client}-{number}"), random.random_range(1..=50));
        (Duration::from_millis(random.random_range(0..=8)), batch)
    });
    let batches = batches.then(|(pause, batch)| async move {
        sleep(pause).await;
        batch
    });
    let batches = batches.take_while(move |_| std::future::ready(Instant::now() < end));
    let ended = send(served.channel().await, &served.token, batches, 4, progress).await;
    assert!(ended.is_none(), "{ended:?}");
}

/// Gives how many flushes had something to do.
pub async fn flush_often(workspace: Arc<Workspace>, end: Instant) -> usize {
    let mut flushes = 0;
    while Instant::now() < end {
        let before = workspace.snapshot().flushed;
        flushes += usize::from(workspace.flush(BUFFER).await.unwrap().flushed > before);
        sleep(Duration::from_millis(40)).await;
    }
    flushes
}

/// Gives how many months were rewritten.
pub async fn compact_often(served: Arc<Served>, workspace: Arc<Workspace>, end: Instant) -> usize {
    let settings = served.world.engine.settings().upkeep.clone();
    let mut months = 0;
    while Instant::now() < end {
        months += Compactor::new(Arc::clone(&workspace), &settings).run(Need::All).await.unwrap().months;
        sleep(Duration::from_millis(70)).await;
    }
    months
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_hold_while_rows_move_from_the_log_into_files() {
    within(async {
        let served = Arc::new(boot(world().await, Duration::from_secs(5)).await);
        let workspace = served.world.workspaces.get(&served.world.caller.workspace).await.unwrap();
        // The table is made by its first writer.
        drop(workspace.writer().await.unwrap());
        let table = served.world.folder.path().join("convoke/events");
        let progress = Arc::new(Progress::default());
        let end = Instant::now() + DURATION;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| tokio::spawn(send_some(Arc::clone(&served), Arc::clone(&progress), client, end)))
            .collect();
        let flushing = tokio::spawn(flush_often(Arc::clone(&workspace), end));
        let compacting = tokio::spawn(compact_often(Arc::clone(&served), Arc::clone(&workspace), end));
        let count = async |sql: &str| served.world.row(sql).await.parse::<u64>().unwrap();
        let counted = tokio::join!(
            progress.watch(end, "count", async || count("SELECT count(*) FROM events").await),
            progress.watch(end, "scan", async || count("SELECT count(DISTINCT message_id) FROM events").await),
            progress.watch(end, "persons", async || count("SELECT coalesce(sum(event_count), 0) FROM persons").await),
            progress.watch(end, "files and log", async || rows_of_state(&table, &workspace)),
        );
        for client in clients {
            client.await.unwrap();
        }
        let (flushes, months) = (flushing.await.unwrap(), compacting.await.unwrap());
        eprintln!("{counted:?} counts beside {flushes} flushes and {months} compacted months");
        assert!(flushes >= 2 && months >= 2 && counted.0 >= 10, "{counted:?} {flushes} {months}");

        let rows = progress.acknowledged();
        assert_eq!(rows, progress.sent(), "each batch was answered");
        let everywhere = "SELECT count(*), count(DISTINCT message_id) FROM events";
        assert_eq!(served.world.row(everywhere).await, format!("{rows} {rows}"));
        assert_eq!(rows_of_state(&table, &workspace), rows);
        served.world.flush().await;
        assert_eq!((workspace.snapshot().hot.rows(), rows_of_state(&table, &workspace)), (0, rows));
        assert_eq!(served.world.row(everywhere).await, format!("{rows} {rows}"));
    })
    .await;
}
