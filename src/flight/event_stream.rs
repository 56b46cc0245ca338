//! The event stream: DoPut on the path `events`, of which each batch is answered once it is durable and readable.
//!
//! The first message is the schema, some of the columns of events by name. A batch's own metadata is its key; the answer's
//! metadata is an `AppendResult` as JSON. Answers come in the order of the batches, many of which may be on their way. An
//! error that ends the stream names its batch by its number in the stream: its sender has no answer to tell it by.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow_flight::{FlightData, PutResult};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use tonic::Streaming;

use super::login::CallContext;
use super::receive::{Received, receive_with_metadata};
use super::service::FlightSql;
use crate::error::{Error, Result};
use crate::ingest::{CheckedBatches, EventStream, SentColumns};
use crate::metrics::Metrics;
use crate::store::events::batch_bytes;
use crate::workspace::AppendResult;

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
    /// Takes a stream of batches. Ends with the first one that cannot be written; those before it are answered.
    pub(super) async fn put_events(
        &self,
        context: &CallContext,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<BoxStream<'static, Result<PutResult>>> {
        let stream = Arc::new(self.loader.stream(&context.caller).await?);
        let sender = Arc::clone(&stream);
        let metrics = Arc::clone(&self.metrics);
        let mut reader = BatchReader::default();
        let groups = receive_with_metadata(futures::stream::iter([Ok(first)]).chain(rest))
            .ready_chunks(TAKEN_AT_ONCE)
            .flat_map(move |messages| futures::stream::iter(reader.groups_of(messages)));
        let answers = groups
            .map(move |group| {
                let stream = Arc::clone(&stream);
                async move { group?.check(&stream).await }
            })
            .buffered(CHECKED_AT_ONCE)
            .then(move |checked| {
                let sender = Arc::clone(&sender);
                async move {
                    let (numbers, checked) = checked?;
                    let answer = sender.send(checked).await;
                    answer.map(|answer| (numbers, answer)).map_err(|error| numbers.name_in(error))
                }
            })
            .map(|answer| async move {
                let (numbers, answer) = answer?;
                answer.wait().await.map_err(|error| numbers.name_in(error))
            })
            .buffered(ON_THEIR_WAY)
            .flat_map(|results| {
                let (results, error) = results.map_or_else(|error| (Vec::new(), Some(Err(error))), |all| (all, None));
                futures::stream::iter(results.into_iter().map(Ok).chain(error))
            });
        Ok(until_error(answers.map(move |result| to_answer(result?, &metrics)).boxed()))
    }
}

/// Numbers in their stream of batches that are written together, or not at all.
#[derive(Debug, Clone, Copy)]
struct BatchNumbers {
    /// Counted from 1.
    first: u64,
    count: usize,
}

impl BatchNumbers {
    fn name_in(self, error: Error) -> Error {
        match self {
            Self { first, count: 1 } => error.context(format!("batch {first}")),
            Self { first, count } => error.context(format!("batches {first} to {}", first + count as u64 - 1)),
        }
    }
}

/// What is checked and written together: one batch with or without a key, or small ones without.
struct Group {
    first: u64,
    /// One behind the other.
    rows: RecordBatch,
    sizes: Vec<usize>,
    key: Bytes,
}

impl Group {
    async fn check(self, stream: &EventStream) -> Result<(BatchNumbers, CheckedBatches)> {
        let Self { first, rows, sizes, key } = self;
        let numbers = BatchNumbers { first, count: sizes.len() };
        let checked = match sizes.as_slice() {
            [_] => stream.check(rows, &key).await,
            _ => stream.check_together(rows, sizes).await,
        };
        checked.map(|checked| (numbers, checked)).map_err(|error| numbers.name_in(error))
    }
}

/// Batches as they were sent, all of one schema, and the key of one that is alone.
#[derive(Default)]
struct SentBatches {
    /// Number of the first one.
    first: u64,
    batches: Vec<RecordBatch>,
    key: Bytes,
}

impl SentBatches {
    fn takes(&self, batch: &RecordBatch, key: &Bytes) -> bool {
        let is_small = |batch: &RecordBatch| batch.num_rows() <= SMALL && batch_bytes(batch) <= SMALL_BYTES;
        let are_small = is_small(batch) && self.batches.iter().all(is_small);
        let rows: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        self.key.is_empty() && key.is_empty() && are_small && rows + batch.num_rows() <= MOST_OF_GROUP
    }

    /// As columns of events. Where a batch has a value that no column can hold, those before it stand alone: they count.
    fn convert(self, columns: &SentColumns) -> Vec<Result<Group>> {
        let Self { first, batches, key } = self;
        let convert = |first: u64, batches: &[RecordBatch]| {
            let rows = match batches {
                [batch] => columns.convert(batch),
                [one, ..] => concat_batches(one.schema_ref(), batches)
                    .map_err(Error::from)
                    .and_then(|batch| columns.convert(&batch)),
                [] => Err(Error::internal("a group without a batch")),
            };
            let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
            let numbers = BatchNumbers { first, count: sizes.len() };
            let rows = rows.map_err(|error| numbers.name_in(error))?;
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

/// Makes groups of the messages of a stream.
#[derive(Default)]
struct BatchReader {
    /// None before the schema.
    columns: Option<SentColumns>,
    /// That have come.
    batches: u64,
}

impl BatchReader {
    /// The batches among these messages, small ones together.
    fn groups_of(&mut self, messages: Vec<Result<(Received, Bytes)>>) -> Vec<Result<Group>> {
        let (mut groups, mut sent) = (Vec::new(), SentBatches::default());
        let outcome = messages.into_iter().try_for_each(|message| self.add(message, &mut sent, &mut groups));
        if let (Some(columns), false) = (self.columns.as_ref(), sent.batches.is_empty()) {
            groups.extend(sent.convert(columns));
        }
        groups.extend(outcome.err().map(Err));
        groups
    }

    /// Adds the batch of a message to those that were sent, which become a group before where they do not take it.
    fn add(
        &mut self,
        message: Result<(Received, Bytes)>,
        sent: &mut SentBatches,
        groups: &mut Vec<Result<Group>>,
    ) -> Result<()> {
        let first = self.batches + 1;
        let (message, key) = message.map_err(|error| match self.columns {
            Some(_) => BatchNumbers { first, count: 1 }.name_in(error),
            // What is wrong with the schema is wrong with every batch.
            None => error,
        })?;
        let batch = match message {
            Received::Schema(schema) => {
                // Those that came before it are of the one before.
                if let (Some(columns), false) = (self.columns.as_ref(), sent.batches.is_empty()) {
                    groups.extend(std::mem::take(sent).convert(columns));
                }
                self.columns = Some(SentColumns::of(&schema)?);
                return Ok(());
            }
            Received::Batch(batch) => batch,
        };
        let columns = self.columns.as_ref().ok_or_else(|| Error::invalid("a batch came before the schema"))?;
        if !sent.batches.is_empty() && !sent.takes(&batch, &key) {
            groups.extend(std::mem::take(sent).convert(columns));
        }
        if sent.batches.is_empty() {
            sent.first = first;
        }
        sent.key = key;
        sent.batches.push(batch);
        self.batches = first;
        Ok(())
    }
}

fn to_answer(result: AppendResult, metrics: &Metrics) -> Result<PutResult> {
    metrics.events_ingested.inc_by(result.kept);
    metrics.events_rejected.inc_by(result.rejected);
    Ok(PutResult { app_metadata: serde_json::to_vec(&result)?.into() })
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
