//! A panic in a statement is an error of that statement: it is logged and counted, and all others go on.
//!
//! What panicked and where is for the log. The client is told that the fault is the engine's.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;

use crate::error::{Error, Result};
use crate::request;

/// The panics of all statements so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Panics(Arc<AtomicU64>);

impl Panics {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs work of a statement.
    ///
    /// # Errors
    /// `Internal` when it panicked.
    pub(super) async fn contain<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // What the work held is dropped with it; what it shares stands behind locks that are not poisoned.
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(panic) => Err(self.note(panic.as_ref(), request_id())),
        }
    }

    /// Logs and counts a panic.
    pub(super) fn note(&self, panic: &(dyn Any + Send), request: Option<uuid::Uuid>) -> Error {
        self.0.fetch_add(1, Ordering::Relaxed);
        let what = panic.downcast_ref::<String>().map(String::as_str);
        let what = what.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let request = request.map(|id| id.to_string()).unwrap_or_default();
        tracing::error!(request, what, "a statement panicked");
        Error::internal(
            "the statement broke off by a fault of the engine; the log names it. Other statements go on: write it \
             another way, or tell the operator",
        )
    }
}

/// The request that this task works for.
pub(super) fn request_id() -> Option<uuid::Uuid> {
    request::current().map(|record| record.id())
}
