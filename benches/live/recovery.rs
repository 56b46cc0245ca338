//! What a start costs after a server was killed whose events are all in the log: time until the first answer and peak
//! memory of `convoke serve`, for each gigabyte of log.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::client::Client;
use super::events::EventSource;
use super::messages;
use super::program::Server;
use super::samples::median;
use super::served;
use super::upload::{Pace, upload};

/// Some hundred megabytes of log.
const EVENTS: usize = 1_000_000;
const STREAMS: usize = 4;
const IN_FLIGHT: usize = 4;
const STARTS: usize = 3;
/// A start that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(600);
/// Between two questions to a server that does not answer yet.
const PAUSE: Duration = Duration::from_millis(5);

pub async fn measure(folder: &Path) -> anyhow::Result<()> {
    let (empty, full) = (folder.join("empty"), folder.join("full"));
    let (token_of_empty, token) = (served::prepare(&empty).await?, served::prepare(&full).await?);
    let bytes = fill(&full, &token).await?;
    let (base_seconds, base_memory) = starts(&empty, &token_of_empty, 0).await?;
    let (seconds, memory) = starts(&full, &token, EVENTS as i64).await?;
    let gigabytes = bytes as f64 / 1e9;
    println!(
        "| start after a kill (median of {STARTS}) | log, MB | first answer, s | s per GB | peak memory, MB | MB per GB |"
    );
    println!("|---|---|---|---|---|---|");
    println!("| empty log | | {base_seconds:.2} | | {base_memory:.0} | |");
    println!(
        "| {EVENTS} events in the log | {:.0} | {seconds:.2} | {:.2} | {memory:.0} | {:.0} |\n",
        gigabytes * 1e3,
        (seconds - base_seconds) / gigabytes,
        (memory - base_memory) / gigabytes
    );
    Ok(())
}

/// Sends events to a server that cannot bring them into files, and kills it. Returns the bytes of its log.
async fn fill(data: &Path, token: &str) -> anyhow::Result<u64> {
    let batches = EventSource::new()?.batches(EVENTS)?;
    let server = Server::with_token(data, token.to_owned())?;
    // A flush writes what identifiers came: a file in the place of their folder makes it fail, and rows stay in the log.
    let obstacle = workspace(data).join("identity");
    std::fs::write(&obstacle, "").with_context(|| obstacle.display().to_string())?;
    eprintln!("the server says now and then that it cannot flush: it is not to");
    let before = commits(data)?;
    let pace = Pace { in_flight: IN_FLIGHT, duration: LIMIT, every: None };
    let uploaded = upload(&server.address, token, messages::of_batches(batches, STREAMS)?, pace).await?;
    anyhow::ensure!(uploaded.kept == EVENTS as u64, "{} of {EVENTS} events were sent in time", uploaded.kept);
    drop(server);
    std::fs::remove_file(&obstacle)?;
    anyhow::ensure!(commits(data)? == before, "the log was brought into files meanwhile: nothing is left to replay");
    let mut bytes = 0;
    for file in std::fs::read_dir(workspace(data).join("wal"))? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}

/// The folder of the default workspace.
fn workspace(data: &Path) -> PathBuf {
    data.join("convoke")
}

/// Versions of the events table.
fn commits(data: &Path) -> anyhow::Result<usize> {
    let pattern = workspace(data).join("events/_delta_log/*.json");
    Ok(glob::glob(&pattern.to_string_lossy())?.count())
}

/// Seconds until the first answer and megabytes at the peak, as medians. Each start finds the log that the one before
/// left when it was killed: the same records.
async fn starts(data: &Path, token: &str, events: i64) -> anyhow::Result<(f64, f64)> {
    let (mut seconds, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let started = Instant::now();
        let server = Server::with_token(data, token.to_owned())?;
        let found = first_answer(&server.address, token, started).await?;
        seconds.push(started.elapsed().as_secs_f64());
        memory.push(server.peak_memory());
        anyhow::ensure!(found == events, "{found} events are there after a start, not {events}");
    }
    Ok((median(&seconds), median(&memory)))
}

/// The number of events, as soon as the server tells it: it may listen before it is ready.
async fn first_answer(address: &str, token: &str, started: Instant) -> anyhow::Result<i64> {
    let mut client = Client::connect(address, token).await?;
    loop {
        let mut events = None;
        let asked = client.read("SELECT count(*) FROM events", |batch| {
            events = batch.column(0).as_primitive_opt::<Int64Type>().and_then(|counts| counts.iter().next().flatten());
        });
        match asked.await {
            Ok(_) => return events.context("a count without a row"),
            Err(error) if started.elapsed() > LIMIT => return Err(error),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
