//! How the workspaces of a root come and go: opened by the first who asks, or by a server that starts, one after the other;
//! closed together when the process stops.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Slot, Workspaces, not_found};
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::WriterLock;
use crate::workspace::claim_watch::Fate;
use crate::workspace::closing::ClosedLogs;
use crate::workspace::recent_failure::RecentFailure;
use crate::workspace::removal;
use crate::workspace::state::Workspace;

/// Workspaces on their way: what one caller began goes on for the next one when he does not wait any more.
pub(super) enum Openings {
    UnderWay(JoinSet<()>),
    /// The process stops.
    Closed,
}

/// Each holds rows for its files meanwhile.
const CLOSED_AT_ONCE: usize = 4;

/// A stop that takes longer says how far it is, as often as that.
const SAID_EVERY: Duration = Duration::from_secs(5);

impl Default for Openings {
    fn default() -> Self {
        Self::UnderWay(JoinSet::new())
    }
}

impl Workspaces {
    /// # Errors
    /// `NotFound` for a workspace that is not there; `Busy` when this process serves and another one writes to it, or
    /// when it stops.
    pub async fn get(&self, name: &WorkspaceName) -> Result<Arc<Workspace>> {
        let slot = self.slot(name).await?;
        if let Some(workspace) = slot.get() {
            return Ok(Arc::clone(workspace));
        }
        if let Some(damage) = self.damage.lock().get(name).and_then(RecentFailure::repeat) {
            return Err(damage);
        }
        let (answer, answered) = oneshot::channel();
        let opening = self.clone().open_in(slot, name.clone());
        match &mut *self.openings.lock() {
            Openings::UnderWay(tasks) => {
                while tasks.try_join_next().is_some() {}
                tasks.spawn(async move { drop(answer.send(opening.await)) });
            }
            Openings::Closed => return Err(stops(name)),
        }
        answered.await.unwrap_or_else(|_| match *self.openings.lock() {
            Openings::UnderWay(_) => Err(Error::internal(format!("the opening of workspace '{name}' broke off"))),
            Openings::Closed => Err(stops(name)),
        })
    }

    /// The place of a workspace. One that others have dropped, and perhaps made anew, while this process was its writer is
    /// opened no more.
    async fn slot(&self, name: &WorkspaceName) -> Result<Slot> {
        let open = self.open.lock().get(name).and_then(|slot| slot.get().cloned());
        if let Some(held) = open.filter(|held| held.claim_watch().is_in_doubt())
            && held.fate().await? != Fate::Kept
        {
            tracing::warn!(workspace = %name, "another process has dropped the workspace: it is closed here");
            let is_other = |slot: &Slot| slot.get().is_none_or(|open| !Arc::ptr_eq(open, &held));
            self.open.lock().retain(|of, slot| of != name || is_other(slot));
        }
        Ok(Arc::clone(self.open.lock().entry(name.clone()).or_default()))
    }

    async fn open_in(self, slot: Slot, name: WorkspaceName) -> Result<Arc<Workspace>> {
        match slot.get_or_try_init(|| self.open(&name)).await {
            Ok(workspace) => {
                self.damage.lock().remove(&name);
                Ok(Arc::clone(workspace))
            }
            Err(error) => {
                if self.server.get().is_some() && error.kind() == Kind::Corrupt {
                    self.damage.lock().insert(name.clone(), RecentFailure::new(&error));
                }
                // A name that is not there must not stay in memory: the map and this call hold its slot, and nobody else.
                let is_of_others = |slot: &Slot| slot.initialized() || Arc::strong_count(slot) > 2;
                self.open.lock().retain(|held, slot| *held != name || is_of_others(slot));
                Err(error)
            }
        }
    }

    /// Names of those that are there and not open: for [`Self::open_each`].
    pub async fn unopened(&self) -> Result<Vec<WorkspaceName>> {
        let mut names = removal::folders(&self.root).await?;
        let open = self.open.lock();
        names.retain(|name| open.get(name).is_none_or(|slot| !slot.initialized()));
        self.to_open.store(names.len(), Ordering::Relaxed);
        Ok(names)
    }

