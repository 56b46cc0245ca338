//! Events as a shop in use sends them, made from a seed before a clock starts: most are of persons who come again, each
//! with an email address, one of fifty is of a new person.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use chrono::{Duration, Utc};
use convoke::ingest::input;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use uuid::Uuid;

pub const BATCH_ROWS: usize = 10_000;
/// In the order of the input schema.
const COLUMNS: [&str; 8] = ["message_id", "ts", "event", "user_id", "identifiers", "channel", "revenue", "properties"];
/// Persons who come again.
const PERSONS: u64 = 200_000;
/// One of so many events is of a new person.
const NEWCOMER: u64 = 50;
const CHANNELS: [&str; 6] = ["web", "app", "mini_program", "store", "marketplace", "call_centre"];
/// Columns that know no person are made so many times and taken in turns: a minute of events fits into memory.
const VARIANTS: usize = 16;

/// The columns that know no person: event, channel, revenue, properties.
type Variant = [ArrayRef; 4];

/// Makes batches, no two with an event in common.
pub struct EventSource {
    schema: SchemaRef,
    dice: ChaCha8Rng,
    variants: Vec<Variant>,
    /// Batches made so far.
    batches: usize,
    newcomers: u64,
    start: i64,
}

impl EventSource {
    pub fn new() -> anyhow::Result<Self> {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let variants = (0..VARIANTS).map(|_| variant(&mut dice)).collect::<anyhow::Result<_>>()?;
        // No event lies in the future, however many are made.
        let start = (Utc::now() - Duration::hours(1)).timestamp_micros();
        Ok(Self { schema: schema()?, dice, variants, batches: 0, newcomers: 0, start })
    }

    /// Time of the first event, microseconds since 1970; each event is a microsecond later than the one before.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The next events, [`BATCH_ROWS`] of them.
    pub fn batch(&mut self) -> anyhow::Result<RecordBatch> {
        let ids = StringArray::from_iter_values((0..BATCH_ROWS).map(|_| self.message_id()));
        let first = self.start + (self.batches * BATCH_ROWS) as i64;
        let times = TimestampMicrosecondArray::from_iter_values(first..first + BATCH_ROWS as i64).with_timezone("UTC");
        let persons: Vec<u64> = (0..BATCH_ROWS).map(|_| self.person()).collect();
        let users = StringArray::from_iter_values(persons.iter().map(|person| format!("u{person:08}")));
        let identifiers = self.identifiers(&persons)?;
        let [event, channel, revenue, properties] = self.variants[self.batches % VARIANTS].clone();
        self.batches += 1;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ids),
            Arc::new(times),
            event,
            Arc::new(users),
            Arc::new(identifiers),
            channel,
            revenue,
            properties,
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// At least so many events.
    pub fn batches(&mut self, events: usize) -> anyhow::Result<Vec<RecordBatch>> {
        (0..events.div_ceil(BATCH_ROWS)).map(|_| self.batch()).collect()
    }

    fn message_id(&mut self) -> String {
        let (high, low) = (self.dice.next_u64(), self.dice.next_u64());
        Uuid::from_u128((u128::from(high) << 64) | u128::from(low)).to_string()
    }

    /// Activity is uneven: a person's share falls with the square root of the rank.
    fn person(&mut self) -> u64 {
        if self.dice.next_u64().is_multiple_of(NEWCOMER) {
            self.newcomers += 1;
            return PERSONS + self.newcomers;
        }
        let share = f64::from(self.dice.next_u32()) / (f64::from(u32::MAX) + 1.0);
        ((share * share * PERSONS as f64) as u64).min(PERSONS - 1)
    }

    /// One email address each.
    fn identifiers(&self, persons: &[u64]) -> anyhow::Result<ListArray> {
        let DataType::List(element) = self.schema.field_with_name("identifiers")?.data_type() else {
            anyhow::bail!("identifiers are no list");
        };
        let kinds = StringArray::from_iter_values(persons.iter().map(|_| "email"));
        let values = persons.iter().map(|person| format!("person{person}@example.com"));
        let parts: Vec<ArrayRef> = vec![Arc::new(kinds), Arc::new(StringArray::from_iter_values(values))];
        let elements = StructArray::try_new(input::identifier_fields(), parts, None)?;
        let offsets = OffsetBuffer::from_lengths(persons.iter().map(|_| 1));
        Ok(ListArray::try_new(Arc::clone(element), offsets, Arc::new(elements), None)?)
    }
}

/// The columns that are sent.
pub fn schema() -> anyhow::Result<SchemaRef> {
    let all = input::schema();
    let columns = COLUMNS.iter().map(|name| all.index_of(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(all.project(&columns)?))
}

fn variant(dice: &mut ChaCha8Rng) -> anyhow::Result<Variant> {
    let (mut events, mut channels, mut revenues, mut properties) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..BATCH_ROWS {
        let event = match dice.next_u32() % 20 {
            0..=1 => "Order Completed",
            2..=5 => "Product Added",
            6..=12 => "Product Viewed",
            _ => "Page Viewed",
        };
        let place = dice.next_u32() as usize;
        events.push(event);
        channels.push(CHANNELS[place % CHANNELS.len()]);
        revenues.push((event == "Order Completed").then(|| i128::from(dice.next_u32() % 5_000_000)));
        properties.push(format!(
            "{{\"page\":\"/p/{}\",\"device\":\"{}\",\"session\":\"s{:08x}\"}}",
            place % 4_000,
            ["phone", "desk"][place % 2],
            dice.next_u32()
        ));
    }
    let revenues = Decimal128Array::from_iter(revenues).with_precision_and_scale(18, 4)?;
    Ok([
        Arc::new(StringArray::from(events)),
        Arc::new(StringArray::from(channels)),
        Arc::new(revenues),
        Arc::new(StringArray::from(properties)),
    ])
}
