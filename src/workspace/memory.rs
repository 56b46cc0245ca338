//! What the workspaces of a root may take of memory, together and each: for rows that are in no file yet, for events that
//! wait to be written, and to recognise messages that come again.

use std::sync::Arc;

use tokio::sync::Notify;

use super::shared_budget::{Share, SharedBudget};

/// Bytes of rows in the logs beyond which nothing more is written until some of them are in files.
const HOT_ROWS_BYTES: usize = 512 << 20;

/// Bytes of events that may wait; who has more waits before it hands them over.
const WAITING_EVENTS_BYTES: usize = 128 << 20;

/// Bytes for the message ids of events in files. Those of events in the logs are few beside the events themselves.
const MESSAGE_IDS_BYTES: usize = 512 << 20;

/// The budgets of all workspaces of a root.
pub(super) struct WorkspacesMemory {
    pub(super) hot_rows: Arc<SharedBudget>,
    waiting_events: Arc<SharedBudget>,
    message_ids: Arc<SharedBudget>,
    flush_wanted: Notify,
}

/// The shares of one workspace.
pub(super) struct WorkspaceMemory {
    pub(super) of_all: Arc<WorkspacesMemory>,
    pub(super) hot_rows: Share,
    pub(super) waiting_events: Arc<Share>,
    pub(super) message_ids: Share,
}

impl Default for WorkspacesMemory {
    fn default() -> Self {
        Self::new(HOT_ROWS_BYTES, WAITING_EVENTS_BYTES, MESSAGE_IDS_BYTES)
    }
}

impl WorkspacesMemory {
    pub(super) fn new(hot_rows: usize, waiting_events: usize, message_ids: usize) -> Self {
        Self {
            hot_rows: SharedBudget::new(hot_rows),
            waiting_events: SharedBudget::new(waiting_events),
            message_ids: SharedBudget::new(message_ids),
            flush_wanted: Notify::new(),
        }
    }

    /// For one more workspace.
    pub(super) fn share(self: &Arc<Self>) -> WorkspaceMemory {
        WorkspaceMemory {
            hot_rows: self.hot_rows.share(),
            waiting_events: Arc::new(self.waiting_events.share()),
            message_ids: self.message_ids.share(),
            of_all: Arc::clone(self),
        }
    }

    /// Says that somebody's rows are to become files: others need the memory.
    pub(super) fn want_flush(&self) {
        self.flush_wanted.notify_one();
    }

    /// Comes to its end when that was said.
    pub(super) async fn until_flush_wanted(&self) {
        self.flush_wanted.notified().await;
    }
}

#[cfg(test)]
mod tests;
