//! The writer with the newest term, unless it has ended, as other processes see it: where it is reached, and its last sign
//! of life.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use serde_json::Value;

use super::board::Board;
use crate::error::Result;
use crate::store::objects;
use crate::store::paths::WorkspacePaths;

/// Another process that has, or had, the right to write to a workspace in an object store.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Where it is reached, if it is a server and says so.
    pub address: Option<String>,
    /// Time after which it counts as gone, unless it gives another sign of life.
    pub gone_in: Duration,
    term: u64,
    heartbeat: Option<Value>,
}

impl Holder {
    pub(in crate::store) async fn of(
        store: &Arc<dyn ObjectStore>,
        paths: &WorkspacePaths,
        stale_after: Duration,
    ) -> Result<Option<Self>> {
        let board = Board::read(store, paths).await?;
        let Some((term, reign)) = board.holder() else { return Ok(None) };
        let heartbeat: Option<Value> = objects::read_json(store, &paths.writer_heartbeat(term)).await?;
        let address = heartbeat.as_ref().and_then(|beat| beat["address"].as_str()).map(str::to_owned);
        // What a claim that was refused a moment ago asked the store for.
        let now = board.clock.unwrap_or(reign.seen);
        let silent = now.signed_duration_since(reign.seen).to_std().unwrap_or_default();
        Ok(Some(Self { address, gone_in: stale_after.saturating_sub(silent), term, heartbeat }))
    }

    /// Whether a writer has given a sign of life since this one was looked at: this one, or one that came after it.
    pub fn lives_by(&self, later: &Self) -> bool {
        self.term != later.term || self.heartbeat != later.heartbeat
    }
}
