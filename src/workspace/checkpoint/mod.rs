//! Identity checkpoints: the graph and the commit records at one version as Parquet objects, so that opening a workspace
//! need not replay every load; and the table of persons that each of them publishes.
//!
//! The objects of the loads stay the truth: a checkpoint may be deleted at any time, and one that cannot be read is
//! passed over.

mod parts;
mod publish;
mod read;
mod take;
#[cfg(test)]
mod tests;
mod timer;
mod write;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::ids::Epoch;

use self::parts::Part;
pub(super) use self::read::Restored;
pub use self::timer::checkpoint_by_time;

/// Version of the layout of a checkpoint; a newer one is passed over.
const FORMAT: u32 = 3;

/// Complete checkpoints that are kept.
const KEPT: usize = 2;

/// Nodes in one object: some 100 MB.
const PART_ROWS: usize = 1 << 22;

/// What a checkpoint says of itself: its manifest, written after everything that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    format: u32,
    /// Of which workspace: a writer that slept may have written it while that was dropped, and another one of its name made.
    workspace: Uuid,
    pub epoch: Epoch,
    pub events_version: u64,
    pub created_at: DateTime<Utc>,
    pub nodes: u64,
    /// Canonical persons.
    pub persons: u64,
    /// Commits up to `events_version`.
    commits: u64,
    /// Folder of the files of the published table, and its manifest; both below the workspace.
    pub published_in: String,
    pub published_manifest: String,
    node_parts: Vec<Part>,
    birth_parts: Vec<Part>,
    commit_parts: Vec<Part>,
}

/// The checkpoints of one workspace.
pub(super) struct Checkpoints {
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    workspace: Uuid,
    part_rows: usize,
    /// The newest one that was read or written.
    newest: Mutex<Option<Checkpoint>>,
    /// Held while one is taken.
    taking: tokio::sync::Mutex<()>,
}

impl Checkpoints {
    /// Those of the workspace of this id.
    pub(super) fn new(store: Arc<dyn ObjectStore>, clock: Clock, workspace: Uuid) -> Self {
        let (newest, taking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, clock, workspace, part_rows: PART_ROWS, newest, taking }
    }

    pub(super) fn set_newest(&self, checkpoint: Option<Checkpoint>) {
        *self.newest.lock() = checkpoint;
    }

    fn newest(&self) -> Option<Checkpoint> {
        self.newest.lock().clone()
    }
}
