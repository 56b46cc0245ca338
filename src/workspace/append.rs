//! Events of one or many senders as one record of the log: those that are stored already are left out, the others numbered
//! behind the newest state, made durable, then visible. What is wrong with those of one sender, or with one of its batches,
//! is told to that one alone.

mod number;

use std::sync::{Arc, Weak};

use arrow::array::RecordBatch;
use parking_lot::Mutex;

use self::number::{NewRecord, OpenEvents, number};
use super::hot::{AppendResult, HotPart};
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::error::{Detail, Error, Result};
use crate::identity::{IdentitySnapshot, Overlay};
use crate::store::dedupe::{BatchKey, LoadKeys, MessageKey};
use crate::store::events::{LoadRecord, LocalMonths};
use crate::store::wal::record::RecordKind;

/// Events of one sender at most: of so many the message ids are looked up at once.
pub const MOST_EVENTS: usize = 65_536;

/// What became of each batch of one sender, in their order.
pub type BatchResults = Vec<Result<AppendResult>>;

/// Numbers the events at these places, in their order, behind the state that the overlay is of.
pub type NumberRows = Box<dyn FnOnce(&[usize], &mut Overlay) -> Result<NewRows> + Send>;

/// Events of one sender, checked and not numbered yet.
pub struct NewEvents {
    /// Of the message ids, in the order of the events.
    pub keys: Vec<MessageKey>,
    /// Events of each batch in which they were sent, in their order.
    pub batches: Vec<usize>,
    /// The sender's name for the batch, of one that is alone: sent again under it it gets the first answer.
    pub key: Option<BatchKey>,
    /// Revision of the settings that they were checked by.
    pub settings_revision: u64,
    /// When they were received, in microseconds since 1970.
    pub received_at: i64,
    pub number: NumberRows,
}

/// What becomes of the events of one sender.
pub struct NewRows {
    /// Of the stored columns.
    pub rows: Vec<RecordBatch>,
    /// Of each batch.
    pub rejected: Vec<Rejected>,
    /// What is to be remembered of a load.
    pub load: Option<LoadRecord>,
}

/// Rows of a batch that are no events.
#[derive(Debug, Clone, Default)]
pub struct Rejected {
    pub rows: u64,
    /// The first reasons.
    pub reasons: Vec<String>,
    /// As they are kept.
    pub dead_letters: Vec<RecordBatch>,
}

impl Writer {
    /// Makes events durable in the log, and visible. It comes to its end even when nobody waits for it any more.
    ///
    /// # Errors
    /// `Busy` when the log has no space, `Conflict` when another process has taken over, or when settings have changed
    /// since the events were checked: nothing has changed then.
    pub async fn append(mut self, events: NewEvents) -> Result<Vec<AppendResult>> {
        let appending = tokio::spawn(async move { self.append_group(vec![events]).await });
        let results = appending.await.map_err(|error| Error::internal(format!("a record broke off: {error}")))??;
        results.into_iter().next().ok_or_else(without_answer)?.into_iter().collect()
    }

    /// The same for events of many senders, as one record; of each the results in their order. No two of them may have
    /// the same batch key.
    pub(super) async fn append_group(&mut self, group: Vec<NewEvents>) -> Result<Vec<BatchResults>> {
        let held = self.snapshot();
        let (mut known, mut open) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        for events in group {
            let (batches, key) = (events.batches.len(), events.key);
            let checked = check_events(&events, &held);
            let first = match checked {
                Ok(()) => self.first_result(key).await,
                Err(error) => Err(error),
            };
            known.push(match first {
                Ok(Some(first)) => Some(vec![Ok(first)]),
                Ok(None) => {
                    let refusals = self.check_batches(&events);
                    match refusals.iter().any(Result::is_ok) {
                        true => {
                            open.push(OpenEvents { events, refusals });
                            None
                        }
                        false => Some(refusals.into_iter().filter_map(Result::err).map(Err).collect()),
                    }
                }
                // Without what is known of message ids nothing of the others can be written either.
                Err(error) if self.writing.keys.is_none() => return Err(error),
                Err(error) => Some(refuse(&error, batches)),
            });
        }
        let keys: Vec<MessageKey> = open.iter().flat_map(|open| open.events.keys.iter().copied()).collect();
        let decision = self.check_keys(&keys).await?;
        // Runs of message ids may have been made anew meanwhile.
        let held = self.snapshot();
        let overlay = Overlay::new(held.identity.clone(), self.workspace.root().clock().clone());
        let types = Arc::clone(held.rules.types());
        let months = LocalMonths::new(self.workspace.manifest().time_zone);
        let numbering = tokio::task::spawn_blocking(move || number(open, decision.verdicts(), overlay, months, &types));
        let record = numbering.await.map_err(|error| Error::internal(format!("numbering events: {error}")))??;
        let mut results = self.append_record(&held, record).await?.into_iter();
        let missing = || vec![Err(without_answer())];
        Ok(known.into_iter().map(|known| known.or_else(|| results.next()).unwrap_or_else(missing)).collect())
    }

