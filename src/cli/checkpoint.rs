//! `convoke checkpoint`: writes an identity checkpoint and says where the persons were published.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::arguments::CheckpointArguments;
use super::embedded::Embedded;
use super::output;
use super::progress::Progress;
use crate::error::Result;
use crate::settings::Settings;
use crate::store::paths;

/// What to do while a server holds the workspace.
const BY_ITSELF: &str = "a server takes checkpoints by itself (settings identity.checkpoint_minutes and \
                         identity.checkpoint_nodes); or stop it, run this again, and start it";

pub(super) async fn run(arguments: CheckpointArguments) -> Result<()> {
    let data = &arguments.data;
    let embedded = Embedded::open_existing(&data.data, Settings::load(None, std::env::vars(), &[])?).await?;
    let workspace = embedded.workspaces.get(&data.workspace).await?;
    let written = Arc::<AtomicU64>::default();
    // Each node is written twice: with its identifier, and for other engines.
    let total = 2 * workspace.snapshot().identity.nodes() as u64;
    let progress = Progress::follow_rows("checkpoint", total, Arc::clone(&written));
    let outcome = workspace.checkpoint_identity(&written).await;
    drop(progress);
    let checkpoint = embedded.explain_in_use(&data.workspace, outcome, BY_ITSELF).await?;
    let path = paths::below_data(&data.data, &data.workspace, &checkpoint.published_in.as_str().into());
    output::say(&format!("epoch    {}", checkpoint.epoch))?;
    output::say(&format!("version  {}", checkpoint.events_version))?;
    output::say(&format!("persons  {}", checkpoint.persons))?;
    output::say(&format!("nodes    {}", checkpoint.nodes))?;
    output::say(&format!("path     {path}"))
}
