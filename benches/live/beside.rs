//! How long small questions take while events come in, over how long they take when nothing does.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow_flight::sql::client::PreparedStatement;
use tonic::transport::Channel;

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
const EVENTS_A_SECOND: usize = 5_000;
const EVENTS_OF_A_BATCH: usize = 50;
/// More than are ever on the way, so that answers do not slow the stream down.
const IN_FLIGHT: usize = 64;
const WARM_UPS: usize = 200;

/// Sets of one statement, each some 0.4 % of a million persons.
const SETS: u64 = 16;
const PERSONS: u64 = 1_000_000;
const SHARED_STEP: u64 = 500;

/// Milliseconds of each question.
#[derive(Default)]
struct Times {
    select: Vec<f64>,
    sets: Vec<f64>,
}

pub async fn measure(folder: &Path, duration: Duration) -> anyhow::Result<()> {
    let served = Served::start(folder).await?;
    let mut questions = Questions::prepare(&served).await?;
    let mut source = EventSource::new()?;
    let turn = duration / TURNS;
    let (mut idle, mut busy, mut uploads) = (Times::default(), Times::default(), Vec::new());
    for _ in 0..TURNS {
        questions.ask(Instant::now() + turn, &mut idle).await?;
        let events = events(&mut source, turn)?;
        let (uploaded, asked) =
            tokio::join!(send(&served, events, turn), questions.ask(Instant::now() + turn, &mut busy));
        asked?;
        uploads.push(uploaded?);
        served.flush().await?;
    }
    served.stop().await;
    print(&idle, &busy, &uploads);
    Ok(())
}

fn print(idle: &Times, busy: &Times, uploads: &[Uploaded]) {
    let kept: u64 = uploads.iter().map(|uploaded| uploaded.kept).sum();
    let seconds: f64 = uploads.iter().map(|uploaded| uploaded.seconds).sum();
    let waits: Vec<f64> = uploads.iter().flat_map(|uploaded| uploaded.waits.iter().copied()).collect();
    println!(
        "{:.0} events a second came in, {EVENTS_OF_A_BATCH} a batch; acknowledged in {:.2} ms (p50), {:.2} ms (p99).\n",
        kept as f64 / seconds,
        quantile(&waits, 0.5),
        quantile(&waits, 0.99)
    );
    println!(
        "| question through Flight | alone, p50, ms | p99, ms | beside events, p50, ms | p99, ms | ratio of p50 | goal |"
    );
    println!("|---|---|---|---|---|---|---|");
    let rows = [
        ("`SELECT 1`", &idle.select, &busy.select),
        ("`bitmap_and_count` of 16 sets as parameters", &idle.sets, &busy.sets),
    ];
    for (what, idle, busy) in rows {
        let (half, most) = (quantile(idle, 0.5), quantile(idle, 0.99));
        let (busy_half, busy_most) = (quantile(busy, 0.5), quantile(busy, 0.99));
        let ratio = busy_half / half;
        println!("| {what} | {half:.3} | {most:.3} | {busy_half:.3} | {busy_most:.3} | {ratio:.2} | {GOAL} |");
    }
    println!();
}

/// Small batches for one turn.
fn events(source: &mut EventSource, turn: Duration) -> anyhow::Result<Vec<RecordBatch>> {
    let large = source.batches((EVENTS_A_SECOND as f64 * turn.as_secs_f64()).ceil() as usize)?;
    let starts = || (0..BATCH_ROWS).step_by(EVENTS_OF_A_BATCH);
    Ok(large.iter().flat_map(|batch| starts().map(move |start| batch.slice(start, EVENTS_OF_A_BATCH))).collect())
}

async fn send(served: &Served, batches: Vec<RecordBatch>, turn: Duration) -> anyhow::Result<Uploaded> {
    let every = Duration::from_secs(1) * EVENTS_OF_A_BATCH as u32 / EVENTS_A_SECOND as u32;
    let pace = Pace { in_flight: IN_FLIGHT, duration: turn, every: Some(every) };
    upload(&served.address, &served.token, messages::of_batches(batches, 1)?, pace).await
}

/// A client with its statements.
struct Questions {
    client: Client,
    sets: PreparedStatement<Channel>,
}

impl Questions {
    async fn prepare(served: &Served) -> anyhow::Result<Self> {
        let mut client = Client::connect(&served.address, &served.token).await?;
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for set in 0..SETS {
            let members = format!("value % {SHARED_STEP} = 0 OR value % {} = 0", own_step(set));
            let statement = format!("SELECT bitmap_agg(value) FROM generate_series(1, {PERSONS}) WHERE {members}");
            columns.push((format!("${}", set + 1), value(&mut client, &statement).await?));
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let statement = format!("SELECT bitmap_and_count({}) AS persons", names.join(", "));
        let mut sets = client.sql.prepare(statement, None).await?;
        sets.set_parameters(RecordBatch::try_from_iter(columns)?)?;
        let mut questions = Self { client, sets };
        questions.warm_up().await?;
        Ok(questions)
    }

    async fn warm_up(&mut self) -> anyhow::Result<()> {
        let in_all = |person: u64| {
            person.is_multiple_of(SHARED_STEP) || (0..SETS).all(|set| person.is_multiple_of(own_step(set)))
        };
        let expected = (1..=PERSONS).filter(|person| in_all(*person)).count() as i64;
        for _ in 0..WARM_UPS {
            self.select().await?;
            let (_, persons) = self.count().await?;
            anyhow::ensure!(persons == Some(expected), "{persons:?} persons are in all sets, not {expected}");
        }
        Ok(())
    }

    /// Asks one after the other until the time is over.
    async fn ask(&mut self, until: Instant, times: &mut Times) -> anyhow::Result<()> {
        while Instant::now() < until {
            times.select.push(self.select().await?);
            times.sets.push(self.count().await?.0);
        }
        Ok(())
    }

    async fn select(&mut self) -> anyhow::Result<f64> {
        Ok(self.client.read("SELECT 1", drop).await?.total.as_secs_f64() * 1e3)
    }

    /// Milliseconds, and how many persons are in all sets. The sets are sent each time.
    async fn count(&mut self) -> anyhow::Result<(f64, Option<i64>)> {
        let (started, mut persons) = (Instant::now(), None);
        // Binding gives back a handle with the sets in it: from the first one, they are sent once and not twice.
        let info = self.sets.clone().execute().await?;
        let take = |batch: RecordBatch| {
            persons = batch.column(0).as_primitive_opt::<Int64Type>().and_then(|counts| counts.iter().next().flatten());
        };
        let reading = self.client.read_planned(started, info, take).await?;
        Ok((reading.total.as_secs_f64() * 1e3, persons))
    }
}

/// Beside the persons of [`SHARED_STEP`], who are in every set, a set has those of a step of its own.
fn own_step(set: u64) -> u64 {
    SHARED_STEP + 1 + set
}

/// The column of a result of one row and one column.
async fn value(client: &mut Client, statement: &str) -> anyhow::Result<ArrayRef> {
    let mut found = None;
    client
        .read(statement, |batch| {
            if batch.num_rows() == 1 {
                found = Some(batch.column(0).clone());
            }
        })
        .await?;
    found.with_context(|| format!("no value: {statement}"))
}