    /// Opens these one after the other. One that another process holds, or for which something is missing now, is tried
    /// again behind the others; one that cannot be opened is logged, and tried again when it is asked for.
    pub async fn open_each(&self, names: Vec<WorkspaceName>) {
        let pause = self.root.writer_stale_after() / 4;
        let (mut waiting, mut is_told) = (names, false);
        while !waiting.is_empty() {
            let mut busy = Vec::new();
            for (name, left) in waiting.iter().zip((0..waiting.len()).rev()) {
                match self.get(name).await {
                    Ok(_) => tracing::info!(workspace = %name, "opened"),
                    // What is left of one that was dropped.
                    Err(error) if error.kind() == Kind::NotFound => {}
                    Err(error) if error.kind() == Kind::Busy => {
                        match is_told || is_held_elsewhere(&error) {
                            true => tracing::debug!(workspace = %name, %error, "tried again"),
                            false => tracing::warn!(workspace = %name, %error, "not opened yet: it is tried again"),
                        }
                        busy.push(name.clone());
                    }
                    Err(error) => {
                        tracing::warn!(workspace = %name, %error, "not opened: it is tried again when it is asked for");
                    }
                }
                self.to_open.store(left + busy.len(), Ordering::Relaxed);
            }
            (waiting, is_told) = (busy, true);
            if !waiting.is_empty() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// How many [`Self::open_each`] has not come to yet.
    pub fn to_open(&self) -> usize {
        self.to_open.load(Ordering::Relaxed)
    }

    async fn open(&self, name: &WorkspaceName) -> Result<Arc<Workspace>> {
        let manifest = self.manifest(name).await?.ok_or_else(|| not_found(name.as_str()))?;
        let (root, log, server) = (self.root.clone(), self.log_settings.clone(), Arc::clone(&self.server));
        let workspace = Workspace::unread(root, name.clone(), manifest, log, server, &self.memory).await?;
        if self.server.get().is_none() {
            return workspace.read().await.map(Arc::new);
        }
        let workspace = Arc::new(workspace);
        // Under its claim, so that what is read stays true and need not be read again. Where the disk is full, for queries
        // alone until it is not.
        match workspace.writer_of_files().await {
            Ok(writer) => drop(writer),
            Err(error) if error.kind() == Kind::Conflict => return Err(self.held_elsewhere(name, error).await),
            Err(error) => return Err(error),
        }
        // A log may hold more than there is memory for, beside those of all others.
        if let Err(error) = workspace.make_room().await {
            tracing::warn!(workspace = %name, %error, "rows stay in the log");
        }
        Ok(workspace)
    }

    /// For callers of a server that cannot get the right to write.
    async fn held_elsewhere(&self, name: &WorkspaceName, error: Error) -> Error {
        // A server that was killed a moment ago had the address that this one has now.
        let is_other = |address: &String| self.server.get() != Some(address);
        let busy = match WriterLock::served_at(&self.root, name).await.filter(is_other) {
            Some(address) => format!("workspace '{name}' is served by {address}: connect to that server"),
            None => format!("workspace '{name}' is being written to by another process: try again when that has ended"),
        };
        Error::busy(busy).with_source(error)
    }

    /// Those that have been asked for.
    pub fn opened(&self) -> Vec<Arc<Workspace>> {
        self.open.lock().values().filter_map(|slot| slot.get().cloned()).collect()
    }

    /// Opens none any more, brings what is in the logs into files and ends them, a few at a time, when the process stops.
    /// What fails is left to the next start.
    pub async fn close(&self) -> ClosedLogs {
        let openings = std::mem::replace(&mut *self.openings.lock(), Openings::Closed);
        if let Openings::UnderWay(mut tasks) = openings {
            tasks.shutdown().await;
        }
        let closings: Vec<_> =
            self.opened().into_iter().map(|workspace| async move { workspace.close().await }).collect();
        let (total, mut closed, mut logs, mut said) = (closings.len(), 0_usize, ClosedLogs::default(), Instant::now());
        let mut closings = stream::iter(closings).buffer_unordered(CLOSED_AT_ONCE);
        while let Some(of_one) = closings.next().await {
            closed += 1;
            logs.flushed += of_one.flushed;
            logs.left += of_one.left;
            if said.elapsed() >= SAID_EVERY {
                tracing::info!(closed, total, "what is in the logs of workspaces is brought into files");
                said = Instant::now();
            }
        }
        logs
    }
}

/// Whether another process has the right to write, which is what a server that takes over from another one meets.
pub(super) fn is_held_elsewhere(error: &Error) -> bool {
    let below = error.source().and_then(|source| source.downcast_ref::<Error>());
    below.is_some_and(|below| below.kind() == Kind::Conflict)
}

fn stops(name: &WorkspaceName) -> Error {
    Error::busy(format!("workspace '{name}' is not opened any more: the server stops; ask the next one"))
}
