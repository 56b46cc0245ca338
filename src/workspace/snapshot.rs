//! The state that a statement is bound to, and reads from its first row to its last.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hot::Hot;
use super::rules::Rules;
use super::tables::TablesSnapshot;
use crate::identity::{Chunked, IdentitySnapshot};
use crate::ids::Epoch;
use crate::store::delta::LiveFiles;
use crate::store::events::{CommitRecord, LoadRecord, dedupe_runs};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Records of the log so far.
    pub position: u64,
    /// Version of the events table.
    pub version: u64,
    /// Version of the identity graph.
    pub epoch: Epoch,
    /// Revision of the user tables, as this process counts them.
    pub tables: u64,
    /// Version of the workspace's settings and reference tables.
    pub settings_revision: u64,
}

/// Records of the commits that loaded something; a state shares them with the one before it.
pub type Commits = Chunked<Arc<CommitRecord>>;

/// What a plan hangs on: one that was made for a state holds for all states of its shape. Rows, persons and loads are no
/// part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId {
    /// Version of the workspace's settings and reference tables.
    settings_revision: u64,
    /// Revision of the user tables at which one was last made or dropped.
    tables: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Records of the log so far.
    pub position: u64,
    pub events: LiveFiles,
    /// Rows of records up to this one are in `events`.
    pub flushed: u64,
    /// What records beyond those in `events` brought.
    pub hot: Hot,
    pub identity: IdentitySnapshot,
    /// Those up to `events.version`, in their order.
    pub commits: Commits,
    pub tables: TablesSnapshot,
    pub rules: Arc<Rules>,
}

impl Snapshot {
    /// Whether anything was read into it yet: a workspace that is being opened has none of this.
    pub(super) fn is_read(&self) -> bool {
        SnapshotId { settings_revision: 0, ..self.id() } != SnapshotId::default()
    }

    pub fn holds_events(&self) -> bool {
        self.events.rows() > 0 || self.hot.rows() > 0
    }

    /// All loads, in their order.
    pub fn loads(&self) -> impl DoubleEndedIterator<Item = &LoadRecord> {
        let in_log = self.hot.parts().iter().flat_map(|part| part.loads.iter());
        self.commits.iter().flat_map(|commit| commit.loads.iter()).chain(in_log)
    }

    /// The objects of message ids that count, each a path below the workspace.
    pub fn dedupe_runs(&self) -> Vec<&str> {
        dedupe_runs(self.commits.iter().map(|commit| commit.as_ref()))
    }

    pub fn shape(&self) -> ShapeId {
        ShapeId { settings_revision: self.rules.revision, tables: self.tables.shape }
    }

    /// Bytes of memory that this state holds and `other` does not share: what it costs to keep it beside the other.
    pub fn bytes_beside(&self, other: &Self) -> usize {
        let places = |own: &LiveFiles, other: &LiveFiles| match Arc::ptr_eq(&own.files, &other.files) {
            true => 0,
            false => size_of_val(own.files.as_ref()),
        };
        let tables = self.tables.tables.iter().map(|(name, table)| match other.tables.tables.get(name) {
            Some(beside) => places(&table.live, &beside.live),
            None => size_of_val(table.live.files.as_ref()),
        });
        size_of::<Self>()
            + self.identity.bytes_beside(&other.identity)
            + self.commits.bytes_beside(&other.commits)
            + self.hot.bytes_beside(&other.hot)
            + places(&self.events, &other.events)
            + tables.sum::<usize>()
    }

    pub fn id(&self) -> SnapshotId {
        SnapshotId {
            position: self.position,
            version: self.events.version,
            epoch: self.identity.epoch,
            tables: self.tables.revision,
            settings_revision: self.rules.revision,
        }
    }
}
