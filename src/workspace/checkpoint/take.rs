//! When a checkpoint is taken: on demand, and after a load that brought enough new nodes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::Checkpoint;
use crate::error::Result;
use crate::workspace::flush::FLUSH_BUFFER;
use crate::workspace::snapshot::Snapshot;
use crate::workspace::state::Workspace;

/// A checkpoint writes all nodes: it waits for new ones of at least one in so many of those that the last one has.
const GROWTH_SHARE: u64 = 8;

impl Workspace {
    /// Writes the newest state as a checkpoint and publishes its persons; gives the one that is there when no load came
    /// since. Commits wait only until the state is pinned, queries not at all. `written` counts rows while they are
    /// written: each node twice, and a few more.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn checkpoint_identity(self: &Arc<Self>, written: &Arc<AtomicU64>) -> Result<Checkpoint> {
        let checkpoints = self.checkpoints();
        let _only_one = checkpoints.taking.lock().await;
        if let Some(held) = checkpoints.newest().filter(|held| holds(held, &self.snapshot())) {
            return Ok(held);
        }
        // It is of a version of the events table: what is in the log has to be in files, most of it while others write.
        self.flush(FLUSH_BUFFER).await?;
        let mut writer = self.writer().await?;
        let snapshot = writer.flush(FLUSH_BUFFER).await?;
        drop(writer);
        let check = async { self.writer().await.map(drop) };
        let checkpoint = checkpoints.write(&snapshot, written, check).await?;
        checkpoints.set_newest(Some(checkpoint.clone()));
        if let Err(error) = checkpoints.remove_older().await {
            tracing::warn!(workspace = %self.name(), %error, "older identity checkpoints could not be removed");
        }
        Ok(checkpoint)
    }

    /// Takes a checkpoint when `new_nodes` have come since the last one, 0 standing for never. The load that brought
    /// them is committed: a failure is only logged.
    pub async fn checkpoint_identity_if_due(self: &Arc<Self>, new_nodes: u64) {
        let is_taken = self.checkpoints().taking.try_lock().is_err();
        let nodes = self.snapshot().identity.nodes() as u64;
        if is_taken || !is_due(self.checkpoints().newest().as_ref(), nodes, new_nodes) {
            return;
        }
        if let Err(error) = self.checkpoint_identity(&Arc::default()).await {
            tracing::warn!(workspace = %self.name(), %error, "no identity checkpoint was taken after this load");
        }
    }
}

/// Whether the checkpoint is of this state; versions that loaded nothing make no difference.
fn holds(checkpoint: &Checkpoint, snapshot: &Snapshot) -> bool {
    checkpoint.epoch == snapshot.identity.epoch && checkpoint.commits == snapshot.commits.len() as u64
}

pub(super) fn is_due(newest: Option<&Checkpoint>, nodes: u64, new_nodes: u64) -> bool {
    let held = newest.map_or(0, |checkpoint| checkpoint.nodes);
    new_nodes > 0 && nodes.saturating_sub(held) >= new_nodes.max(held / GROWTH_SHARE)
}
