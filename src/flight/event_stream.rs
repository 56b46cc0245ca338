//! The event stream: DoPut on the path `events`, of which each batch is answered once it is durable and readable.
//!
//! The first message is the schema, some of the columns of events by name. A batch's own metadata is its key; the answer's
//! metadata is an `AppendResult` as JSON. Answers come in the order of the batches, many of which may be on their way.

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
        let mut columns = None;
        let groups = receive_with_metadata(futures::stream::iter([Ok(first)]).chain(rest))
            .ready_chunks(TAKEN_AT_ONCE)
            .flat_map(move |messages| futures::stream::iter(groups_of(&mut columns, messages)));
        let answers = groups
            .map(move |group| {
                let stream = Arc::clone(&stream);
                async move { group?.check(&stream).await }
            })
            .buffered(CHECKED_AT_ONCE)
            .then(move |checked| {
                let sender = Arc::clone(&sender);
                async move { sender.send(checked?).await }
            })
            .map(|answer| async move { answer?.wait().await })
            .buffered(ON_THEIR_WAY)
            .flat_map(|results| {
                let (results, error) = results.map_or_else(|error| (Vec::new(), Some(Err(error))), |all| (all, None));
                futures::stream::iter(results.into_iter().map(Ok).chain(error))
            });
        Ok(until_error(answers.map(move |result| to_answer(result?, &metrics)).boxed()))
    }
}

/// What is checked and written together: one batch with or without a key, or small ones without.
struct Group {
    /// One behind the other.
    rows: RecordBatch,
    sizes: Vec<usize>,
    key: Bytes,
}

impl Group {
    async fn check(self, stream: &EventStream) -> Result<CheckedBatches> {
        let Self { rows, sizes, key } = self;
        match sizes.as_slice() {
            [_] => stream.check(rows, &key).await,
            _ => stream.check_together(rows, sizes).await,
        }
    }
}

/// Batches as they were sent, all of one schema, and the key of one that is alone.
#[derive(Default)]
struct SentBatches {
    batches: Vec<RecordBatch>,
    key: Bytes,
}

impl SentBatches {
    fn takes(&self, batch: &RecordBatch, key: &Bytes) -> bool {
        let is_small = |batch: &RecordBatch| batch.num_rows() <= SMALL;
        let are_small = is_small(batch) && self.batches.iter().all(is_small);
        let rows: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        self.key.is_empty() && key.is_empty() && are_small && rows + batch.num_rows() <= MOST_OF_GROUP
    }

    /// As columns of events. Where a batch has a value that no column can hold, those before it stand alone: they count.
    fn convert(self, columns: &SentColumns) -> Vec<Result<Group>> {
        let Self { batches, key } = self;
        let convert = |batches: &[RecordBatch]| {
            let rows = match batches {
                [batch] => columns.convert(batch)?,
                [first, ..] => columns.convert(&concat_batches(first.schema_ref(), batches)?)?,
                [] => return Err(Error::internal("a group without a batch")),
            };
            let sizes = batches.iter().map(RecordBatch::num_rows).collect();
            Ok(Group { rows, sizes, key: key.clone() })
        };
        match convert(&batches) {
            Err(_) if batches.len() > 1 => batches.chunks(1).map(convert).collect(),
            group => vec![group],
        }
    }
}

/// The batches among these messages, small ones together.
fn groups_of(columns: &mut Option<SentColumns>, messages: Vec<Result<(Received, Bytes)>>) -> Vec<Result<Group>> {
    let (mut groups, mut sent) = (Vec::new(), SentBatches::default());
    let mut add = |message: Result<(Received, Bytes)>| {
        let (message, key) = message?;
        let batch = match message {
            Received::Schema(schema) => {
                *columns = Some(SentColumns::of(&schema)?);
                return Ok(());
            }
            Received::Batch(batch) => batch,
        };
        let columns = columns.as_ref().ok_or_else(|| Error::invalid("a batch came before the schema"))?;
        if !sent.batches.is_empty() && !sent.takes(&batch, &key) {
            groups.extend(std::mem::take(&mut sent).convert(columns));
        }
        sent.key = key;
        sent.batches.push(batch);
        Ok::<_, Error>(())
    };
    let outcome = messages.into_iter().try_for_each(&mut add);
    if let (Some(columns), false) = (columns.as_ref(), sent.batches.is_empty()) {
        groups.extend(sent.convert(columns));
    }
    groups.extend(outcome.err().map(Err));
    groups
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
