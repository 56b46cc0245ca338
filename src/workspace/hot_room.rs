//! Room for more rows that are in no file yet, where those of all workspaces take what memory they may: who holds more than
//! his part brings it into files before he writes on; and whoever holds the most does so in the background.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::flush::FLUSH_BUFFER;
use super::registry::Workspaces;
use super::state::Workspace;
use crate::error::Result;

/// After a flush that failed, before the next one is tried.
const PAUSE: Duration = Duration::from_secs(1);

impl Workspace {
    /// To be called before more rows are written to the log. Waits for no flush but that of this workspace.
    ///
    /// # Errors
    /// As [`Workspace::flush`].
    pub async fn make_room(self: &Arc<Self>) -> Result<()> {
        let memory = self.memory();
        if memory.of_all.hot_rows.is_used_up() {
            memory.of_all.want_flush();
        }
        match memory.hot_rows.has_room() {
            true => Ok(()),
            false => self.flush(FLUSH_BUFFER).await.map(drop),
        }
    }
}

/// Flushes the workspace with the most rows that are in no file whenever others need the memory. Runs until it is dropped,
/// which harms nothing at any moment.
pub async fn flush_for_room(workspaces: Workspaces) {
    loop {
        workspaces.memory().until_flush_wanted().await;
        if !workspaces.memory().hot_rows.is_used_up() {
            continue;
        }
        if !flush_largest(workspaces.opened()).await {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether one was flushed: one that cannot be keeps nobody from the next largest.
async fn flush_largest(mut workspaces: Vec<Arc<Workspace>>) -> bool {
    workspaces.retain(|workspace| !workspace.snapshot().hot.is_empty());
    workspaces.sort_by_key(|workspace| Reverse(workspace.snapshot().hot.bytes()));
    for workspace in workspaces {
        if workspace.flush_or_tell(FLUSH_BUFFER).await {
            return true;
        }
    }
    false
}
