//! A whole table through Flight: how soon the first row is there, and how fast the rest follows.

use super::client::Client;
use super::samples::median;

const STATEMENT: &str = "SELECT * FROM events";

pub async fn measure(client: &mut Client, repeats: usize) -> anyhow::Result<()> {
    let (mut first, mut seconds, mut rates, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
    // The first reading opens files and makes plans: it is not counted.
    for repeat in 0..=repeats.max(1) {
        let reading = client.read(STATEMENT, drop).await?;
        if repeat > 0 {
            first.push(reading.first_row.as_secs_f64() * 1e3);
            seconds.push(reading.total.as_secs_f64());
            rates.push(reading.bytes as f64 / 1e6 / reading.total.as_secs_f64());
            rows = reading.rows;
        }
    }
    println!("| through Flight (median of {}) | first row, ms | all rows, s | MB/s | rows/s |", first.len());
    println!("|---|---|---|---|---|");
    let total = median(&seconds);
    println!(
        "| `{STATEMENT}`, {rows} rows | {:.1} | {total:.2} | {:.0} | {:.0} |\n",
        median(&first),
        median(&rates),
        rows as f64 / total
    );
    Ok(())
}
