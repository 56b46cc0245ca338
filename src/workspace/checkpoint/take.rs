//! When a checkpoint is taken: on demand, and after a load that brought enough new nodes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::Checkpoint;
use crate::error::Result;
use crate::workspace::snapshot::Snapshot;
use crate::workspace::state::Workspace;

/// A checkpoint writes all nodes: it waits for new ones of at least one in so many of those that the last one has.
const GROWTH_SHARE: u64 = 8;

impl Workspace {
    /// Writes the newest state as a checkpoint and publishes its persons; gives the one that is there when no load came
    /// since. Loads wait only until the state is pinned, queries not at all. `written` counts rows while they are
    /// written: each node twice, and a few more.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn checkpoint_identity(&self, written: &Arc<AtomicU64>) -> Result<Checkpoint> {
        let checkpoints = self.checkpoints();
        let mut newest = checkpoints.newest.lock().await;
        if let Some(held) = newest.as_ref().filter(|held| holds(held, &self.snapshot())) {
            return Ok(held.clone());
        }
        let writer = self.writer().await?;
        let snapshot = self.snapshot();
        drop(writer);
        let checkpoint = checkpoints.write(&snapshot, written).await?;
        *newest = Some(checkpoint.clone());
        if let Err(error) = checkpoints.remove_older().await {
            tracing::warn!(workspace = %self.name(), %error, "older identity checkpoints could not be removed");
        }
        Ok(checkpoint)
    }

    /// Takes a checkpoint when `new_nodes` have come since the last one, 0 standing for never. The load that brought
    /// them is committed: a failure is only logged.
    pub async fn checkpoint_identity_if_due(&self, new_nodes: u64) {
        let due = match self.checkpoints().newest.try_lock() {
            Ok(newest) => is_due(newest.as_ref(), self.snapshot().identity.nodes() as u64, new_nodes),
            // One is being taken.
            Err(_) => false,
        };
        if !due {
            return;
        }
        if let Err(error) = self.checkpoint_identity(&Arc::default()).await {
            tracing::warn!(workspace = %self.name(), %error, "no identity checkpoint was taken after this load");
        }
    }
}

/// Whether the checkpoint is of this state; versions that loaded nothing make no difference.
fn holds(checkpoint: &Checkpoint, snapshot: &Snapshot) -> bool {
    checkpoint.epoch == snapshot.identity.epoch && checkpoint.loads == snapshot.loads.len() as u64
}

pub(super) fn is_due(newest: Option<&Checkpoint>, nodes: u64, new_nodes: u64) -> bool {
    let held = newest.map_or(0, |checkpoint| checkpoint.nodes);
    new_nodes > 0 && nodes.saturating_sub(held) >= new_nodes.max(held / GROWTH_SHARE)
}
