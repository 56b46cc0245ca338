//! Batches of events as messages of DoPut, dealt out to streams.

use arrow::array::RecordBatch;
use arrow::ipc::MetadataVersion;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, FlightDescriptor, SchemaAsIpc};

use super::events;

/// What one stream sends behind its first message.
pub type Messages = Box<dyn Iterator<Item = Result<FlightData, FlightError>> + Send>;

/// The path of the descriptor.
const PATH: &str = "events";
/// Bytes, as pyarrow lays buffers out.
const ALIGNMENT: usize = 8;

/// The message that a stream begins with.
pub fn first() -> anyhow::Result<FlightData> {
    let mut message: FlightData = SchemaAsIpc::new(events::schema()?.as_ref(), &options()?).into();
    message.flight_descriptor = Some(FlightDescriptor::new_path(vec![PATH.to_owned()]));
    Ok(message)
}

/// A message a batch, encoded when it is sent, which costs a copy of the columns: the messages of a minute would not fit
/// into memory beside the batches.
pub fn of_batches(batches: Vec<RecordBatch>, streams: usize) -> anyhow::Result<Vec<Messages>> {
    deal(batches, streams).into_iter().map(encoded_when_sent).collect()
}

/// A message an event, encoded beforehand: the cores are the server's, too, and each message costs some of their time.
pub fn of_events(batches: &[RecordBatch], streams: usize) -> anyhow::Result<Vec<Messages>> {
    let mut encoder = Encoder::new()?;
    let mut messages = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            messages.push(encoder.message(&batch.slice(row, 1))?);
        }
    }
    let hands = deal(messages, streams).into_iter();
    Ok(hands.map(|hand| Box::new(hand.into_iter().map(Ok::<_, FlightError>)) as Messages).collect())
}

fn encoded_when_sent(batches: Vec<RecordBatch>) -> anyhow::Result<Messages> {
    let mut encoder = Encoder::new()?;
    Ok(Box::new(batches.into_iter().map(move |batch| encoder.message(&batch))))
}

fn deal<T>(items: Vec<T>, streams: usize) -> Vec<Vec<T>> {
    let mut hands: Vec<Vec<T>> = (0..streams).map(|_| Vec::new()).collect();
    for (at, item) in items.into_iter().enumerate() {
        hands[at % streams].push(item);
    }
    hands
}

fn options() -> anyhow::Result<IpcWriteOptions> {
    Ok(IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?)
}

struct Encoder {
    generator: IpcDataGenerator,
    dictionaries: DictionaryTracker,
    options: IpcWriteOptions,
    context: IpcWriteContext,
}

impl Encoder {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            generator: IpcDataGenerator::default(),
            dictionaries: DictionaryTracker::new(false),
            options: options()?,
            context: IpcWriteContext::default(),
        })
    }

    fn message(&mut self, batch: &RecordBatch) -> Result<FlightData, FlightError> {
        // No column is a dictionary, so there is nothing to send before the batch.
        let (_, encoded) = self.generator.encode(batch, &mut self.dictionaries, &self.options, &mut self.context)?;
        Ok(encoded.into())
    }
}
