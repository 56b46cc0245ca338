//! Daily revenue by brand and channel over two years, beside DuckDB on the same Parquet files, and the memory of both.

use std::path::Path;

use super::answers;
use super::client::Client;
use super::compaction;
use super::duckdb::DuckDbSql;
use super::history::History;
use super::program::Server;
use super::samples::median;

/// At most this many times DuckDB's time.
const GOAL: f64 = 1.5;
const STATEMENT: &str = "SELECT CAST(date_trunc('day', ts) AS DATE) AS day, brand, channel, count(*) AS orders, \
                         sum(revenue) AS revenue FROM events WHERE event = 'Order Completed' GROUP BY 1, 2, 3";

pub async fn measure(history: &History, repeats: usize) -> anyhow::Result<()> {
    let (version, line) = row("as loaded", &history.loaded(), repeats).await?;
    println!(
        "| daily revenue by brand and channel, {} events (median of {}, in turns) | Convoke, ms | DuckDB {version}, ms \
         | ratio | goal | Convoke's peak memory, MB | DuckDB's, MB |",
        history.events(),
        repeats.max(1)
    );
    println!("|---|---|---|---|---|---|---|\n{line}");
    if compaction::ensure(history)? {
        println!("{}", row("compacted", &history.compacted(), repeats).await?.1);
    }
    println!();
    Ok(())
}

/// DuckDB's version and the line of the table.
async fn row(what: &str, data: &Path, repeats: usize) -> anyhow::Result<(String, String)> {
    let server = Server::start(data)?;
    let mut client = Client::connect(&server.address, &server.token).await?;
    let mut duckdb = DuckDbSql::start(&data.join("convoke/events"))?;
    // Warms both sides up, too.
    let mut batches = Vec::new();
    client.read(STATEMENT, |batch| batches.push(batch)).await?;
    if let Some(duckdb) = &mut duckdb {
        answers::check_same(STATEMENT, &answers::of_batches(&batches)?, &duckdb.answer(STATEMENT)?)?;
        duckdb.peer.forget_peak_memory();
    }
    server.forget_peak_memory();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for repeat in 0..repeats.max(1) {
        // In turns, so that a slow moment of the machine hits both.
        for is_ours in [repeat % 2 == 0, repeat % 2 == 1] {
            if is_ours {
                ours.push(client.read(STATEMENT, drop).await?.total.as_secs_f64() * 1e3);
            } else if let Some(duckdb) = &mut duckdb {
                theirs.push(duckdb.time(STATEMENT)?);
            }
        }
    }
    let (ours, theirs) = (median(&ours), median(&theirs));
    let peer_memory = duckdb.as_ref().map_or(f64::NAN, |duckdb| duckdb.peer.peak_memory());
    let line = format!(
        "| {what} | {ours:.1} | {theirs:.1} | {:.2} | {GOAL} | {:.0} | {peer_memory:.0} |",
        ours / theirs,
        server.peak_memory()
    );
    Ok((duckdb.map_or_else(|| "not there".to_owned(), |duckdb| duckdb.version), line))
}
