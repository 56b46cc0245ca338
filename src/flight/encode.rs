//! Batches of the wire schema as Flight messages, none much larger than clients accept.
//!
//! Not arrow-flight's own encoder: that one splits by buffer capacity, drops empty batches (our keep-alive) and turns
//! large lists into lists in the schema alone. Never compresses: JDBC cannot read it.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::{FlightData, SchemaAsIpc};
use bytes::Bytes;

use super::output::wire_bytes;
use crate::error::Result;

/// Aim for a message. Plain gRPC clients accept 4 MiB.
const MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// Turns batches into messages; one for each stream.
pub(super) struct Encoder {
    generator: IpcDataGenerator,
    dictionaries: DictionaryTracker,
    options: IpcWriteOptions,
    context: IpcWriteContext,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            generator: IpcDataGenerator::default(),
            dictionaries: DictionaryTracker::new(true),
            options: IpcWriteOptions::default(),
            context: IpcWriteContext::default(),
        }
    }

    /// The first message of every stream.
    pub(super) fn schema(&self, schema: &Schema) -> FlightData {
        SchemaAsIpc::new(schema, &self.options).into()
    }

    /// One batch as one message.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<FlightData> {
        // The wire has no dictionaries, so there are no dictionary messages to send.
        let (_, encoded) = self.generator.encode(batch, &mut self.dictionaries, &self.options, &mut self.context)?;
        Ok(FlightData {
            data_header: Bytes::from(encoded.ipc_message),
            data_body: Bytes::from(encoded.arrow_data),
            ..FlightData::default()
        })
    }

    /// A message without rows: proxies cut streams that are silent for long.
    pub(super) fn keep_alive(&mut self, schema: &SchemaRef) -> Result<FlightData> {
        self.batch(&RecordBatch::new_empty(SchemaRef::clone(schema)))
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
