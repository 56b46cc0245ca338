//! Large batches beside ClickHouse in process (chdb), which inserts batches of the same source into a MergeTree table on
//! the same disk.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use arrow::ipc::writer::StreamWriter;

use super::events::{BATCH_ROWS, EventSource};
use super::peer::{self, Peer};
use super::samples::median;
use super::served::Served;
use super::stream::ONE_STREAM;
use super::upload::upload;

/// Both sides take so many turns, which share the time.
const TURNS: u32 = 3;
/// Batches that chdb inserts over and over: it keeps no message id apart.
const BATCHES: usize = 64;
/// chdb's tables: each insert on disk when it is answered, and as tables are made by default.
const TABLES: [(&str, &str); 2] = [("synced", "each insert synced to disk"), ("plain", "as it comes, not synced")];

pub async fn measure(folder: &Path, duration: Duration) -> anyhow::Result<()> {
    let Some(python) = peer::python("CONVOKE_DUCKDB_PYTHON", "chdb") else {
        println!("chdb is not installed: not compared.\n");
        return Ok(());
    };
    let files = folder.join("batches");
    write_batches(&files)?;
    let (script, data) = (peer::script("live_peer.py"), folder.join("chdb"));
    let mut chdb = Peer::start(&python, &[script.as_os_str(), data.as_os_str(), files.as_os_str()])?;
    let Ok(version) = chdb.reply() else {
        println!("chdb did not start, see its message above: not compared.\n");
        return Ok(());
    };
    let served = Served::start(&folder.join("convoke")).await?;
    let mut source = EventSource::new()?;
    let turn = duration / TURNS;
    let (mut ours, mut theirs) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..TURNS {
        let streams = ONE_STREAM.messages(&mut source, turn)?;
        ours.push(upload(&served.address, &served.token, streams, ONE_STREAM.pace(turn)).await?.events_a_second());
        // The other side has its turn now.
        served.flush().await?;
        for ((table, _), rates) in TABLES.iter().zip(&mut theirs) {
            rates.push(insert(&mut chdb, table, turn)?);
        }
    }
    served.stop().await;
    let ours = median(&ours);
    println!("| batches of {BATCH_ROWS} events (median of {TURNS} turns) | events/s | ours / theirs |\n|---|---|---|");
    println!("| Convoke, durable: message ids seen once, identifiers numbered | {ours:.0} | |");
    for ((_, what), rates) in TABLES.iter().zip(&theirs) {
        println!("| {version}, MergeTree, {what} | {:.0} | {:.2} |", median(rates), ours / median(rates));
    }
    println!();
    Ok(())
}

/// Each batch as a file of its own: chdb reads those faster than Arrow tables of the Python around it.
fn write_batches(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, batch) in EventSource::new()?.batches(BATCHES * BATCH_ROWS)?.iter().enumerate() {
        let file = File::create(folder.join(format!("{number:03}.arrows")))?;
        let mut writer = StreamWriter::try_new(file, batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()?;
    }
    Ok(())
}

/// Events a second.
fn insert(chdb: &mut Peer, table: &str, duration: Duration) -> anyhow::Result<f64> {
    let reply = chdb.ask(&format!("insert {table} {}", duration.as_secs_f64()))?;
    let (events, seconds) = reply.split_once(' ').context("chdb's reply has two numbers")?;
    Ok(events.parse::<f64>()? / seconds.parse::<f64>()?)
}
