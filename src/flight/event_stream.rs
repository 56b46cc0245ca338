//! The event stream: DoPut on the path `events`, of which each batch is answered once it is durable and readable.
//!
//! The first message is the schema, some of the columns of events by name. A batch's own metadata is its key; the answer's
//! metadata is an `AppendResult` as JSON. Answers come in the order of the batches, many of which may be on their way. An
//! error that ends the stream names its batch by its number in the stream: its sender has no answer to tell it by. Small
//! batches are done together, and each has an outcome of its own all the same.

mod admission;
mod report;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow_flight::{FlightData, PutResult};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use tonic::Streaming;

use self::admission::{StandingCaller, until_stop};
use self::report::StreamReport;
use super::login::CallContext;
use super::receive::{Received, receive_with_metadata};
use super::service::FlightSql;
use crate::error::{Error, Kind, Result};
use crate::ingest::{CheckedBatches, EventStream, SentColumns};
use crate::store::events::batch_bytes;
use crate::workspace::{AppendResult, BatchResults};

/// The path of the descriptor.
pub(super) const PATH: &str = "events";

/// Groups of one stream that are checked at once.
const CHECKED_AT_ONCE: usize = 4;

/// Groups of one stream that wait for their answers.
const ON_THEIR_WAY: usize = 64;

/// Batches that have come and were not looked at yet: they may become one group.
const TAKEN_AT_ONCE: usize = 64;

/// Rows of a batch that is small: each costs little beside what a batch costs.
const SMALL: usize = 64;

/// Bytes of a batch that is small.
const SMALL_BYTES: usize = 64 << 10;

/// Rows of a group of more than one batch.
const MOST_OF_GROUP: usize = 1_024;

impl FlightSql {
    /// Takes a stream of batches. Ends with the first one that cannot be written or comes when the token is not good any
    /// more, and when the server stops; those before that are answered.
    pub(super) async fn put_events(
        &self,
        context: &CallContext,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<BoxStream<'static, Result<PutResult>>> {
        let stream = Arc::new(self.loader.stream(&context.caller).await?);
        let sender = Arc::clone(&stream);
        let report = StreamReport::new(Arc::clone(&self.metrics));
        let mut reader = BatchReader::default();
        let (tokens, secret, caller) = (self.tokens.clone(), Arc::clone(&context.secret), context.caller.clone());
        let standing = Arc::new(StandingCaller { tokens, secret, caller });
        let messages = receive_with_metadata(futures::stream::iter([Ok(first)]).chain(rest));
        let groups = until_stop(messages, self.stopping.subscribe())
            .ready_chunks(TAKEN_AT_ONCE)
            .then(move |messages| {
                let standing = Arc::clone(&standing);
                async move {
                    match standing.check().await {
                        Ok(()) => messages,
                        Err(error) => vec![Err(error)],
                    }
                }
            })
            .flat_map(move |messages| futures::stream::iter(reader.groups_of(messages)));
        let answers = groups
            .map(move |group| {
                let stream = Arc::clone(&stream);
                async move {
                    match group {
                        Ok(group) => group.check(&stream).await,
                        Err(error) => vec![Err(error)],
                    }
                }
            })
            .buffered(CHECKED_AT_ONCE)
            .flat_map(futures::stream::iter)
            .then(move |checked| {
                let sender = Arc::clone(&sender);
                async move {
                    match checked {
                        Ok((first, checked)) => Ok((first, sender.send(checked).await)),
                        Err(error) => Err(error),
                    }
                }
            })
            .map(|answer| async move {
                match answer {
                    Ok((first, answer)) => with_numbers(first, answer.wait().await),
                    Err(error) => vec![Err(error)],
                }
            })
            .buffered(ON_THEIR_WAY)
            .flat_map(futures::stream::iter);
        Ok(until_error(answers.map(move |result| to_answer(&result?, &report)).boxed()))
    }
}

/// Names a batch by its number in its stream, counted from 1.
fn in_batch(number: u64, error: Error) -> Error {
    error.context(format!("batch {number}"))
}

/// The results of batches of which this is the number of the first one.
fn with_numbers(first: u64, results: BatchResults) -> BatchResults {
    (first..).zip(results).map(|(number, result)| result.map_err(|error| in_batch(number, error))).collect()
}

/// What is checked and written together: one batch with or without a key, or small ones without.
struct Group {
    /// Number of the first one.
    first: u64,
    /// One behind the other.
    rows: RecordBatch,
    sizes: Vec<usize>,
    key: Bytes,
}

impl Group {
    /// What is ready to be written, each with the number of its first batch.
    async fn check(self, stream: &EventStream) -> Vec<Result<(u64, CheckedBatches)>> {
        if self.sizes.len() > 1 {
            let checked = stream.check_together(self.rows.clone(), self.sizes.clone()).await;
            if let Ok(checked) = checked {
                return vec![Ok((self.first, checked))];
            }
            // What is wrong with one of them is no fault of the others.
        }
        let each = self.split().into_iter().map(|Self { first, rows, key, .. }| async move {
            let checked = stream.check(rows, &key).await;
            checked.map(|checked| (first, checked)).map_err(|error| in_batch(first, error))
        });
        join_all(each).await
    }

