//! The state that a statement is bound to, and reads from its first row to its last.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::tables::TablesSnapshot;
use crate::identity::{Chunked, IdentitySnapshot};
use crate::ids::Epoch;
use crate::store::delta::LiveFiles;
use crate::store::events::LoadRecord;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Version of the events table.
    pub version: u64,
    /// Version of the identity graph.
    pub epoch: Epoch,
    /// Revision of the user tables, as this process counts them.
    pub tables: u64,
    /// Version of the workspace's settings and reference tables.
    pub settings_revision: u64,
}

/// Records of loads; a state shares them with the one before it.
pub type Loads = Chunked<Arc<LoadRecord>>;

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
    pub events: LiveFiles,
    pub identity: IdentitySnapshot,
    /// All loads up to `events.version`, in commit order.
    pub loads: Loads,
    pub tables: TablesSnapshot,
    pub rules: Arc<Rules>,
}

impl Snapshot {
    /// Whether anything was read into it yet: a workspace that is being opened has none of this.
    pub(super) fn is_read(&self) -> bool {
        SnapshotId { settings_revision: 0, ..self.id() } != SnapshotId::default()
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
            + self.loads.bytes_beside(&other.loads)
            + places(&self.events, &other.events)
            + tables.sum::<usize>()
    }

    pub fn id(&self) -> SnapshotId {
        SnapshotId {
            version: self.events.version,
            epoch: self.identity.epoch,
            tables: self.tables.revision,
            settings_revision: self.rules.revision,
        }
    }
}
