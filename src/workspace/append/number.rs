//! One record of the events of many senders: which of them are new, their numbers, and what became of each batch.
//!
//! Senders and batches that are refused leave nothing in it. Must not know the log.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::{BatchResults, NewEvents, NewRows, Rejected};
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, Overlay};
use crate::store::dedupe::{MessageKey, Verdict};
use crate::store::events::{LocalMonths, schema};
use crate::workspace::hot::{AppendResult, HotBatch, HotPart, join_dead_letters};

/// Events of one sender of which some are to be written.
pub(super) struct OpenEvents {
    pub(super) events: NewEvents,
    /// Of each batch, why it is not.
    pub(super) refusals: Vec<Result<()>>,
}

/// A record that is not durable yet.
pub(super) struct NewRecord {
    pub(super) part: HotPart,
    pub(super) payload: Vec<u8>,
    /// Of the rows.
    pub(super) keys: Vec<MessageKey>,
    /// Of each sender.
    pub(super) results: Vec<BatchResults>,
}

/// Numbers the events that are new, and encodes their record. `verdicts` are those of all events, in their order.
pub(super) fn number(
    group: Vec<OpenEvents>,
    verdicts: &[Verdict],
    mut overlay: Overlay,
    mut months: LocalMonths,
    types: &IdentifierTypes,
) -> Result<NewRecord> {
    let (mut rows, mut keys, mut results) = (Vec::new(), Vec::new(), Vec::with_capacity(group.len()));
    let mut part = HotPart::default();
    let mut new = NewMessages::of(verdicts);
    for OpenEvents { events, refusals } in group {
        let NewEvents { keys: of_events, batches, key, received_at, number, .. } = events;
        let places = new.take(&batches, &refusals);
        let numbered = overlay.attempt(|overlay| {
            let numbered = number(&places, overlay)?;
            numbered.check(places.len(), batches.len())?;
            Ok(numbered)
        });
        let mut numbered = match numbered {
            Ok(numbered) => numbered,
            Err(error) => {
                new.give_back(&places);
                new.start += of_events.len();
                results.push(
                    refusals.into_iter().map(|refusal| Err(refusal.err().unwrap_or_else(|| error.repeat()))).collect(),
                );
                continue;
            }
        };
        new.start += of_events.len();
        keys.extend(places.iter().map(|at| of_events[*at]));
        rows.append(&mut numbered.rows);
        part.loads.extend(numbered.load);
        let kept = numbered.rejected.iter_mut().zip(&refusals).filter(|(_, refusal)| refusal.is_ok());
        kept.for_each(|(rejected, _)| part.dead_letters.append(&mut rejected.dead_letters));
        let of_batches = results_of(&batches, &places, numbered.rejected, refusals);
        if let (Some(key), [Ok(result)]) = (key, of_batches.as_slice()) {
            part.batches.push(HotBatch { key, received_at, result: result.clone() });
        }
        results.push(of_batches);
    }
    part.rows = months.with_months(&concat_batches(&schema::stored(), &rows)?)?;
    part.dead_letters = join_dead_letters(part.dead_letters)?;
    part.identity = overlay.finish();
    Ok(NewRecord { payload: part.to_payload(types)?, part, keys, results })
}

/// Which messages of a group are new. Where the first one of a message is refused, the next one takes its place.
struct NewMessages<'v> {
    verdicts: &'v [Verdict],
    /// Where the events of the next sender begin.
    start: usize,
    /// First places of messages that came and are not stored.
    left: HashSet<usize>,
}

impl<'v> NewMessages<'v> {
    fn of(verdicts: &'v [Verdict]) -> Self {
        Self { verdicts, start: 0, left: HashSet::new() }
    }

    /// Places of the next sender's new events, among its own; of batches that are refused none is.
    fn take(&mut self, batches: &[usize], refusals: &[Result<()>]) -> Vec<usize> {
        let sizes = batches.iter().zip(refusals);
        let is_refused = sizes.flat_map(|(size, refusal)| std::iter::repeat_n(refusal.is_err(), *size));
        let mut places = Vec::new();
        for (at, (verdict, is_refused)) in self.verdicts[self.start..].iter().zip(is_refused).enumerate() {
            let is_new = match verdict {
                Verdict::New if is_refused => {
                    self.left.insert(self.start + at);
                    false
                }
                Verdict::New => true,
                Verdict::Repeat(first) => !is_refused && self.left.remove(first),
                Verdict::Duplicate | Verdict::Pending(_) => false,
            };
            if is_new {
                places.push(at);
            }
        }
        places
    }

    /// Events at these places are not stored after all.
    fn give_back(&mut self, places: &[usize]) {
        self.left.extend(places.iter().map(|at| match self.verdicts[self.start + at] {
            Verdict::Repeat(first) => first,
            Verdict::New | Verdict::Duplicate | Verdict::Pending(_) => self.start + at,
        }));
    }
}

impl NewRows {
    /// # Errors
    /// `Internal` for other rows than those of so many events, in so many batches.
    fn check(&self, events: usize, batches: usize) -> Result<()> {
        let rows: usize = self.rows.iter().map(RecordBatch::num_rows).sum();
        let are_stored = self.rows.iter().all(|rows| *rows.schema_ref() == schema::stored());
        match rows == events && are_stored && self.rejected.len() == batches {
            true => Ok(()),
            false => Err(Error::internal("events were numbered that are not new")),
        }
    }
}

/// What became of each batch: `sizes` says how many events each has, `new` the places of those that are stored now.
fn results_of(sizes: &[usize], new: &[usize], rejected: Vec<Rejected>, refusals: Vec<Result<()>>) -> BatchResults {
    let mut new = new.iter().peekable();
    let mut end = 0;
    let of_batch = |((size, rejected), refusal): ((&usize, Rejected), Result<()>)| {
        end += size;
        let mut kept = 0;
        while new.next_if(|place| **place < end).is_some() {
            kept += 1;
        }
        let duplicate = *size as u64 - kept;
        let Rejected { rows: rejected, reasons, .. } = rejected;
        refusal.map(|()| AppendResult { kept, duplicate, rejected, reasons, ..AppendResult::default() })
    };
    sizes.iter().zip(rejected).zip(refusals).map(of_batch).collect()
}

#[cfg(test)]
mod tests;