    /// Each batch alone.
    fn split(self) -> Vec<Self> {
        let Self { first, rows, sizes, key } = self;
        let mut start = 0;
        let alone = |(first, size): (u64, usize)| {
            let rows = rows.slice(start, size);
            start += size;
            Self { first, rows, sizes: vec![size], key: key.clone() }
        };
        (first..).zip(sizes).map(alone).collect()
    }
}

/// Batches as they were sent, all of one schema, and the key of one that is alone.
#[derive(Default)]
struct SentBatches {
    /// Number of the first one.
    first: u64,
    batches: Vec<RecordBatch>,
    key: Bytes,
    /// Of all batches.
    rows: usize,
    /// One of them is not small.
    has_large: bool,
}

impl SentBatches {
    fn takes(&self, batch: &RecordBatch, is_small: bool, key: &Bytes) -> bool {
        let are_small = is_small && !self.has_large;
        self.key.is_empty() && key.is_empty() && are_small && self.rows + batch.num_rows() <= MOST_OF_GROUP
    }

    /// As columns of events. Where a batch is too large, those before it stand alone: they count.
    fn convert(self, columns: &SentColumns) -> Vec<Result<Group>> {
        let Self { first, batches, key, .. } = self;
        let convert = |first: u64, batches: &[RecordBatch]| {
            let rows = match batches {
                [batch] => columns.convert(batch),
                [one, ..] => concat_batches(one.schema_ref(), batches)
                    .map_err(Error::from)
                    .and_then(|batch| columns.convert(&batch)),
                [] => Err(Error::internal("a group without a batch")),
            };
            let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
            let rows = rows.map_err(|error| in_batch(first, error))?;
            Ok(Group { first, rows, sizes, key: key.clone() })
        };
        match convert(first, &batches) {
            Err(_) if batches.len() > 1 => {
                (first..).zip(batches.chunks(1)).map(|(number, batch)| convert(number, batch)).collect()
            }
            group => vec![group],
        }
    }
}

/// What becomes a group, and the columns that it has.
type Sent = (Arc<SentColumns>, SentBatches);

/// Makes groups of the messages of a stream.
#[derive(Default)]
struct BatchReader {
    /// None before the schema.
    columns: Option<Arc<SentColumns>>,
    /// That have come.
    batches: u64,
}

impl BatchReader {
    /// The batches among these messages, small ones together. Each is converted when it is asked for: a short message can
    /// stand for many megabytes.
    fn groups_of(&mut self, messages: Vec<Result<(Received, Bytes)>>) -> impl Iterator<Item = Result<Group>> + use<> {
        let (mut groups, mut sent) = (Vec::new(), SentBatches::default());
        let outcome = messages.into_iter().try_for_each(|message| self.add(message, &mut sent, &mut groups));
        if let (Some(columns), false) = (self.columns.as_ref(), sent.batches.is_empty()) {
            groups.push(Ok((Arc::clone(columns), sent)));
        }
        groups.extend(outcome.err().map(Err));
        groups.into_iter().flat_map(|group| match group {
            Ok((columns, sent)) => sent.convert(&columns),
            Err(error) => vec![Err(error)],
        })
    }

    /// Adds the batch of a message to those that were sent, which become a group before where they do not take it.
    fn add(
        &mut self,
        message: Result<(Received, Bytes)>,
        sent: &mut SentBatches,
        groups: &mut Vec<Result<Sent>>,
    ) -> Result<()> {
        let first = self.batches + 1;
        let (message, key) = message.map_err(|error| match self.columns {
            Some(_) if error.kind() == Kind::InvalidInput => in_batch(first, error),
            // What is wrong with the schema, the token or the server is wrong with every batch.
            _ => error,
        })?;
        let batch = match message {
            Received::Schema(schema) => {
                // Those that came before it are of the one before.
                if let (Some(columns), false) = (self.columns.as_ref(), sent.batches.is_empty()) {
                    groups.push(Ok((Arc::clone(columns), std::mem::take(sent))));
                }
                self.columns = Some(Arc::new(SentColumns::of(&schema)?));
                return Ok(());
            }
            Received::Batch(batch) => batch,
        };
        let columns = self.columns.as_ref().ok_or_else(|| Error::invalid("a batch came before the schema"))?;
        // Asked once a batch: what it takes of memory is told column by column.
        let is_small = batch.num_rows() <= SMALL && batch_bytes(&batch) <= SMALL_BYTES;
        if !sent.batches.is_empty() && !sent.takes(&batch, is_small, &key) {
            groups.push(Ok((Arc::clone(columns), std::mem::take(sent))));
        }
        if sent.batches.is_empty() {
            sent.first = first;
        }
        sent.key = key;
        sent.rows += batch.num_rows();
        sent.has_large |= !is_small;
        sent.batches.push(batch);
        self.batches = first;
        Ok(())
    }
}

fn to_answer(result: &AppendResult, report: &StreamReport) -> Result<PutResult> {
    report.count(result);
    Ok(PutResult { app_metadata: serde_json::to_vec(result)?.into() })
}

/// What was sent behind a batch that failed is not answered.
fn until_error(answers: BoxStream<'static, Result<PutResult>>) -> BoxStream<'static, Result<PutResult>> {
    let mut failed = false;
    answers
        .take_while(move |answer| {
            let goes_on = !failed;
            failed = answer.is_err();
            std::future::ready(goes_on)
        })
        .boxed()
}

#[cfg(test)]
mod tests;
