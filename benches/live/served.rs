//! A server in this process over a folder without anything, with the flushes by time that `convoke serve` makes.

use std::path::Path;
use std::time::Duration;

use convoke::auth::Role;
use convoke::workspace::flush_by_time;
use tokio::task::JoinHandle;

use super::instance::Instance;

/// As in `convoke serve`.
const FLUSH_PERIOD: Duration = Duration::from_secs(30);
const FLUSH_BUFFER: usize = 256 << 20;

pub struct Served {
    instance: Instance,
    flushing: JoinHandle<()>,
    pub address: String,
    /// May ask and send events.
    pub token: String,
}

impl Served {
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let instance = Instance::open(folder).await?;
        let token = token(&instance).await?;
        let address = instance.serve().await?;
        let flushing = tokio::spawn(flush_by_time(instance.workspaces.clone(), FLUSH_PERIOD, FLUSH_BUFFER));
        Ok(Self { instance, flushing, address, token })
    }

    /// Events that are in files by now; the others are in the log.
    pub async fn events_in_files(&self) -> anyhow::Result<u64> {
        Ok(self.instance.workspace().await?.snapshot().events.rows())
    }

    /// Brings all into files.
    pub async fn flush(&self) -> anyhow::Result<()> {
        self.instance.workspace().await?.flush(FLUSH_BUFFER).await?;
        Ok(())
    }

    /// Brings all into files and ends the writing. The address goes on to listen: nobody asks it any more.
    pub async fn stop(self) {
        self.flushing.abort();
        self.instance.workspaces.close().await;
    }
}

/// Makes an empty workspace in a folder and a token for it.
pub async fn prepare(folder: &Path) -> anyhow::Result<String> {
    token(&Instance::open(folder).await?).await
}

async fn token(instance: &Instance) -> anyhow::Result<String> {
    Ok(instance.tokens.create(instance.caller.workspace.clone(), Role::Admin, "bench", None).await?)
}
