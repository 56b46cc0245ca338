//! Gigabytes a second of DoGet, beside pyarrow's Flight server (Arrow C++): with the same batches from its memory, and
//! with stored tables read by it from the same Parquet files.

use std::fs::File;
use std::path::Path;

use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use super::client::{Client, Reading};
use super::history::History;
use super::peer::Peer;
use super::program::Server;
use super::samples::median;

/// At least as fast.
const GOAL: f64 = 1.0;
/// Rows of a generated table, for each person of the history.
const ROWS_OF_A_PERSON: u64 = 5;

/// A result to send: computed on the way, so that the transport is what counts, or read from the stored events.
struct Case {
    name: &'static str,
    what: &'static str,
    statement: String,
    /// Columns as stored, for the other server to read; none where the rows are computed.
    stored: &'static str,
}

/// The stored cases end before this month.
const BEFORE: &str = "2023-04";
/// Added to the name of a table for the one that is read from its files.
const FROM_FILES: &str = "_files";

pub async fn measure(history: &History, folder: &Path, repeats: usize) -> anyhow::Result<()> {
    let server = Server::start(&history.loaded())?;
    let mut client = Client::connect(&server.address, &server.token).await?;
    let cases = cases(history.persons * ROWS_OF_A_PERSON);
    let mut arguments = Vec::new();
    for case in &cases {
        let file = folder.join(format!("{}.arrows", case.name));
        save(&mut client, &case.statement, &file).await?;
        arguments.push(format!("{}={}", case.name, file.display()));
        if !case.stored.is_empty() {
            let events = history.loaded().join("convoke/events");
            let (name, columns) = (case.name, case.stored);
            arguments.push(format!("{name}{FROM_FILES}={}:{BEFORE}:{columns}", events.display()));
        }
    }
    let Some(mut peer) = Peer::with_duckdb("flight_peer.py", &arguments)? else { return Ok(()) };
    let address = format!("http://127.0.0.1:{}", peer.reply()?);
    let mut other = Client::connect(&address, "none").await?;
    println!(
        "| DoGet (median of {}, in turns) | MB | Convoke, GB/s | pyarrow's server from memory, GB/s | ratio | pyarrow's \
         server from the same files, GB/s | ratio | goal |",
        repeats.max(1)
    );
    println!("|---|---|---|---|---|---|---|---|");
    for case in &cases {
        row(case, &mut client, &mut other, repeats).await?;
    }
    println!();
    Ok(())
}

fn cases(rows: u64) -> [Case; 4] {
    // Three of 24 months of events are about half as many rows as the generated ones.
    let stored = |columns: &str| format!("SELECT {columns} FROM events WHERE ts < '{BEFORE}-01T00:00:00Z'");
    [
        Case {
            name: "fixed",
            what: "fixed width, computed: four columns of 64 bits",
            statement: format!(
                "SELECT value AS a, value * 3 AS b, value % 1000 AS c, CAST(value AS DOUBLE) AS d \
                 FROM generate_series(1, {rows})"
            ),
            stored: "",
        },
        Case {
            name: "stored_fixed",
            what: "fixed width, stored: times, persons, amounts",
            statement: stored("ts, received_at, person, revenue, quantity"),
            // The other server knows no persons, only the number behind them.
            stored: "ts,received_at,node,revenue,quantity",
        },
        Case {
            name: "text",
            what: "text, computed: two columns of up to 20 characters",
            statement: format!(
                "SELECT concat('person-', CAST(value AS TEXT)) AS a, concat('order-number-', CAST(value AS TEXT)) AS b \
                 FROM generate_series(1, {rows})"
            ),
            stored: "",
        },
        Case {
            name: "stored_text",
            what: "text, stored: ids, names and JSON",
            statement: stored("message_id, user_id, event, brand, channel, properties"),
            stored: "message_id,user_id,event,brand,channel,properties",
        },
    ]
}

async fn save(client: &mut Client, statement: &str, file: &Path) -> anyhow::Result<()> {
    let (mut writer, mut failure) = (None, None);
    let reading = client
        .read(statement, |batch| {
            let written = (|| -> anyhow::Result<()> {
                let writer = match &mut writer {
                    Some(writer) => writer,
                    none => none.insert(StreamWriter::try_new(File::create(file)?, &batch.schema())?),
                };
                Ok(writer.write(&batch)?)
            })();
            failure = failure.take().or(written.err());
        })
        .await?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    anyhow::ensure!(reading.rows > 0, "{statement}: no rows to send");
    writer.map(|mut writer| writer.finish()).transpose()?;
    Ok(())
}

async fn row(case: &Case, client: &mut Client, other: &mut Client, repeats: usize) -> anyhow::Result<()> {
    let files = format!("{}{FROM_FILES}", case.name);
    let mut tickets = vec![case.name.to_owned()];
    tickets.extend((!case.stored.is_empty()).then_some(files));
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), vec![Vec::new(); tickets.len()], 0);
    // The first reading of each side is not counted. In turns, so that a slow moment of the machine hits all.
    for repeat in 0..=repeats.max(1) {
        let reading = client.read(&case.statement, drop).await?;
        for (ticket, rates) in tickets.iter().zip(&mut theirs) {
            let reading = other.read_ticket(Bytes::from(ticket.clone()), drop).await?;
            rates.extend((repeat > 0).then(|| rate(&reading)));
        }
        if repeat > 0 {
            bytes = reading.bytes;
            ours.push(rate(&reading));
        }
    }
    let (megabytes, ours) = (bytes as f64 / 1e6, median(&ours));
    let mut line = format!("| {} | {megabytes:.0} | {ours:.2} ", case.what);
    for rates in &theirs {
        let theirs = median(rates);
        line.push_str(&format!("| {theirs:.2} | {:.2} ", ours / theirs));
    }
    if theirs.len() == 1 {
        line.push_str("| | ");
    }
    println!("{line}| {GOAL} |");
    Ok(())
}

fn rate(reading: &Reading) -> f64 {
    reading.bytes as f64 / 1e9 / reading.fetch.as_secs_f64()
}
