//! Batches of the wire schema as Flight messages, none much larger than clients accept.
//!
//! Not arrow-flight's own encoder: that one splits by buffer capacity, drops empty batches (our keep-alive), turns
//! large lists into lists in the schema alone, and copies every buffer. Never compresses: JDBC cannot read it.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::{IpcWriteOptions, StreamEncoder};
use arrow_flight::{FlightData, SchemaAsIpc};
use bytes::Bytes;

use super::output::wire_bytes;
use crate::error::{Error, Result};

/// Aim for a message. Plain gRPC clients accept 4 MiB.
const MESSAGE_BYTES: usize = 2 * 1024 * 1024;
/// Continuation marker and length, before the metadata of each message of an IPC stream.
const PREFIX_BYTES: usize = 8;

/// One Flight message: what IPC says of a batch, and the buffers of the batch itself, which are not copied.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) header: Bytes,
    pub(super) body: Vec<Bytes>,
}

impl Message {
    pub(super) fn bytes(&self) -> usize {
        self.header.len() + self.body_bytes()
    }

    pub(super) fn body_bytes(&self) -> usize {
        self.body.iter().map(Bytes::len).sum()
    }
}

/// Turns batches into messages; one for each stream.
pub(super) struct Encoder {
    schema: FlightData,
    stream: StreamEncoder,
    schema_passed: bool,
}

impl Encoder {
    /// # Errors
    /// For a type that IPC does not have.
    pub(super) fn new(schema: &Schema) -> Result<Self> {
        let schema_message = SchemaAsIpc::new(schema, &IpcWriteOptions::default()).into();
        Ok(Self { schema: schema_message, stream: StreamEncoder::try_new(schema)?, schema_passed: false })
    }

    /// The first message of every stream.
    pub(super) fn schema(&self) -> Message {
        Message { header: self.schema.data_header.clone(), body: Vec::new() }
    }

    /// One batch as one message.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Message> {
        // The wire has no dictionaries, so that a batch is one message, after that of the schema before the first.
        let mut parts = self.stream.encode(batch)?.into_iter();
        if !self.schema_passed {
            header(&mut parts)?;
            self.schema_passed = true;
        }
        Ok(Message { header: header(&mut parts)?, body: parts.map(shared).collect() })
    }

    /// A message without rows: proxies cut streams that are silent for long.
    pub(super) fn keep_alive(&mut self, schema: &SchemaRef) -> Result<Message> {
        self.batch(&RecordBatch::new_empty(SchemaRef::clone(schema)))
    }
}

/// Takes the metadata of a message off the parts of an IPC stream; what follows is its body.
fn header(parts: &mut impl Iterator<Item = Buffer>) -> Result<Bytes> {
    let unexpected = || Error::internal("the IPC encoder gave a message of another shape");
    let prefix = parts.next().ok_or_else(unexpected)?;
    let length = prefix.get(PREFIX_BYTES - 4..PREFIX_BYTES).and_then(|length| length.try_into().ok());
    let length = usize::try_from(i32::from_le_bytes(length.ok_or_else(unexpected)?)).map_err(|_| unexpected())?;
    let mut metadata = prefix.get(PREFIX_BYTES..).unwrap_or_default().to_vec();
    while metadata.len() < length {
        metadata.extend_from_slice(&parts.next().ok_or_else(unexpected)?);
    }
    if metadata.len() == length { Ok(metadata.into()) } else { Err(unexpected()) }
}

/// The buffer as bytes that keep it alive.
fn shared(buffer: Buffer) -> Bytes {
    Bytes::from_owner(Owned(buffer))
}

struct Owned(Buffer);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Parts of a batch, in order, each at most [`MESSAGE_BYTES`] on the wire or a single row. Copies nothing.
pub(super) fn split(batch: RecordBatch) -> Vec<RecordBatch> {
    let mut parts = Vec::new();
    let mut waiting = vec![batch];
    while let Some(batch) = waiting.pop() {
        let bytes: usize = batch.columns().iter().map(|column| wire_bytes(column)).sum();
        if bytes <= MESSAGE_BYTES || batch.num_rows() <= 1 {
            parts.push(batch);
            continue;
        }
        // Equal parts first; a part that is still too large because its rows are, is cut again.
        let pieces = bytes.div_ceil(MESSAGE_BYTES);
        let rows = batch.num_rows().div_ceil(pieces).min(batch.num_rows() - 1);
        let starts: Vec<usize> = (0..batch.num_rows()).step_by(rows).collect();
        waiting.extend(starts.into_iter().rev().map(|start| batch.slice(start, rows.min(batch.num_rows() - start))));
    }
    parts
}

#[cfg(test)]
mod tests;
