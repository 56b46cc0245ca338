//! Streams of events through DoPut on the path `events`, with each acknowledgement timed.

use std::time::{Duration, Instant};

use anyhow::Context;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{FlightClient, FlightData};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Interval, interval};
use tonic::transport::Endpoint;

use super::messages::{self, Messages};
use super::samples::quantile;

/// Bytes that the server may send ahead.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// How streams are sent.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Batches of a stream that wait for their answers at most.
    pub in_flight: usize,
    /// No batch is begun after that.
    pub duration: Duration,
    /// Time between two batches of a stream; none sends as fast as answers come.
    pub every: Option<Duration>,
}

/// What came of an upload.
#[derive(Debug, Default)]
pub struct Uploaded {
    /// Events that are durable.
    pub kept: u64,
    /// Milliseconds from handing a batch over to its acknowledgement.
    pub waits: Vec<f64>,
    /// From the first batch to the last acknowledgement.
    pub seconds: f64,
}

impl Uploaded {
    pub fn events_a_second(&self) -> f64 {
        self.kept as f64 / self.seconds
    }

    pub fn acknowledgements_a_second(&self) -> f64 {
        self.waits.len() as f64 / self.seconds
    }

    /// Milliseconds within which a share of the batches was acknowledged.
    pub fn wait(&self, share: f64) -> f64 {
        quantile(&self.waits, share)
    }
}

/// What the server says of a batch.
#[derive(Deserialize)]
struct Answer {
    kept: u64,
    duplicate: u64,
    rejected: u64,
    #[serde(default)]
    reasons: Vec<String>,
}

/// Sends all streams at once, each over a connection of its own.
///
/// # Errors
/// That of the server; an event that was not kept, since all are good and new.
pub async fn upload(address: &str, token: &str, streams: Vec<Messages>, pace: Pace) -> anyhow::Result<Uploaded> {
    let first = messages::first()?;
    let mut connected = Vec::new();
    for messages in streams {
        connected.push((connect(address, token).await?, messages));
    }
    let started = Instant::now();
    let deadline = started + pace.duration;
    let mut sending = JoinSet::new();
    for (client, messages) in connected {
        sending.spawn(send(client, first.clone(), messages, pace, deadline));
    }
    let mut all = Uploaded::default();
    while let Some(sent) = sending.join_next().await {
        let (kept, waits) = sent??;
        all.kept += kept;
        all.waits.extend(waits);
    }
    all.seconds = started.elapsed().as_secs_f64();
    Ok(all)
}

async fn connect(address: &str, token: &str) -> anyhow::Result<FlightClient> {
    let endpoint = Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true);
    let endpoint = endpoint.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    let mut client = FlightClient::new_from_inner(FlightServiceClient::new(endpoint.connect().await?));
    client.add_header("authorization", &format!("Bearer {token}"))?;
    Ok(client)
}

/// One stream: events kept, and the milliseconds that each batch waited.
async fn send(
    mut client: FlightClient,
    first: FlightData,
    messages: Messages,
    pace: Pace,
    deadline: Instant,
) -> anyhow::Result<(u64, Vec<f64>)> {
    // Holds the times of the batches in flight, and no more of them.
    let (begun, mut waiting) = mpsc::channel(pace.in_flight);
    let batches = Batches { messages, begun, ticks: pace.every.map(interval), deadline };
    let messages = futures::stream::iter([Ok(first)]).chain(futures::stream::unfold(batches, Batches::next));
    let mut answers = client.do_put(messages).await.context("the stream of events was refused")?;
    let (mut kept, mut waits) = (0, Vec::new());
    while let Some(answer) = answers.try_next().await.context("the stream of events broke off")? {
        let begun = waiting.recv().await.context("an answer without a batch")?;
        waits.push(begun.elapsed().as_secs_f64() * 1e3);
        let answer: Answer = serde_json::from_slice(&answer.app_metadata)?;
        let lost = answer.duplicate + answer.rejected;
        anyhow::ensure!(lost == 0, "{lost} events of a batch were not kept: {}", answer.reasons.join("; "));
        kept += answer.kept;
    }
    anyhow::ensure!(waiting.try_recv().is_err(), "the server ended a stream before it had answered all batches");
    Ok((kept, waits))
}

/// The batches of one stream as they are asked for.
struct Batches {
    messages: Messages,
    begun: mpsc::Sender<Instant>,
    ticks: Option<Interval>,
    deadline: Instant,
}

impl Batches {
    /// The next one, once another may be in flight; none when the time is over.
    async fn next(mut self) -> Option<(Result<FlightData, FlightError>, Self)> {
        if let Some(ticks) = &mut self.ticks {
            ticks.tick().await;
        }
        let place = self.begun.reserve().await.ok()?;
        if Instant::now() >= self.deadline {
            return None;
        }
        let message = self.messages.next()?;
        place.send(Instant::now());
        Some((message, self))
    }
}
