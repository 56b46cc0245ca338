//! What fails in the background, again with each try: which of it is news, and why the last flush failed. Must not know
//! what was tried.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Kind};

/// What goes on failing is said again so often.
const TOLD_AGAIN: Duration = Duration::from_secs(300);

/// Since the last flush that went well.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// What was said of late.
    told: Vec<Told>,
    of_flush: Option<Error>,
}

#[derive(Debug)]
struct Told {
    kind: Kind,
    shape: String,
    at: Instant,
}

impl Failures {
    pub(super) fn of_flush(&self) -> Option<&Error> {
        self.of_flush.as_ref()
    }

    /// A failed flush; whether it is to be said.
    pub(super) fn add_of_flush(&mut self, error: &Error) -> bool {
        self.of_flush = Some(error.repeat());
        self.add(error)
    }

    /// Any failure; whether it is to be said. That another process writes is said once, all else now and then.
    pub(super) fn add(&mut self, error: &Error) -> bool {
        self.told.retain(|told| told.kind == Kind::Conflict || told.at.elapsed() < TOLD_AGAIN);
        let (kind, shape) = (error.kind(), shape(error));
        let is_told = |told: &Told| told.kind == kind && (kind == Kind::Conflict || told.shape == shape);
        if self.told.iter().any(is_told) {
            return false;
        }
        self.told.push(Told { kind, shape, at: Instant::now() });
        true
    }
}

/// The text without what is new with each try: sizes, and the names of files, which are hexadecimal numbers.
fn shape(error: &Error) -> String {
    error.message().chars().filter(|c| !c.is_ascii_hexdigit()).collect()
}
