//! The queries that run now, by the id in their ticket, so that a client can cancel one by name.
//!
//! A dropped stream needs none of this: it takes its query with it. Must not know what a query is.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::ticket::QueryId;
use crate::error::{Error, Result};

/// How many cancelled ids are remembered, to refuse a ticket that was cancelled before it was used.
const REMEMBERED: usize = 1024;

#[derive(Default)]
struct State {
    running: HashMap<QueryId, Entry>,
    cancelled: VecDeque<QueryId>,
}

struct Entry {
    cancel: watch::Sender<bool>,
    /// One ticket may be fetched more than once at a time.
    streams: usize,
}

/// All running queries of a server. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Running {
    state: Arc<Mutex<State>>,
}

/// One running stream; dropping it ends its entry.
pub(super) struct Registration {
    running: Running,
    query_id: QueryId,
    cancel: watch::Receiver<bool>,
}

impl Running {
    /// Enters a query that begins to run.
    ///
    /// # Errors
    /// `InvalidInput` when it was cancelled before.
    pub(super) fn register(&self, query_id: QueryId) -> Result<Registration> {
        let mut state = self.state.lock();
        if state.cancelled.contains(&query_id) {
            return Err(Error::invalid("the query was cancelled: send it again by GetFlightInfo"));
        }
        let entry =
            state.running.entry(query_id).or_insert_with(|| Entry { cancel: watch::Sender::new(false), streams: 0 });
        entry.streams += 1;
        let cancel = entry.cancel.subscribe();
        Ok(Registration { running: self.clone(), query_id, cancel })
    }

    /// Stops a query if it runs, and in any case keeps it from running later.
    pub(super) fn cancel(&self, query_id: QueryId) {
        let mut state = self.state.lock();
        if let Some(entry) = state.running.get(&query_id) {
            entry.cancel.send_replace(true);
        }
        if !state.cancelled.contains(&query_id) {
            if state.cancelled.len() == REMEMBERED {
                state.cancelled.pop_front();
            }
            state.cancelled.push_back(query_id);
        }
    }

    /// Stops all: the server goes down and will not wait longer.
    pub(super) fn cancel_all(&self) {
        for entry in self.state.lock().running.values() {
            entry.cancel.send_replace(true);
        }
    }
}

impl Registration {
    /// Returns once the query is cancelled, else never.
    pub(super) async fn cancelled(&mut self) {
        if self.cancel.wait_for(|cancelled| *cancelled).await.is_err() {
            // The sender lives in the entry, which lives as long as this registration.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.running.state.lock();
        if let Some(entry) = state.running.get_mut(&self.query_id) {
            entry.streams -= 1;
            if entry.streams == 0 {
                state.running.remove(&self.query_id);
            }
        }
    }
}
