//! The state that a query pins when it is planned, and reads from its first row to its last.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use crate::identity::IdentitySnapshot;
use crate::ids::Epoch;
use crate::store::events::{EventsSnapshot, LoadRecord};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotId {
    /// Version of the events table.
    pub version: u64,
    /// Version of the identity graph.
    pub epoch: Epoch,
    /// Version of the workspace's settings and reference tables.
    pub settings_revision: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub events: EventsSnapshot,
    pub identity: IdentitySnapshot,
    /// All loads up to `events.version`, in commit order.
    pub loads: Arc<Vec<LoadRecord>>,
    pub rules: Arc<Rules>,
}

impl Snapshot {
    pub fn id(&self) -> SnapshotId {
        SnapshotId { version: self.events.version, epoch: self.identity.epoch, settings_revision: self.rules.revision }
    }
}