    /// Of each batch whether a load that is under way has some of its messages.
    fn check_batches(&self, events: &NewEvents) -> Vec<Result<()>> {
        let mut start = 0;
        let of_batch = |size: &usize| {
            let keys = events.keys.get(start..start + size).unwrap_or_default();
            start += size;
            self.check_not_under_way(keys, None)
        };
        events.batches.iter().map(of_batch).collect()
    }

    /// # Errors
    /// `Busy` when a load that is under way, but for one's own, has one of these messages: whether it is stored is not
    /// known before that ends.
    pub(super) fn check_not_under_way(&self, keys: &[MessageKey], own: Option<&Arc<Mutex<LoadKeys>>>) -> Result<()> {
        let others = self.writing.loads.iter().filter_map(Weak::upgrade);
        for load in others.filter(|load| own.is_none_or(|own| !Arc::ptr_eq(own, load))) {
            let load = load.lock();
            if keys.iter().any(|key| load.contains(key)) {
                return Err(Error::busy(
                    "a load that is under way has some of these message ids: send them again when it has ended",
                ));
            }
        }
        Ok(())
    }

    /// Makes the identifiers that a load has numbered durable; they are nobody's.
    pub(super) async fn append_numbers(&mut self) -> Result<()> {
        let held = self.snapshot();
        // Taken out: without a graph the next writer reads what is stored.
        let mut graph = self.writing.graph.take().ok_or_else(|| Error::internal("a writer without a graph"))?;
        if graph.is_as_stored() {
            self.writing.graph = Some(graph);
            return Ok(());
        }
        let part = HotPart { identity: graph.finish_batch(), epoch: graph.epoch(), ..HotPart::default() };
        let payload = part.to_payload(held.rules.types())?;
        let position = self.write_record(payload).await?;
        self.show(&held, part, position, graph.snapshot())?;
        self.writing.graph = Some(graph);
        self.workspace.flush_if_due();
        Ok(())
    }

    /// Makes a record durable, and gives its position. Where the log is full, and what empties it fails, that is said: to
    /// wait does not help then.
    async fn write_record(&mut self, payload: Vec<u8>) -> Result<u64> {
        let outcome = self.log()?.append(RecordKind::Events, payload.into()).await;
        outcome.map_err(|full| match self.workspace.log_monitor().flush_failure() {
            Some(failure) if full.detail() == Some(Detail::FullLog) => {
                let what = format!("{}, and they cannot be brought there: {}", full.what(), failure.message());
                Error::busy(what).with_detail(Detail::FullLog)
            }
            _ => full,
        })
    }

    /// Publishes the state behind the record of a part.
    fn show(&mut self, held: &Snapshot, mut part: HotPart, position: u64, identity: IdentitySnapshot) -> Result<()> {
        part.set_position(position);
        let mut hot = held.hot.clone();
        hot.push(part)?;
        self.workspace.publish(Snapshot { position, hot, identity, ..held.clone() });
        Ok(())
    }

    /// The result of events that were stored under this key before.
    async fn first_result(&mut self, key: Option<BatchKey>) -> Result<Option<AppendResult>> {
        let Some(key) = key else { return Ok(None) };
        let result = self.batch_result(key).await?;
        let result = result.map(|result| serde_json::from_slice(&result)).transpose()?;
        Ok(result.map(|first: AppendResult| AppendResult { is_repeated: true, ..first }))
    }

    async fn append_record(&mut self, held: &Snapshot, record: NewRecord) -> Result<Vec<BatchResults>> {
        let NewRecord { mut part, payload, keys, mut results } = record;
        let mut tell_position =
            |position| results.iter_mut().flatten().flatten().for_each(|result| result.position = position);
        if part.is_empty() {
            tell_position(held.position);
            return Ok(results);
        }
        let position = self.write_record(payload).await?;
        // No await from here on: what is durable becomes visible.
        part.set_position(position);
        tell_position(position);
        let mut graph = self.writing.graph.take().ok_or_else(|| Error::internal("a writer without a graph"))?;
        if !part.identity.is_empty() {
            graph.replay(&part.identity)?;
        }
        part.epoch = graph.epoch();
        part.add_keys(self.keys_of_messages()?, keys)?;
        self.show(held, part, position, graph.snapshot())?;
        self.writing.graph = Some(graph);
        Ok(results)
    }
}

/// Whether events can be numbered behind this state.
fn check_events(events: &NewEvents, held: &Snapshot) -> Result<()> {
    if events.settings_revision != held.rules.revision {
        return Err(Error::conflict("the settings of the workspace have changed meanwhile: send the events again"));
    }
    if events.keys.len() > MOST_EVENTS {
        return Err(Error::invalid(format!("more than {MOST_EVENTS} events at once: send smaller batches")));
    }
    Ok(())
}

/// The answer to so many batches of a sender of which none is stored.
pub(super) fn refuse(error: &Error, batches: usize) -> BatchResults {
    (0..batches).map(|_| Err(error.repeat())).collect()
}

fn without_answer() -> Error {
    Error::internal("events without an answer")
}
