//! Bulk ingest: DoPut on the path `ingest` with batches of the input schema, answered when they are stored.
//!
//! The first message carries a `LoadRequest` as JSON in its metadata, an empty last one the word `complete`, the answer a
//! `LoadSummary`. A client whose own reader fails ends its stream as if all was sent: hence the last word. One that falls
//! silent is given up, since others that send the same message ids wait for it; an empty message shows that it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow_flight::{FlightData, PutResult};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use tonic::{Response, Status, Streaming};

use super::event_stream::PATH as EVENTS_PATH;
use super::login::CallContext;
use super::receive::{Received, receive};
use super::service::FlightSql;
use super::table_ingest::TABLE_PATH;
use crate::error::{Error, Result, shown};
use crate::ingest::{LOAD_COMPLETE, LoadRequest, input};
use crate::request;

/// The path of the descriptor.
const PATH: &str = "ingest";

/// How long an upload may be silent while its next message is waited for.
const SILENCE: Duration = Duration::from_secs(60);

impl FlightSql {
    /// What a client that reads files itself must know beforehand, as JSON.
    pub(super) async fn load_conditions(&self, context: &CallContext) -> Result<Bytes> {
        let conditions = self.loader.conditions(&context.caller).await?;
        Ok(serde_json::to_vec(&conditions)?.into())
    }

    /// DoPut on a path: `ingest` for events, (`table`, name) for rows of a user table that is there.
    pub(super) async fn put_path(
        &self,
        context: &CallContext,
        path: &[String],
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        if let [kind, table] = path
            && kind == TABLE_PATH
        {
            return self.ingest_path(context, table, first, rest).await;
        }
        if path != [PATH] {
            return Err(no_such_path(path));
        }
        // Before the first row is read: a caller without the right must not send gigabytes first.
        context.caller.check_can_ingest()?;
        let request: LoadRequest = serde_json::from_slice(&first.app_metadata)
            .map_err(|error| Error::from(error).context("the first message's metadata is not a load request"))?;
        let messages = heard(futures::stream::iter([Ok(first)]).chain(rest), SILENCE);
        let batches =
            receive(whole(messages)).try_filter_map(|message| std::future::ready(input_batch(message))).boxed();
        let summary = self.loader.load(&context.caller, request, batches).await?;
        if !summary.skipped {
            self.metrics.loads.inc_by(u64::from(summary.kept > 0));
            self.metrics.events_ingested.inc_by(summary.kept);
            self.metrics.events_duplicate.inc_by(summary.duplicate);
            self.metrics.events_rejected.inc_by(summary.rejected);
        }
        if let Some(request) = request::current() {
            request.count_rows(summary.kept);
        }
        Ok(Response::new(PutResult { app_metadata: serde_json::to_vec(&summary)?.into() }))
    }
}

/// Names the paths that there are. A wrong argument, and nothing that is not found: clients show that as a missing key.
fn no_such_path(path: &[String]) -> Error {
    let given = match path {
        [] => "the descriptor of the upload has neither a path nor a command".to_owned(),
        parts => format!("nothing can be put at the path {}", shown(&parts.join("/"))),
    };
    Error::invalid(format!(
        "{given}: the path of a stream of events is '{EVENTS_PATH}', that of rows for a table has two parts, '{TABLE_PATH}' \
         and the table's name, and '{PATH}' is that of files which `convoke ingest` sends"
    ))
}

/// The same messages, with an error at the end once none has come for so long.
fn heard(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    silence: Duration,
) -> impl Stream<Item = Result<FlightData, Status>> + Send + 'static {
    futures::stream::unfold(Some(messages.boxed()), move |messages| async move {
        let mut messages = messages?;
        match tokio::time::timeout(silence, messages.next()).await {
            Ok(message) => Some((message?, Some(messages))),
            Err(_) => {
                let seconds = silence.as_secs();
                let silent = format!("no message came for {seconds} s: nothing was loaded, send all of it again");
                Some((Err(Status::deadline_exceeded(silent)), None))
            }
        }
    })
}

/// The same messages, with an error at the end of a stream that lacks its last word.
fn whole(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> impl Stream<Item = Result<FlightData, Status>> + Send + 'static {
    let complete = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&complete);
    let messages = messages.inspect(move |message| {
        if message.as_ref().is_ok_and(|data| data.app_metadata == LOAD_COMPLETE) {
            seen.store(true, Ordering::Relaxed);
        }
    });
    let verdict = futures::stream::once(async move {
        let broken = || Status::invalid_argument("the upload broke off before its last message: nothing was loaded");
        if complete.load(Ordering::Relaxed) { None } else { Some(Err(broken())) }
    });
    messages.chain(verdict.filter_map(std::future::ready))
}

/// A batch of exactly the input schema; the schema message itself is checked and passes nothing on.
fn input_batch(message: Received) -> Result<Option<RecordBatch>> {
    match message {
        Received::Schema(schema) => check_schema(&schema).map(|()| None),
        Received::Batch(batch) => {
            check_schema(batch.schema_ref())?;
            Ok(Some(RecordBatch::try_new(input::schema(), batch.columns().to_vec())?))
        }
    }
}

/// Names and types must be equal; a client may know a column to hold no NULL.
fn check_schema(schema: &Arc<Schema>) -> Result<()> {
    let wanted = input::schema();
    if schema.fields().len() != wanted.fields().len() {
        return Err(Error::invalid(format!(
            "the batches have {} columns, the input schema has {}",
            schema.fields().len(),
            wanted.fields().len()
        )));
    }
    for (given, wanted) in schema.fields().iter().zip(wanted.fields()) {
        if given.name() != wanted.name() || given.data_type() != wanted.data_type() {
            return Err(Error::invalid(format!(
                "column '{}' of type {} was sent where the input schema has '{}' of type {}",
                given.name(),
                given.data_type(),
                wanted.name(),
                wanted.data_type()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;
    use crate::error::Kind;
    use crate::ingest::input::InputBuilder;

    #[test]
    fn batches_of_the_input_schema_pass() {
        let batch = InputBuilder::default().finish().unwrap();
        assert!(input_batch(Received::Schema(batch.schema())).unwrap().is_none());
        assert_eq!(input_batch(Received::Batch(batch.clone())).unwrap(), Some(batch));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_falls_silent_ends_and_a_slow_one_does_not() {
        let slow = futures::stream::iter(0..3).then(|_| async {
            tokio::time::sleep(SILENCE - Duration::from_secs(1)).await;
            Ok::<_, Status>(FlightData::default())
        });
        let began = tokio::time::Instant::now();
        let mut received = receive(whole(heard(slow.chain(futures::stream::pending()), SILENCE)));
        // Empty messages are signs of life, and no rows.
        let error = received.next().await.unwrap().unwrap_err();
        assert_eq!(began.elapsed().as_secs(), 3 * 59 + 60);
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains("no message came for 60 s: nothing was loaded"), "{error}");
        assert!(received.next().await.is_none());
        let ended = heard(futures::stream::iter([Ok(FlightData::default())]), SILENCE);
        assert_eq!(ended.count().await, 1, "an end is no silence");
    }

    #[test]
    fn a_wrong_column_is_named() {
        let mut fields: Vec<Field> = input::schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields[2] = Field::new("ts", DataType::Utf8, true);
        let error = input_batch(Received::Schema(Arc::new(Schema::new(fields)))).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains("'ts'"), "{}", error.message());
    }
}
