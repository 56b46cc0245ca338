//! Events a second through DoPut, durable and visible when they are acknowledged, while flushes bring them into files.

use std::path::Path;
use std::time::Duration;

use super::events::EventSource;
use super::messages::{self, Messages};
use super::served::Served;
use super::upload::{Pace, upload};

/// Events are made for so many times the goal: a faster server runs out of them and is measured for a shorter time.
const MARGIN: f64 = 1.2;

/// How events are sent.
pub struct Shape {
    name: &'static str,
    what: &'static str,
    streams: usize,
    in_flight: usize,
    /// A batch an event; otherwise 10,000 events a batch.
    single: bool,
    /// Events a second that are acknowledged.
    goal: f64,
}

/// Large batches of one client.
pub const ONE_STREAM: Shape = Shape {
    name: "one",
    what: "1 stream, 4 batches of 10,000 events in flight",
    streams: 1,
    in_flight: 4,
    single: false,
    goal: 300_000.0,
};

const SHAPES: [Shape; 3] = [
    ONE_STREAM,
    Shape { name: "four", what: "4 streams, each 4 batches of 10,000 events in flight", streams: 4, ..ONE_STREAM },
    Shape {
        name: "single",
        what: "64 streams, each 16 batches of 1 event in flight",
        streams: 64,
        in_flight: 16,
        single: true,
        goal: 20_000.0,
    },
];

impl Shape {
    pub fn pace(&self, duration: Duration) -> Pace {
        Pace { in_flight: self.in_flight, duration, every: None }
    }

    /// All that can be sent in that time.
    pub fn messages(&self, source: &mut EventSource, duration: Duration) -> anyhow::Result<Vec<Messages>> {
        let batches = source.batches((self.goal * MARGIN * duration.as_secs_f64()).ceil() as usize)?;
        match self.single {
            true => messages::of_events(&batches, self.streams),
            false => messages::of_batches(batches, self.streams),
        }
    }
}

pub async fn measure(folder: &Path, duration: Duration) -> anyhow::Result<()> {
    println!(
        "| events through DoPut for {:.0} s | events/s | acknowledgements/s | p50, ms | p99, ms | in files by then | goal, events/s \
         | ratio |",
        duration.as_secs_f64()
    );
    println!("|---|---|---|---|---|---|---|---|");
    for shape in SHAPES {
        row(&shape, &folder.join(shape.name), duration).await?;
    }
    println!();
    Ok(())
}

async fn row(shape: &Shape, folder: &Path, duration: Duration) -> anyhow::Result<()> {
    let streams = shape.messages(&mut EventSource::new()?, duration)?;
    let served = Served::start(folder).await?;
    let uploaded = upload(&served.address, &served.token, streams, shape.pace(duration)).await?;
    let in_files = served.events_in_files().await? as f64 / uploaded.kept as f64;
    served.stop().await;
    println!(
        "| {} | {:.0} | {:.0} | {:.2} | {:.2} | {:.0} % | {:.0} | {:.2} |",
        shape.what,
        uploaded.events_a_second(),
        uploaded.acknowledgements_a_second(),
        uploaded.wait(0.5),
        uploaded.wait(0.99),
        in_files * 100.0,
        shape.goal,
        uploaded.events_a_second() / shape.goal
    );
    Ok(())
}
