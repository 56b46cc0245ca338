//! The log of a workspace on an object store: create-only objects, named by a dense sequence number alone.
//!
//! Two writers always meet at one name, so that at most one of them gets there. Which of them may still acknowledge is
//! told by the terms: an object that landed counts only when no newer term was claimed by then. Lists are never trusted.
//! `opening` says in which order a log is taken over, and why.
//!
//! Must not know how records are gathered, what a payload means, or how terms are claimed.

mod claims;
mod folder;
mod index;
mod marks;
mod opening;
mod reader;
mod requests;
mod survey;
#[cfg(test)]
mod tests;
mod trim;

use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

pub use self::claims::{ClaimProbe, TermCheck};
use self::folder::{Entry, Folder, encode};
pub use self::folder::{LogObject, LogPlace};
use self::index::Index;
pub use self::index::LogStatus;
pub use self::reader::{LogReader, LogView};
use self::requests::Landed;
pub use self::requests::Retries;
pub use self::trim::Trimmer;
use super::record::{Header, MAX_PAYLOAD_BYTES, Record};
use crate::error::{Error, RUN_CHECK, Result};

/// Who writes a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogWriter {
    /// Claimed by this process, for this opening alone.
    pub term: u64,
    /// Fresh for each opening.
    pub id: Uuid,
    /// Of the columns of events.
    pub schema_revision: u32,
}

impl LogWriter {
    fn header(&self, workspace: Uuid, sequence: u64, first_position: u64) -> Header {
        let Self { term, id, schema_revision } = *self;
        Header { workspace, term, writer: id, sequence, first_position, schema_revision }
    }
}

/// Whether a log takes records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogState {
    Serving,
    /// A newer term was claimed: another process writes now.
    Fenced {
        newer_term: u64,
    },
    /// Nobody knows whether the last append landed, so that nothing may follow it: claim a new term and open again.
    Ended {
        why: String,
    },
}

/// What the appender and the trimmer of one writer share.
struct Shared {
    folder: Arc<Folder>,
    writer: LogWriter,
    claims: Arc<dyn TermCheck>,
    /// The objects that are known to be durable.
    index: Mutex<Index>,
    state: Mutex<LogState>,
}

/// A log that is open for writing.
pub struct ObjectLog {
    shared: Arc<Shared>,
    /// An append is under way, or was given up.
    appending: bool,
}

/// Takes the log over with a term that was claimed for this. What it holds is replayed by [`ObjectLog::read_after`],
/// from the position up to which the workspace was flushed as it is read *behind* this call, and before the first append.
/// `flushed_to` is one that was read before: the log must reach it.
///
/// # Errors
/// `Conflict` when a newer term was claimed, `Corrupt` for an object that is damaged or missing, else that of the store.
/// A term that has failed to open is of no more use.
pub async fn open(
    place: LogPlace,
    writer: LogWriter,
    claims: Arc<dyn TermCheck>,
    flushed_to: u64,
) -> Result<(ObjectLog, Trimmer)> {
    let folder = Arc::new(Folder::new(place));
    let (index, mark) = opening::take_over(&folder, &writer, &claims, flushed_to).await?;
    let (index, state) = (Mutex::new(index), Mutex::new(LogState::Serving));
    let shared = Arc::new(Shared { folder, writer, claims, index, state });
    Ok((ObjectLog { shared: Arc::clone(&shared), appending: false }, Trimmer::new(shared, mark)))
}

impl ObjectLog {
    /// The position that the next record must have.
    pub fn next_position(&self) -> u64 {
        self.shared.index.lock().next_position()
    }

    pub fn status(&self) -> LogStatus {
        self.shared.index.lock().status()
    }

    pub fn state(&self) -> LogState {
        match self.shared.state.lock().clone() {
            LogState::Serving if self.appending => given_up(),
            state => state,
        }
    }

