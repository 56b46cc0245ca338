//! Checkpoints by time, in a server that stays up.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::error::Kind;
use crate::workspace::Workspaces;

/// Takes a checkpoint of every open workspace that was loaded into, every `period`. Runs until it is dropped, which
/// harms nothing at any moment.
pub async fn checkpoint_by_time(workspaces: Workspaces, period: Duration) {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for workspace in workspaces.opened() {
            match workspace.checkpoint_identity(&Arc::default()).await {
                Ok(_) => {}
                Err(error) if error.kind() == Kind::Conflict => {
                    tracing::debug!(workspace = %workspace.name(), "another process writes: it takes the checkpoints");
                }
                Err(error) => tracing::warn!(workspace = %workspace.name(), %error, "no identity checkpoint was taken"),
            }
        }
    }
}
