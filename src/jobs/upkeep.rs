//! Upkeep inside a running server: now and then the open workspaces are compacted and vacuumed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval_at};

use super::compact::{Compactor, Need};
use super::vacuum::Vacuum;
use crate::error::Result;
use crate::settings::UpkeepSettings;
use crate::workspace::{Workspace, Workspaces};

/// Runs until it is dropped. `minutes` must not be 0.
pub async fn run_every(workspaces: Workspaces, settings: UpkeepSettings) {
    let period = Duration::from_secs(settings.minutes.max(1).saturating_mul(60));
    let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for workspace in workspaces.opened() {
            let name = workspace.name().clone();
            if let Err(error) = keep_up(workspace, &settings).await {
                tracing::warn!(workspace = %name, %error, "upkeep failed");
            }
        }
    }
}

async fn keep_up(workspace: Arc<Workspace>, settings: &UpkeepSettings) -> Result<()> {
    let compacted = Compactor::new(Arc::clone(&workspace), settings).run(Need::Worthwhile).await;
    // Whatever kept a table from being compacted, such as a full disk: what nobody needs goes.
    let removed = Vacuum::new(Arc::clone(&workspace), settings.retention_days)?.run().await?;
    if !removed.is_empty() {
        tracing::info!(workspace = %workspace.name(), objects = removed.len(), "vacuumed");
    }
    let compacted = compacted?;
    if compacted.files_before > 0 {
        tracing::info!(workspace = %workspace.name(), months = compacted.months, tables = compacted.tables,
            files = compacted.files_before, rows = compacted.rows, seconds = compacted.seconds, "compacted");
    }
    Ok(())
}
