//! A running query as a stream of Flight messages.
//!
//! A task runs the query and encodes; a short channel lets it work ahead of the network, and no further. Dropping the
//! stream stops the task and with it the query. A panic of the task ends the stream with an error, never quietly: a
//! short result must not look like a whole one. Must not know how the query was made.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::Status;
use tracing::Instrument;

use super::encode::{Encoder, Message, split};
use super::output::Output;
use super::running::Registration;
use super::status::to_status;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::request::{self, RequestRecord};

/// Messages made ahead of the network, each about 2 MiB.
const MESSAGES_AHEAD: usize = 3;

/// A query silent for this long sends an empty batch.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) type FlightStream = Pin<Box<dyn Stream<Item = Result<Message, Status>> + Send>>;

/// Counts one query, as finished only when it said so: every other end is a failure.
pub(super) struct QueryCount {
    metrics: Arc<Metrics>,
    request: RequestRecord,
    started: Instant,
    finished: bool,
}

impl QueryCount {
    pub(super) fn start(metrics: &Arc<Metrics>) -> Self {
        metrics.queries_started.inc();
        metrics.queries_running.inc();
        let request = request::current().unwrap_or_default();
        Self { metrics: Arc::clone(metrics), request, started: Instant::now(), finished: false }
    }

    pub(super) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for QueryCount {
    fn drop(&mut self) {
        self.metrics.queries_running.dec();
        self.metrics.query_seconds.observe(self.started.elapsed().as_secs_f64());
        let counter = if self.finished { &self.metrics.queries_finished } else { &self.metrics.queries_failed };
        counter.inc();
    }
}

/// The messages of a running query.
pub(super) fn send_query(
    rows: SendableRecordBatchStream,
    output: Output,
    mut registration: Registration,
    count: QueryCount,
) -> FlightStream {
    let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
    let request = count.request.clone();
    let work = async move {
        let outcome = tokio::select! {
            biased;
            () = registration.cancelled() => Err(Status::cancelled("the query was cancelled")),
            outcome = pump(rows, &output, &sender, &count) => outcome.map_err(to_status),
        };
        match outcome {
            Ok(()) => count.finish(),
            // Nobody listens when the client has gone.
            Err(status) => drop(sender.send(Err(status)).await),
        }
    };
    let task = tokio::spawn(request.scope(work).in_current_span());
    Box::pin(QueryMessages { receiver, task, ended: false })
}

/// Moves all rows of a query into the channel.
async fn pump(
    mut rows: SendableRecordBatchStream,
    output: &Output,
    sender: &mpsc::Sender<Result<Message, Status>>,
    count: &QueryCount,
) -> Result<()> {
    let gone = || Error::busy("the client has gone");
    let mut encoder = Encoder::new(output.schema())?;
    sender.send(Ok(encoder.schema())).await.map_err(|_| gone())?;
    loop {
        let Ok(next) = tokio::time::timeout(KEEP_ALIVE, rows.next()).await else {
            // A full channel is not silent.
            if let Ok(place) = sender.try_reserve() {
                place.send(Ok(encoder.keep_alive(output.schema())?));
            }
            continue;
        };
        let Some(batch) = next.transpose()? else { return Ok(()) };
        if batch.num_rows() == 0 {
            continue;
        }
        for part in split(output.adapt(&batch)?) {
            let message = encoder.batch(&part)?;
            count.request.count_rows(part.num_rows() as u64);
            count.metrics.rows_sent.inc_by(part.num_rows() as u64);
            count.metrics.bytes_sent.inc_by(message.bytes() as u64);
            sender.send(Ok(message)).await.map_err(|_| gone())?;
        }
    }
}

/// A batch that is there already, such as metadata.
pub(super) fn send_batch(schema: &SchemaRef, batch: RecordBatch) -> Result<FlightStream> {
    let mut encoder = Encoder::new(schema)?;
    let mut messages = vec![Ok(encoder.schema())];
    if batch.num_rows() > 0 {
        for part in split(batch) {
            messages.push(Ok(encoder.batch(&part)?));
        }
    }
    Ok(Box::pin(futures::stream::iter(messages)))
}

struct QueryMessages {
    receiver: mpsc::Receiver<Result<Message, Status>>,
    task: JoinHandle<()>,
    ended: bool,
}

impl Stream for QueryMessages {
    type Item = Result<Message, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = ready!(self.receiver.poll_recv(context)) {
            return Poll::Ready(Some(message));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let end = ready!(self.task.poll_unpin(context));
        // A task must not be asked for its end twice.
        self.ended = true;
        match end {
            Ok(()) => Poll::Ready(None),
            Err(_) => Poll::Ready(Some(Err(broken()))),
        }
    }
}

impl Drop for QueryMessages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn broken() -> Status {
    to_status(Error::internal("the query ended by a fault of the server: its log tells more"))
}
