//! A process that has the workspace open for writing, over a client of its own.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::settings::LogSettings;
use crate::store::Root;
use crate::store::tests::simulated::SimulatedStore;
use crate::workspace::{Manifest, Workspace, Workspaces};

/// Rows in the log from which on they become files in the background.
const FLUSH_ROWS: usize = 30;

/// Longer than any process is stopped: what takes longer does not end.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

pub(super) struct Process {
    pub(super) client: SimulatedStore,
    pub(super) workspace: Arc<Workspace>,
    workspaces: Workspaces,
}

impl Process {
    /// # Errors
    /// Whatever the store does, and `Conflict` while another process lives. The process has ended then.
    pub(super) async fn start(client: SimulatedStore, clock: &Clock) -> Result<Self> {
        let opened = timeout(PATIENCE, open(&client, clock, true)).await;
        match opened.unwrap_or_else(|_| Err(Error::busy("it took too long"))) {
            Ok((workspaces, workspace)) => Ok(Self { client, workspace, workspaces }),
            Err(error) => {
                client.pause();
                Err(error)
            }
        }
    }

    /// As kill -9 does: nothing more is sent, what was sent may still be applied.
    pub(super) fn kill(self) {
        self.client.pause();
    }

    /// As SIGTERM does.
    pub(super) async fn stop(self) {
        // What does not end in time is killed.
        timeout(PATIENCE, self.workspaces.close()).await.ok();
        self.kill();
    }
}

/// Opens the workspace, for one who only reads unless `writes`.
pub(super) async fn open(client: &SimulatedStore, clock: &Clock, writes: bool) -> Result<(Workspaces, Arc<Workspace>)> {
    let root = Root::in_shared_store(Arc::new(client.clone()))?.with_clock(clock.clone());
    let log = LogSettings { flush_rows: FLUSH_ROWS, ..LogSettings::default() };
    let workspaces = Workspaces::new(root).with_log(log);
    let name = WorkspaceName::default();
    let workspace = match writes {
        true => workspaces.get_or_create(&name, &Manifest::new(Tz::UTC)).await?,
        false => workspaces.get(&name).await?,
    };
    if writes {
        drop(workspace.writer().await?);
    }
    Ok((workspaces, workspace))
}