    /// The durable records behind `position`.
    ///
    /// # Errors
    /// `Conflict` when some of them are trimmed.
    pub fn read_after(&self, position: u64) -> Result<LogReader> {
        LogReader::new(&self.shared.folder, &self.shared.index.lock(), position)
    }

    /// Writes records as one object. They are durable, and may be acknowledged, when this returns; positions are those
    /// from [`ObjectLog::next_position`] on. Not to be dropped before it is done: the log ends then.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over, for this and every later call. `InvalidInput` for records that
    /// cannot be written, which changes nothing. After any other error the log takes no more records (`Busy`), and the
    /// next opening tells whether these have landed.
    pub async fn append(&mut self, records: &[Record]) -> Result<()> {
        self.check(records)?;
        match self.state() {
            LogState::Serving => {}
            LogState::Fenced { newer_term } => return Err(taken_over(newer_term)),
            LogState::Ended { why } => {
                return Err(Error::busy(format!("the log takes no more records until it is opened again: {why}")));
            }
        }
        self.appending = true;
        let outcome = self.shared.write(records).await;
        self.appending = false;
        if let Err(error) = &outcome {
            self.shared.end(error);
        }
        outcome
    }

    fn check(&self, records: &[Record]) -> Result<()> {
        let next = self.next_position();
        if records.is_empty() {
            return Err(Error::invalid("an object of the log needs at least one record"));
        }
        for (record, expected) in records.iter().zip(next..) {
            if record.position != expected {
                return Err(Error::invalid(format!(
                    "the next record has position {expected}, and was given {}",
                    record.position
                )));
            }
            if record.kind.is_mark() {
                return Err(Error::invalid("the mark of an end is for logs on a local disk"));
            }
            if record.payload.len() > MAX_PAYLOAD_BYTES {
                return Err(Error::invalid(format!(
                    "a record holds at most {MAX_PAYLOAD_BYTES} bytes, and was given {}",
                    record.payload.len()
                )));
            }
        }
        Ok(())
    }
}

impl Shared {
    async fn write(&self, records: &[Record]) -> Result<()> {
        let (sequence, position) = {
            let index = self.index.lock();
            (index.next_sequence(), index.next_position())
        };
        let header = self.writer.header(self.folder.workspace, sequence, position);
        let bytes = encode(&header, records, position - 1);
        let landed = self.folder.create_object(sequence, &bytes).await?;
        // Also when it has landed: the object that was to stop it may have been trimmed.
        self.confirm_term().await?;
        if let Landed::Others(object) = landed {
            return Err(Error::corrupt(format!(
                "log object '{}' of term {} stands where only term {} may write",
                self.folder.paths.object(sequence),
                object.header.term,
                self.writer.term
            ))
            .with_help(RUN_CHECK));
        }
        let entry = Entry::new(&header, bytes.len() as u64);
        self.index.lock().push(entry, position + records.len() as u64)
    }

    /// # Errors
    /// `Conflict` when a newer term was claimed, for which the log is fenced then, or when the own claim is gone.
    async fn confirm_term(&self) -> Result<()> {
        let newest = self.claims.newest().await?;
        if newest > self.writer.term {
            self.fence(newest);
            return Err(taken_over(newest));
        }
        Ok(())
    }

    fn fence(&self, newer_term: u64) {
        *self.state.lock() = LogState::Fenced { newer_term };
    }

    /// Ends writing, unless it is fenced already.
    fn end(&self, error: &Error) {
        let mut state = self.state.lock();
        if *state == LogState::Serving {
            *state = LogState::Ended { why: error.to_string() };
        }
    }
}

fn given_up() -> LogState {
    LogState::Ended { why: "an append was given up before it was known to be durable".to_owned() }
}

fn taken_over(newer_term: u64) -> Error {
    Error::conflict(format!(
        "another process (term {newer_term}) has taken over the writing of this workspace, and may have ended since: \
         send again in a moment"
    ))
}
