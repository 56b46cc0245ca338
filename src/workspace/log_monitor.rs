//! What is known of a workspace's log without asking for it: nobody who looks waits for who writes.
//!
//! The log tells what it holds, recovery and flushes tell when they are done. Must not know how the log is stored.

mod failures;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use self::failures::Failures;
use super::snapshot::Snapshot;
use crate::error::Error;
use crate::store::wal::LogGauge;

#[derive(Debug, Default)]
pub struct LogMonitor {
    gauge: Arc<LogGauge>,
    times: Mutex<Times>,
    failures: Mutex<Failures>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    last_flush: Option<DateTime<Utc>>,
    replay: Duration,
}

/// The log beside a state of its workspace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogReport {
    /// Of the newest record.
    pub position: u64,
    /// Rows of records up to this one are in files.
    pub flushed_position: u64,
    /// Rows that are in the log alone.
    pub hot_rows: usize,
    /// Memory that they take.
    pub hot_bytes: usize,
    /// As it is now, whichever state is read.
    pub segments: u64,
    /// Without space that is reserved for later records, where this process writes the log.
    pub log_bytes: u64,
    /// By whichever process, as far as that is known.
    pub last_flush: Option<DateTime<Utc>>,
    /// What it took to read the stored state from its beginning, last.
    pub replay_seconds: f64,
}

impl LogMonitor {
    /// Where the log tells its size.
    pub(super) fn gauge(&self) -> &Arc<LogGauge> {
        &self.gauge
    }

    /// Whether that is news: those before it failed.
    pub(super) fn note_flush(&self, at: DateTime<Utc>) -> bool {
        self.times.lock().last_flush = Some(at);
        std::mem::take(&mut *self.failures.lock()).of_flush().is_some()
    }

    /// What the stored state says of a flush of before, or of another process.
    pub(super) fn note_stored_flush(&self, at: Option<DateTime<Utc>>) {
        let mut times = self.times.lock();
        times.last_flush = times.last_flush.max(at);
    }

    /// Whether a flush that failed for this is news.
    pub(super) fn note_failed_flush(&self, error: &Error) -> bool {
        self.failures.lock().add_of_flush(error)
    }

    /// The same for a look at what others committed.
    pub(super) fn note_failed_look(&self, error: &Error) -> bool {
        self.failures.lock().add(error)
    }

    /// Why the last flush in the background failed; `None` when it did not.
    pub(super) fn flush_failure(&self) -> Option<Error> {
        self.failures.lock().of_flush().map(Error::repeat)
    }

    pub(super) fn note_replay(&self, took: Duration) {
        self.times.lock().replay = took;
    }

    /// `state` is the one that a statement reads.
    pub fn report(&self, state: &Snapshot) -> LogReport {
        let (size, times) = (self.gauge.size(), *self.times.lock());
        LogReport {
            position: state.position,
            flushed_position: state.flushed,
            hot_rows: state.hot.rows(),
            hot_bytes: state.hot.bytes(),
            segments: size.segments,
            log_bytes: size.used,
            last_flush: times.last_flush,
            replay_seconds: times.replay.as_secs_f64(),
        }
    }
}
