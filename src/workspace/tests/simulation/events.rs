//! What senders send in the simulation, and how it becomes stored rows.
//!
//! The same number is always the same event, so that what is stored tells which identifiers it named.

use std::collections::BTreeSet;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::identity::{NumberEvents, Origin, Overlay, Seen, TypeId};
use crate::store::dead_letters;
use crate::store::dedupe::{BatchKey, MessageKey};
use crate::store::events::{LoadRecord, schema};
use crate::store::tests::dice::Dice;
use crate::workspace::{MOST_EVENTS, NewEvents, NewRows, Rejected};

/// Some of the types that come with the program, the highest priority first (SQL.md 5).
pub(super) const TYPES: [(TypeId, &str); 3] = [(0, "user_id"), (2, "email"), (7, "anonymous_id")];

/// Values of each type.
const VALUES: u32 = 40;

/// Streams of dice below this one are for other things than messages.
const MESSAGE_STREAMS: u64 = 1 << 32;

/// 2024-02-29 16:00 in UTC: messages are of two months.
const FIRST_TS: i64 = 1_709_222_400_000_000;
const MICROS_BETWEEN: i64 = 10_800_000_000;

#[derive(Debug, Clone)]
pub(in crate::workspace) struct Message {
    pub(super) id: String,
    ts: i64,
    /// Of types by their number in [`TYPES`], in the order of the event; one may be there twice.
    identifiers: Vec<(usize, String)>,
}

impl Message {
    pub(in crate::workspace) fn new(seed: u64, number: u32) -> Self {
        let mut dice = Dice::new(seed, MESSAGE_STREAMS + u64::from(number));
        let identifier = |_: u32| (dice.below(TYPES.len() as u32) as usize, format!("v{}", dice.below(VALUES)));
        let identifiers: Vec<_> = (0..number % 4).map(identifier).collect();
        Self { id: format!("m{number}"), ts: FIRST_TS + i64::from(number) * MICROS_BETWEEN, identifiers }
    }

    /// The message of an id.
    pub(super) fn of(seed: u64, id: &str) -> Option<Self> {
        Some(Self::new(seed, id.strip_prefix('m')?.parse().ok()?))
    }

    /// Names of types, and values.
    pub(super) fn identifiers(&self) -> BTreeSet<(String, String)> {
        self.identifiers.iter().map(named).collect()
    }

    /// The identifier that the event is counted by: of the highest priority, of two such ones the first.
    pub(super) fn main(&self) -> Option<(String, String)> {
        self.identifiers.iter().min_by_key(|(kind, _)| *kind).map(named)
    }
}

fn named((kind, value): &(usize, String)) -> (String, String) {
    (TYPES[*kind].1.to_owned(), value.clone())
}

/// What one sender sends at once.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Batch {
    pub(in crate::workspace) messages: Vec<Message>,
    /// Rows that are none, each told apart by its reason.
    pub(in crate::workspace) rejected: Vec<String>,
    /// The sender's name for it.
    pub(in crate::workspace) key: Option<String>,
}

impl Batch {
    /// All that is to be found of it later.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.messages.iter().map(|message| message.id.clone()).chain(self.rejected.iter().cloned()).collect()
    }

    /// Message ids that differ.
    pub(super) fn distinct(&self) -> BTreeSet<&str> {
        self.messages.iter().map(|message| message.id.as_str()).collect()
    }

    pub(super) fn keys(&self) -> Vec<MessageKey> {
        self.messages.iter().map(|message| MessageKey::of(&message.id)).collect()
    }

    pub(in crate::workspace) fn events(&self, settings_revision: u64, received_at: i64) -> NewEvents {
        let Self { messages, rejected, key } = self.clone();
        let number = move |new: &[usize], overlay: &mut Overlay| -> Result<NewRows> {
            let new: Vec<&Message> = new.iter().map(|place| &messages[*place]).collect();
            let rows = vec![stored_rows(&new, received_at, overlay)?];
            let dead_letters = dead_letter_rows(&rejected, received_at)?;
            let rejected = vec![Rejected { rows: rejected.len() as u64, reasons: rejected, dead_letters }];
            Ok(NewRows { rows, rejected, load: None })
        };
        let (keys, key) = (self.keys(), key.map(|key| BatchKey::of(&key)));
        let batches = vec![keys.len()];
        NewEvents { keys, batches, key, settings_revision, received_at, number: Box::new(number) }
    }

    /// More events than a batch may have, the first of them that of the batch.
    pub(super) fn too_many(&self, settings_revision: u64, received_at: i64) -> NewEvents {
        let keys: Vec<_> = repeat_n(MessageKey::of(&self.messages[0].id), MOST_EVENTS + 1).collect();
        let batches = vec![keys.len()];
        let number = |_: &[usize], _: &mut Overlay| -> Result<NewRows> {
            Err(Error::internal("events were numbered that are refused"))
        };
        NewEvents { keys, batches, key: None, settings_revision, received_at, number: Box::new(number) }
    }
}

/// Main nodes of messages.
fn number(messages: &[&Message], numbers: &mut impl NumberEvents) -> Result<Vec<Option<i64>>> {
    let origin = numbers.origin(Origin { source: None, kind: "track".to_owned(), load: None }.by_ref());
    let mut nodes = Vec::with_capacity(messages.len());
    for message in messages {
        let identifiers = message.identifiers.iter().map(|(kind, value)| (TYPES[*kind].0, value.as_str()));
        nodes.push(numbers.add_event(Seen { ts: message.ts, origin }, identifiers)?.map(i64::from));
    }
    Ok(nodes)
}

/// Rows of the stored columns, with NULL in all that the simulation does not look at.
pub(super) fn stored_rows(
    messages: &[&Message],
    received_at: i64,
    numbers: &mut impl NumberEvents,
) -> Result<RecordBatch> {
    let nodes = number(messages, numbers)?;
    let stored = schema::stored();
    let columns = stored.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "message_id" | "type" => {
                Arc::new(StringArray::from_iter_values(messages.iter().map(|message| &message.id)))
            }
            "ts" => Arc::new(times(messages.iter().map(|message| message.ts))),
            "received_at" => Arc::new(times(messages.iter().map(|_| received_at))),
            "node" => Arc::new(Int64Array::from(nodes.clone())),
            _ => new_null_array(field.data_type(), messages.len()),
        }
    });
    Ok(RecordBatch::try_new(Arc::clone(&stored), columns.collect())?)
}

/// Rejected rows with these reasons.
pub(super) fn dead_letter_rows(reasons: &[String], received_at: i64) -> Result<Vec<RecordBatch>> {
    if reasons.is_empty() {
        return Ok(Vec::new());
    }
    let rows = reasons.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times(repeat_n(received_at, rows))),
        Arc::new(StringArray::from_iter_values(repeat_n("simulation", rows))),
        Arc::new(Int64Array::from_iter_values(0..rows as i64)),
        Arc::new(StringArray::from_iter_values(reasons)),
        new_null_array(&DataType::Utf8, rows),
    ];
    Ok(vec![RecordBatch::try_new(dead_letters::schema(), columns)?])
}

/// What is to be remembered of a load.
pub(super) fn load_record(name: &str, number: u32, kept: usize, read: usize, rejected: usize) -> LoadRecord {
    LoadRecord {
        number,
        source: name.to_owned(),
        content_hash: name.to_owned(),
        file_hash: None,
        token_source: None,
        repetition: 0,
        kept: kept as u64,
        duplicate: (read - kept) as u64,
        rejected: rejected as u64,
    }
}

fn times(micros: impl Iterator<Item = i64>) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC")
}
