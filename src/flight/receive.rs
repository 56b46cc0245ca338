//! Batches that a client uploads by DoPut: decoded one by one as the consumer asks, so a slow consumer slows the
//! client. Crafted messages give an error, never a crash. Must not know what the batches are for.

use std::panic::AssertUnwindSafe;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::MessageHeader;
use arrow_flight::FlightData;
use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tonic::Status;

use crate::error::{Error, Result};

/// One decoded message.
#[derive(Debug)]
pub(super) enum Received {
    Schema(SchemaRef),
    Batch(RecordBatch),
}

/// Decodes the messages of an upload. Ends after the first error.
pub(super) fn receive(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> BoxStream<'static, Result<Received>> {
    receive_with_metadata(messages).map(|message| message.map(|(received, _)| received)).boxed()
}

/// The same, each message with what its sender wrote beside it.
pub(super) fn receive_with_metadata(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> BoxStream<'static, Result<(Received, Bytes)>> {
    let checked = messages
        // Some clients send an empty message before or after their data.
        .filter(|message| {
            let empty = message.as_ref().is_ok_and(|data| data.data_header.is_empty() && data.data_body.is_empty());
            std::future::ready(!empty)
        })
        .map(|message| {
            let message = message.map_err(|status| FlightError::Tonic(Box::new(status)))?;
            check_header(&message).map_err(|error| FlightError::ExternalError(Box::new(error)))?;
            Ok(message)
        });
    // The decoder still panics on some altered lengths: a crafted message must cost its sender the upload, no more.
    let decoded = AssertUnwindSafe(FlightDataDecoder::new(checked)).catch_unwind();
    let mut failed = false;
    decoded
        .filter_map(|item| {
            std::future::ready(match item {
                Ok(Ok(decoded)) => match decoded.payload {
                    DecodedPayload::None => None,
                    DecodedPayload::Schema(schema) => Some(Ok((Received::Schema(schema), decoded.inner.app_metadata))),
                    DecodedPayload::RecordBatch(batch) => {
                        Some(Ok((Received::Batch(batch), decoded.inner.app_metadata)))
                    }
                },
                Ok(Err(error)) => Some(Err(to_error(error))),
                Err(_) => Some(Err(Error::invalid("the uploaded Arrow data is malformed"))),
            })
        })
        .take_while(move |item| {
            let go_on = !failed;
            failed = item.is_err();
            std::future::ready(go_on)
        })
        .boxed()
}

/// Refuses compressed bodies, buffers that reach beyond the body, at which the decoder panics, and messages of no kind, which
/// it leaves out: their sender waits for an answer.
fn check_header(message: &FlightData) -> Result<()> {
    let header = arrow::ipc::root_as_message(&message.data_header)
        .map_err(|error| Error::invalid(format!("the uploaded Arrow message is malformed: {error}")))?;
    let batch = match header.header_type() {
        MessageHeader::RecordBatch => header.header_as_record_batch(),
        MessageHeader::DictionaryBatch => header.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()),
        MessageHeader::Schema => None,
        _ => {
            return Err(Error::invalid(
                "the uploaded Arrow message is malformed: it is no schema, batch of rows or batch of a dictionary",
            ));
        }
    };
    let Some(batch) = batch else { return Ok(()) };
    if batch.compression().is_some() {
        return Err(Error::invalid("compressed Arrow data is not read: switch compression off in the client"));
    }
    let body = i64::try_from(message.data_body.len()).unwrap_or(i64::MAX);
    let fits = |offset: i64, length: i64| {
        offset >= 0 && length >= 0 && offset.checked_add(length).is_some_and(|end| end <= body)
    };
    if !batch.buffers().into_iter().flatten().all(|buffer| fits(buffer.offset(), buffer.length())) {
        return Err(Error::invalid("the uploaded Arrow data is malformed: a buffer reaches beyond its message"));
    }
    Ok(())
}

fn to_error(error: FlightError) -> Error {
    match error {
        FlightError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::invalid(format!("the upload cannot be read: {other}")),
        },
        FlightError::Tonic(status) => Error::invalid(format!("the upload broke off: {}", status.message())),
        other => Error::invalid(format!("the uploaded Arrow data is malformed: {other}")),
    }
}

#[cfg(test)]
mod tests;
