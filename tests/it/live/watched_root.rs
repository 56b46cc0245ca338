//! A root whose rows are compared with what was sent to its servers, and what those answered.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::Status;

use super::event_stream::{Batch, send};
use super::oracle::{Oracle, ROWS};
use crate::program::{Process, rows_in_folder, token};
use crate::server::rows;

/// What waits for a server waits no longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct WatchedRoot {
    folder: TempDir,
    /// Of role admin.
    pub token: String,
    pub oracle: Arc<Mutex<Oracle>>,
}

impl WatchedRoot {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { token: token(folder.path(), None), folder, oracle: Arc::default() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// As `sql --data` reads it.
    pub fn check_folder(&self, when: &str) {
        let rows = rows_in_folder(self.path(), ROWS);
        self.oracle.lock().check(&rows, when);
    }

    pub async fn check_running(&self, server: &Process, when: &str) {
        let mut client = server.client(&self.token).await;
        let rows = timeout(PATIENCE, rows(&mut client, ROWS)).await.expect(when);
        self.oracle.lock().check(&rows, when);
    }

    /// Sends batches in a stream of their own: the error that it ended with, if each was not answered.
    pub async fn send(&self, server: &Process, batches: Vec<Batch>) -> Option<Status> {
        let channel = server.channel().await;
        let sending = send(channel, &self.token, stream::iter(batches), 8, Arc::clone(&self.oracle));
        timeout(PATIENCE, sending).await.expect("each batch is answered, or refused")
    }

    pub async fn send_well(&self, server: &Process, batches: Vec<Batch>) {
        let ended = self.send(server, batches).await;
        assert!(ended.is_none(), "{ended:?}");
    }
}
