//! The event stream: DoPut on the path `events`, of which each batch is answered once it is durable and readable.
//!
//! The first message is the schema, some of the columns of events by name. A batch's own metadata is its key; the answer's
//! metadata is an `AppendResult` as JSON. Answers come in the order of the batches, many of which may be on their way.

use std::sync::Arc;

use arrow_flight::{FlightData, PutResult};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tonic::Streaming;

use super::login::CallContext;
use super::receive::{Received, receive_with_metadata};
use super::service::FlightSql;
use crate::error::{Error, Result};
use crate::ingest::SentColumns;
use crate::metrics::Metrics;
use crate::workspace::AppendResult;

/// The path of the descriptor.
pub(super) const PATH: &str = "events";

/// Batches of one stream that are checked at once.
const CHECKED_AT_ONCE: usize = 4;

/// Batches of one stream that wait for their answers.
const ON_THEIR_WAY: usize = 64;

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
        let batches = receive_with_metadata(futures::stream::iter([Ok(first)]).chain(rest))
            .try_filter_map(move |message| std::future::ready(batch_of(&mut columns, message)));
        let answers = batches
            .map(move |batch| {
                let stream = Arc::clone(&stream);
                async move {
                    let (batch, key) = batch?;
                    stream.check(batch, &key).await
                }
            })
            .buffered(CHECKED_AT_ONCE)
            .then(move |checked| {
                let sender = Arc::clone(&sender);
                async move { sender.send(checked?).await }
            })
            .map(|answer| async move { answer?.wait().await })
            .buffered(ON_THEIR_WAY);
        Ok(until_error(answers.map(move |result| to_answer(result?, &metrics)).boxed()))
    }
}

/// A batch of events with its key; the schema passes nothing on.
fn batch_of(
    columns: &mut Option<SentColumns>,
    (message, key): (Received, Bytes),
) -> Result<Option<(arrow::record_batch::RecordBatch, Bytes)>> {
    match message {
        Received::Schema(schema) => {
            *columns = Some(SentColumns::of(&schema)?);
            Ok(None)
        }
        Received::Batch(batch) => {
            let columns = columns.as_ref().ok_or_else(|| Error::invalid("a batch came before the schema"))?;
            Ok(Some((columns.convert(&batch)?, key)))
        }
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
