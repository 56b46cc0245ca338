//! The state that a query pins when it is planned, and reads from its first row to its last.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::tables::TablesSnapshot;
use crate::identity::IdentitySnapshot;
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

#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub events: LiveFiles,
    pub identity: IdentitySnapshot,
    /// All loads up to `events.version`, in commit order.
    pub loads: Arc<Vec<LoadRecord>>,
    pub tables: TablesSnapshot,
    pub rules: Arc<Rules>,
}

impl Snapshot {
    /// Whether anything was read into it yet: a workspace that is being opened has none of this.
    pub(super) fn is_read(&self) -> bool {
        SnapshotId { settings_revision: 0, ..self.id() } != SnapshotId::default()
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
