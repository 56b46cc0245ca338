//! One person's timeline out of the large history, before and after compaction.

use std::path::Path;

use super::answers;
use super::client::Client;
use super::compaction;
use super::duckdb::DuckDbSql;
use super::history::History;
use super::program::Server;
use super::samples::{median, quantile};

/// Milliseconds end to end that the design asks for.
const GOAL: f64 = 5.0;
/// Persons asked for, for each repeat: each one once, so that no answer is at hand.
const PERSONS_OF_A_REPEAT: usize = 10;
const CHECKED: usize = 3;

pub async fn measure(history: &History, repeats: usize) -> anyhow::Result<()> {
    let persons = repeats.max(1) * PERSONS_OF_A_REPEAT;
    let (version, line) = row("as loaded", &history.loaded(), history, persons).await?;
    println!(
        "| one person's timeline of {} events (median of {persons} persons, in turns) | Convoke, ms | 95 %, ms | goal, ms \
         | ratio | DuckDB {version}, ms |",
        history.events()
    );
    println!("|---|---|---|---|---|---|\n{line}");
    if compaction::ensure(history)? {
        println!("{}", row("compacted", &history.compacted(), history, persons).await?.1);
    }
    println!();
    Ok(())
}

/// DuckDB's version and the line of the table.
async fn row(what: &str, data: &Path, history: &History, persons: usize) -> anyhow::Result<(String, String)> {
    let server = Server::start(data)?;
    let mut client = Client::connect(&server.address, &server.token).await?;
    let mut duckdb = DuckDbSql::start(&data.join("convoke/events"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let users = history.typical_users((CHECKED + persons) as u64);
    for (at, user) in users.enumerate() {
        let columns = "ts, event, brand, channel, order_id, revenue";
        let statement = format!("SELECT {columns} FROM person_timeline('user_id', '{user}') ORDER BY ts");
        let peer = format!("SELECT {columns} FROM events WHERE user_id = '{user}' ORDER BY ts");
        // The first ones warm both sides up and show that they mean the same.
        if at < CHECKED {
            let mut batches = Vec::new();
            client.read(&statement, |batch| batches.push(batch)).await?;
            if let Some(duckdb) = &mut duckdb {
                answers::check_same(&statement, &answers::of_batches(&batches)?, &duckdb.answer(&peer)?)?;
            }
            continue;
        }
        let reading = client.read(&statement, drop).await?;
        anyhow::ensure!(reading.rows > 0, "{user} has no events");
        ours.push(reading.total.as_secs_f64() * 1e3);
        // DuckDB looks through the whole table: a tenth of the persons tells enough.
        if at % PERSONS_OF_A_REPEAT == 0
            && let Some(duckdb) = &mut duckdb
        {
            theirs.push(duckdb.time(&peer)?);
        }
    }
    let (half, most, theirs) = (median(&ours), quantile(&ours, 0.95), median(&theirs));
    let line = format!("| {what} | {half:.1} | {most:.1} | {GOAL:.0} | {:.2} | {theirs:.1} |", half / GOAL);
    Ok((duckdb.map_or_else(|| "not there".to_owned(), |duckdb| duckdb.version), line))
}
