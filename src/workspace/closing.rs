//! The end of a workspace's log when its process stops: what is in it comes into files, or stays in it for the next start.

use std::sync::Arc;

use super::flush::FLUSH_BUFFER;
use super::state::Workspace;
use super::writer::Writer;
use crate::error::{Error, Kind};

/// What became of the rows that were in logs alone when these were closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClosedLogs {
    /// Rows that came into files.
    pub flushed: usize,
    /// Rows that did not, as on a full disk: they are durable in the log, which the next start reads.
    pub left: usize,
}

impl Workspace {
    /// Brings what is in the log into files and ends the log; who wants to write after that is refused. Does no more where
    /// this process is not the writer, or not yet: what it has not read it has not changed. What fails is logged.
    pub(super) async fn close(self: &Arc<Self>) -> ClosedLogs {
        let mut writer = Writer { workspace: Arc::clone(self), writing: self.turn().await };
        let (is_ready, is_writer) = (writer.is_ready(), writer.writing.lock.is_some());
        writer.writing.close();
        let rows = self.snapshot().hot.rows();
        if !is_ready {
            // A writer that failed a moment ago: of another one's rows there is nothing to say.
            return match is_writer {
                true => self.leave_in_log(rows, self.log_monitor().flush_failure()),
                false => ClosedLogs::default(),
            };
        }
        if let Err(error) = writer.flush(FLUSH_BUFFER).await {
            return self.leave_in_log(rows, Some(error));
        }
        if let Err(error) = writer.writing.end_log().await {
            tracing::warn!(workspace = %self.name(), %error, "the log is read by the next start");
        }
        ClosedLogs { flushed: rows, left: 0 }
    }

    /// Says so, with the reason where that is known.
    fn leave_in_log(&self, rows: usize, failure: Option<Error>) -> ClosedLogs {
        let (workspace, error) = (self.name(), failure.as_ref().map(Error::message));
        if failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Conflict) {
            tracing::warn!(%workspace, rows, error, "rows of the log are left to the process that has taken over");
            return ClosedLogs::default();
        }
        if rows > 0 || failure.is_some() {
            tracing::warn!(%workspace, rows, error, "rows stay in the log, which keeps them for the next start");
        }
        ClosedLogs { flushed: 0, left: rows }
    }
}
