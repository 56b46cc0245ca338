//! Who runs and who waits: a bounded number of statements at once, and a bounded queue before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Result};
use crate::settings::QuerySettings;

/// Places of statements that run, and the count of those that wait for one.
pub(super) struct Places {
    free: Arc<Semaphore>,
    concurrency: usize,
    queue: usize,
    waiting: AtomicUsize,
}

impl Places {
    pub(super) fn new(settings: &QuerySettings) -> Self {
        Self {
            free: Arc::new(Semaphore::new(settings.concurrency)),
            concurrency: settings.concurrency,
            queue: settings.queue,
            waiting: AtomicUsize::new(0),
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A place, at once or when one gets free.
    ///
    /// # Errors
    /// `Busy` when the queue is full or the deadline comes first.
    pub(super) async fn take(&self, deadline: Instant) -> Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::enter(self)?;
        let place = timeout_at(deadline, Arc::clone(&self.free).acquire_owned()).await.map_err(|_| {
            Error::busy(format!(
                "the statement waited too long for one of {} places (setting query.concurrency): try again later",
                self.concurrency
            ))
        })?;
        place.map_err(|_| Error::busy("the server is stopping"))
    }
}

/// One statement in the queue, until dropped.
struct Waiting<'a>(&'a Places);

impl<'a> Waiting<'a> {
    fn enter(places: &'a Places) -> Result<Self> {
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(places);
        if before >= places.queue {
            return Err(Error::busy(format!(
                "{} statements run and {} wait already (settings query.concurrency, query.queue): try again in a moment",
                places.concurrency, places.queue
            )));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
