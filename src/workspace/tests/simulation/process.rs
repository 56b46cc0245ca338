//! A process that has the workspace open for writing, over a client of its own.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::timeout;

use super::disk::ProcessDisk;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::settings::{Bytes, LogSettings};
use crate::store::Root;
use crate::store::tests::dice::Dice;
use crate::store::tests::simulated::SimulatedStore;
use crate::store::wal::local::simulated_disk::SimulatedDisk;
use crate::workspace::{Manifest, Workspace, Workspaces};

/// Rows in the log from which on they become files in the background.
const FLUSH_ROWS: usize = 30;

/// So few that segments on a disk come and go.
const LOG_BYTES: usize = 2 << 20;

/// Of a disk that holds the log and little more.
pub(super) const DISK_BYTES: u64 = 8 << 20;

/// Longer than any process is stopped: what takes longer does not end.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// How a process reaches what is stored.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) client: SimulatedStore,
    /// Where the log lies; in the store where there is none.
    pub(super) disk: Option<SimulatedDisk>,
    pub(super) clock: Clock,
}

pub(super) struct Process {
    pub(super) access: Access,
    pub(super) workspace: Arc<Workspace>,
    workspaces: Workspaces,
}

impl Access {
    fn root(&self) -> Result<Root> {
        let store = Arc::new(self.client.clone());
        let root = match &self.disk {
            Some(disk) => {
                let disk = ProcessDisk::new(disk.clone(), self.client.clone());
                Root::in_store(store)?.with_log_disk(Arc::new(disk))
            }
            None => Root::in_shared_store(store)?,
        };
        Ok(root.with_clock(self.clock.clone()))
    }

    fn workspaces(&self) -> Result<Workspaces> {
        let log = LogSettings { flush_rows: FLUSH_ROWS, disk_limit: Bytes(LOG_BYTES), ..LogSettings::default() };
        Ok(Workspaces::new(self.root()?).with_log(log))
    }

    /// Opens the workspace to read it.
    pub(super) async fn open(&self) -> Result<Arc<Workspace>> {
        self.workspaces()?.get(&WorkspaceName::default()).await
    }

    /// As kill -9 does, or with `cuts_power` a power cut: nothing more is sent. What was sent to another machine may
    /// still be applied there; what a disk was not told to keep may be lost with the power.
    fn kill(&self, cuts_power: bool) {
        self.client.pause();
        match &self.disk {
            Some(disk) if cuts_power => disk.cut_power(),
            Some(disk) => disk.restart_process(),
            None => {}
        }
    }
}

impl Process {
    /// # Errors
    /// Whatever the store does, and `Conflict` while another process lives. The process has ended then.
    pub(super) async fn start(access: Access) -> Result<Self> {
        let opened = timeout(PATIENCE, open_for_writing(&access)).await;
        match opened.unwrap_or_else(|_| Err(Error::busy("it took too long"))) {
            Ok((workspaces, workspace)) => Ok(Self { access, workspace, workspaces }),
            Err(error) => {
                access.kill(false);
                Err(error)
            }
        }
    }

    pub(super) fn kill(self, cuts_power: bool) {
        self.access.kill(cuts_power);
    }

    /// As SIGTERM does; then the power is cut.
    pub(super) async fn stop(self) {
        // What does not end in time is killed.
        timeout(PATIENCE, self.workspaces.close()).await.ok();
        self.kill(true);
    }

    /// Lets the disk fail soon, in one of the ways in which disks do.
    pub(super) fn hurt_disk(&self, dice: &mut Dice) {
        let Some(disk) = &self.access.disk else { return };
        match dice.below(6) {
            0 => disk.fail_sync_after(u64::from(dice.below(20))),
            1 => disk.fill_at_write(u64::from(dice.below(20))),
            // The machine stops in the middle of something.
            2 => disk.stop_after(u64::from(dice.below(100))),
            _ => {}
        }
    }
}

async fn open_for_writing(access: &Access) -> Result<(Workspaces, Arc<Workspace>)> {
    let workspaces = access.workspaces()?;
    let workspace = workspaces.get_or_create(&WorkspaceName::default(), &Manifest::new(Tz::UTC)).await?;
    drop(workspace.writer().await?);
    Ok((workspaces, workspace))
}
