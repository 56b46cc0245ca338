//! Commits of other programs to the events table: the one writer looks for them now and then, so that they are seen
//! while it commits nothing itself.

use std::sync::Arc;

use futures::{StreamExt, stream};

use super::state::Workspace;
use crate::error::Result;

/// Each reads one object of the log, which is there only when somebody committed.
const LOOKED_AT_ONCE: usize = 8;

/// Makes visible what others committed to these workspaces, as far as this process is their writer.
pub(super) async fn see(workspaces: Vec<Arc<Workspace>>) {
    let look = |workspace: Arc<Workspace>| async move {
        if let Err(error) = workspace.see_other_commits().await {
            match workspace.log_monitor().note_failed_look(&error) {
                true => tracing::warn!(workspace = %workspace.name(), %error, "what others committed is not seen"),
                false => tracing::debug!(workspace = %workspace.name(), %error, "what others committed is not seen"),
            }
        }
    };
    stream::iter(workspaces).for_each_concurrent(LOOKED_AT_ONCE, look).await;
}

impl Workspace {
    /// # Errors
    /// `Conflict` when another process has taken over, `Corrupt` when the table can be read no more.
    async fn see_other_commits(self: &Arc<Self>) -> Result<()> {
        let next = self.snapshot().events.version + 1;
        if !self.events().has_version(next).await? {
            return Ok(());
        }
        let is_writer = self.turn().await.lock.is_some();
        // This process may have written it itself.
        let is_seen = || self.snapshot().events.version >= next;
        if !is_writer || is_seen() {
            return Ok(());
        }
        let mut writer = self.writer_of_files().await?;
        if is_seen() { Ok(()) } else { writer.refresh().await }
    }
}
