//! Rows per second of a bulk load from Parquet, durable.

use std::path::Path;
use std::time::Instant;

use convoke::error::Result;
use convoke::ingest::LoadRequest;
use convoke::ingest::read::{FileReader, ReadOptions};
use futures::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::instance::Instance;
use super::samples::median;

/// Rows per second that the design asks for.
const GOAL: f64 = 300_000.0;
/// As in `convoke ingest`.
const BATCHES_IN_FLIGHT: usize = 4;

/// Loads `file` several times, each time into a folder without anything; the last one stays in `data`.
pub async fn measure(file: &Path, data: &Path, loads: usize) -> anyhow::Result<()> {
    let mut seconds = Vec::new();
    let mut rows = 0;
    for _ in 0..loads.max(1) {
        if data.exists() {
            std::fs::remove_dir_all(data)?;
        }
        let instance = Instance::open(data).await?;
        let started = Instant::now();
        rows = load(&instance, file).await?;
        seconds.push(started.elapsed().as_secs_f64());
        eprintln!("loaded {rows} rows in {:.2} s", seconds[seconds.len() - 1]);
    }
    let rate = rows as f64 / median(&seconds);
    println!("| bulk load | rows/s (median of {}) | goal | ratio |\n|---|---|---|---|", seconds.len());
    println!("| Parquet file into the events table, durable | {rate:.0} | {GOAL:.0} | {:.2} |\n", rate / GOAL);
    Ok(())
}

/// One load as `convoke ingest` does it, hashing included. Returns the rows kept.
async fn load(instance: &Instance, file: &Path) -> anyhow::Result<u64> {
    let reader = FileReader::open(file, ReadOptions::default())?;
    let hashes = reader.hashes()?;
    let request = LoadRequest {
        source: file.display().to_string(),
        content_hash: hashes.content,
        file_hash: Some(hashes.file),
        again: false,
        checked: true,
    };
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<_>>(BATCHES_IN_FLIGHT);
    tokio::task::spawn_blocking(move || {
        for batch in reader.batches() {
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
    });
    let summary = instance.loader.load(&instance.caller, request, ReceiverStream::new(receiver).boxed()).await?;
    anyhow::ensure!(summary.rejected == 0 && !summary.skipped, "not all rows were loaded: {summary:?}");
    Ok(summary.kept)
}
