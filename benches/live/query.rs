//! How long a query over a million events takes while others come in at half the speed that is the goal, over how long it
//! takes when none do.

use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::client::Client;
use super::events::{BATCH_ROWS, EventSource};
use super::messages;
use super::samples::quantile;
use super::served::Served;
use super::upload::{Pace, Uploaded, upload};

/// With events coming in over without, at most.
const GOAL: f64 = 1.3;
/// In turns, so that a slow moment of the machine hits both.
const TURNS: u32 = 3;
const ASKED_ABOUT: usize = 1_000_000;
/// Half of the goal of large batches.
const EVENTS_A_SECOND: usize = 150_000;
const IN_FLIGHT: usize = 4;
const WARM_UPS: usize = 5;
/// Within which the events are there that are asked about.
const LONGEST_LOAD: Duration = Duration::from_secs(600);

pub async fn measure(folder: &Path, duration: Duration) -> anyhow::Result<()> {
    let served = Served::start(folder).await?;
    let mut source = EventSource::new()?;
    let end = source.start() + ASKED_ABOUT as i64;
    let as_fast_as_it_goes = Pace { in_flight: IN_FLIGHT, duration: LONGEST_LOAD, every: None };
    send(&served, &mut source, ASKED_ABOUT, as_fast_as_it_goes).await?;
    served.flush().await?;
    let mut query = Query { client: Client::connect(&served.address, &served.token).await?, statement: statement(end) };
    for _ in 0..WARM_UPS {
        query.ask().await?;
    }
    let turn = duration / TURNS;
    let events = (EVENTS_A_SECOND as f64 * turn.as_secs_f64()).ceil() as usize;
    let every = Duration::from_secs(1) * BATCH_ROWS as u32 / EVENTS_A_SECOND as u32;
    let pace = Pace { in_flight: IN_FLIGHT, duration: turn, every: Some(every) };
    let (mut idle, mut busy, mut uploads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        query.ask_until(Instant::now() + turn, &mut idle).await?;
        let asking = query.ask_until(Instant::now() + turn, &mut busy);
        let (uploaded, asked) = tokio::join!(send(&served, &mut source, events, pace), asking);
        asked?;
        uploads.push(uploaded?);
        served.flush().await?;
    }
    served.stop().await;
    print(&idle, &busy, &uploads);
    Ok(())
}

async fn send(served: &Served, source: &mut EventSource, events: usize, pace: Pace) -> anyhow::Result<Uploaded> {
    upload(&served.address, &served.token, messages::of_batches(source.batches(events)?, 1)?, pace).await
}

/// Those that were there before, which is told by their times: they stay as many.
fn statement(end: i64) -> String {
    format!(
        "SELECT channel, count(*), sum(revenue) FROM events \
         WHERE ts < arrow_cast({end}, 'Timestamp(Microsecond, Some(\"UTC\"))') GROUP BY channel"
    )
}

fn print(idle: &[f64], busy: &[f64], uploads: &[Uploaded]) {
    let kept: u64 = uploads.iter().map(|uploaded| uploaded.kept).sum();
    let seconds: f64 = uploads.iter().map(|uploaded| uploaded.seconds).sum();
    println!("{:.0} events a second came in, {BATCH_ROWS} a batch.\n", kept as f64 / seconds);
    println!("| query | alone, p50, ms | p99, ms | beside events, p50, ms | p99, ms | ratio of p50 | goal |");
    println!("|---|---|---|---|---|---|---|");
    let (half, most, busy_half, busy_most) =
        (quantile(idle, 0.5), quantile(idle, 0.99), quantile(busy, 0.5), quantile(busy, 0.99));
    println!(
        "| revenue by channel of {ASKED_ABOUT} events | {half:.2} | {most:.2} | {busy_half:.2} | {busy_most:.2} | {:.2} | {GOAL} |\n",
        busy_half / half
    );
}

struct Query {
    client: Client,
    statement: String,
}

impl Query {
    /// Asks one after the other until the time is over.
    async fn ask_until(&mut self, until: Instant, times: &mut Vec<f64>) -> anyhow::Result<()> {
        while Instant::now() < until {
            times.push(self.ask().await?);
        }
        Ok(())
    }

    /// Milliseconds.
    async fn ask(&mut self) -> anyhow::Result<f64> {
        let mut counted = 0;
        let reading = self.client.read(&self.statement, |batch| {
            let counts = batch.column(1).as_primitive::<Int64Type>();
            counted += counts.iter().flatten().sum::<i64>();
        });
        let milliseconds = reading.await?.total.as_secs_f64() * 1e3;
        anyhow::ensure!(counted == ASKED_ABOUT as i64, "{counted} events, not {ASKED_ABOUT}");
        Ok(milliseconds)
    }
}
