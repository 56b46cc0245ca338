//! The workspaces of a root: made, listed, and opened when first asked for, or by a server one after the other.

mod opening;
mod succession;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use self::opening::Openings;
use self::succession::Predecessor;
use super::flush::FLUSH_BUFFER;
use super::manifest::Manifest;
use super::memory::WorkspacesMemory;
use super::recent_failure::RecentFailure;
use super::removal::{self, Rest};
use super::rules::Rules;
use super::settings::WorkspaceSettings;
use super::state::{ServerAddress, Workspace};
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::settings::LogSettings;
use crate::store::{Root, objects};

/// Opened once, by the first who asks; others wait for that one workspace only.
type Slot = Arc<OnceCell<Arc<Workspace>>>;

/// All workspaces of a root. Cheap to clone.
#[derive(Clone)]
pub struct Workspaces {
    root: Root,
    open: Arc<Mutex<HashMap<WorkspaceName, Slot>>>,
    openings: Arc<Mutex<Openings>>,
    /// Why some could not be opened for writing. To try costs a claim, which stays in the store for good.
    damage: Arc<Mutex<HashMap<WorkspaceName, RecentFailure>>>,
    /// How many are still to be opened by a server that starts.
    to_open: Arc<AtomicUsize>,
    /// Whom a server that starts waits for.
    predecessor: Arc<Mutex<Option<Predecessor>>>,
    /// Where there is one, each workspace is opened for writing, too.
    server: ServerAddress,
    log_settings: LogSettings,
    memory: Arc<WorkspacesMemory>,
}

/// One workspace as a list shows it.
#[derive(Debug, Clone)]
pub struct WorkspaceEntry {
    pub name: WorkspaceName,
    pub state: WorkspaceState,
}

#[derive(Debug, Clone)]
pub enum WorkspaceState {
    Ready {
        time_zone: Tz,
        created_at: DateTime<Utc>,
        settings: WorkspaceSettings,
    },
    /// Its manifest is gone, objects are left: dropping it again removes them.
    PartlyDropped,
    /// It cannot be opened, for this reason.
    Unusable(String),
}

impl Workspaces {
    pub fn new(root: Root) -> Self {
        Self {
            root,
            open: Arc::default(),
            openings: Arc::default(),
            damage: Arc::default(),
            to_open: Arc::default(),
            predecessor: Arc::default(),
            server: Arc::default(),
            log_settings: LogSettings::default(),
            memory: Arc::default(),
        }
    }

    /// The same with other settings of their logs.
    pub fn with_log(self, log_settings: LogSettings) -> Self {
        Self { log_settings, ..self }
    }

    /// The same with other limits.
    #[cfg(test)]
    pub(super) fn with_memory(self, memory: WorkspacesMemory) -> Self {
        Self { memory: Arc::new(memory), ..self }
    }

    pub(super) fn memory(&self) -> &Arc<WorkspacesMemory> {
        &self.memory
    }

    pub fn root(&self) -> &Root {
        &self.root
    }

    /// From now on this process is the writer of each workspace that it opens, for as long as it runs: what it answers
    /// is the newest state, and nobody changes settings or drops a workspace under its readers. `address` is where it is
    /// reached, for those that are refused.
    pub async fn serve(&self, address: &str) {
        self.server.get_or_init(|| address.to_owned());
        for workspace in self.opened() {
            workspace.announce().await;
        }
    }

    async fn manifest(&self, name: &WorkspaceName) -> Result<Option<Manifest>> {
        Manifest::read(&self.root.store(), &self.root.paths(name).manifest(), name).await
    }

    /// Makes a workspace, with an id and a time of its own.
    ///
    /// # Errors
    /// `Conflict` when it is there, or when something is left of a dropped one of this name; `InvalidInput` where the folder of
    /// that name is somebody else's.
    pub async fn create(&self, name: &WorkspaceName, manifest: &Manifest) -> Result<Arc<Workspace>> {
        if self.manifest(name).await?.is_some() {
            return Err(exists(name));
        }
        // Old events and old tokens must not come back to life in a new workspace.
        match removal::rest(&self.root, name).await? {
            Rest::Nothing => {}
            Rest::OfWorkspace => {
                return Err(Error::conflict(format!(
                    "workspace '{name}' was dropped in part: `convoke workspace drop {name} --yes` removes the rest"
                )));
            }
            Rest::OfOthers(object) => return Err(removal::of_others(&self.root, name, &object)),
        }
        let (path, clock) = (self.root.paths(name).manifest(), self.root.clock());
        let manifest = Manifest { id: clock.new_id(), created_at: clock.now(), ..manifest.clone() };
        match objects::create_json(self.root.store().as_ref(), &path, &manifest).await {
            Err(error) if error.kind() == Kind::Conflict => Err(exists(name)),
            Err(error) => Err(error),
            Ok(()) => {
                // One of this name that others have dropped may be held still.
                let is_it = |slot: &Slot| slot.get().is_none_or(|open| open.manifest().id == manifest.id);
                self.open.lock().retain(|of, slot| of != name || is_it(slot));
                self.get(name).await
            }
        }
    }

    /// The workspace, made from `manifest` unless it is there.
    pub async fn get_or_create(&self, name: &WorkspaceName, manifest: &Manifest) -> Result<Arc<Workspace>> {
        match self.get(name).await {
            Err(error) if error.kind() == Kind::NotFound => {}
            outcome => return outcome,
        }
        match self.create(name, manifest).await {
            // Another process may have made it in between.
            Err(error) if error.kind() == Kind::Conflict && self.manifest(name).await?.is_some() => {
                self.get(name).await
            }
            outcome => outcome,
        }
    }

    /// Gives a workspace whose zone nobody chose this one, as long as it holds no event: a load that failed, or of which
    /// nothing was kept, must not decide for good what a day is.
    ///
    /// # Errors
    /// `Conflict` when another process writes to the workspace.
    pub async fn settle_zone(&self, name: &WorkspaceName, time_zone: Tz) -> Result<()> {
        let Some(manifest) = self.manifest(name).await? else { return Ok(()) };
        if !manifest.zone_is_open || manifest.time_zone == time_zone {
            return Ok(());
        }
        let workspace = self.get(name).await?;
        if workspace.snapshot().holds_events() {
            return Ok(());
        }
        let mut writer = workspace.writer().await?;
        // Another process may have loaded before this one got the right to write.
        if workspace.snapshot().holds_events() {
            return Ok(());
        }
        writer.flush(FLUSH_BUFFER).await?;
        writer.check().await?;
        let manifest = Manifest { time_zone, ..manifest };
        objects::replace_json(self.root.store().as_ref(), &self.root.paths(name).manifest(), &manifest).await?;
        drop(writer);
        let reopened = Arc::new(workspace.reopen(manifest).await?);
        self.open.lock().insert(name.clone(), Arc::new(OnceCell::new_with(Some(reopened))));
        Ok(())
    }

    /// Whether the root has no workspace at all, not even what is left of one. Folders of others count as such.
    pub async fn is_fresh(&self) -> Result<bool> {
        for name in removal::folders(&self.root).await? {
            if removal::rest(&self.root, &name).await? != Rest::Nothing {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All workspaces of the root, by name.
    pub async fn list(&self) -> Result<Vec<WorkspaceEntry>> {
        let mut entries = Vec::new();
        for name in removal::folders(&self.root).await? {
            let state = match self.manifest(&name).await {
                Ok(Some(manifest)) => match Rules::load(&self.root.workspace_store(&name), &manifest).await {
                    Ok(rules) => WorkspaceState::Ready {
                        time_zone: manifest.time_zone,
                        created_at: manifest.created_at,
                        settings: rules.settings,
                    },
                    Err(error) => WorkspaceState::Unusable(error.to_string()),
                },
                Ok(None) if removal::rest(&self.root, &name).await? != Rest::OfWorkspace => continue,
                Ok(None) => WorkspaceState::PartlyDropped,
                Err(error) if error.kind() == Kind::Corrupt => WorkspaceState::Unusable(error.to_string()),
                Err(error) => return Err(error),
            };
            entries.push(WorkspaceEntry { name, state });
        }
        Ok(entries)
    }

    /// Removes a workspace with its tokens and every object of it. What a crash leaves is removed by a second call.
    ///
    /// # Errors
    /// `NotFound` when nothing is there, `InvalidInput` where the folder of that name is somebody else's, `Conflict` when a
    /// process writes to it or serves it.
    pub async fn remove(&self, name: &WorkspaceName) -> Result<removal::Removed> {
        let removed = removal::remove(&self.root, name).await?;
        self.open.lock().remove(name);
        Ok(removed)
    }
}

/// The same words whether it never was, was dropped, or is somebody else's.
pub fn not_found(name: &str) -> Error {
    Error::not_found(format!(
        "there is no workspace '{name}' here: `convoke workspace list` shows those of a data folder, `convoke workspace \
         create` makes one"
    ))
}

fn exists(name: &WorkspaceName) -> Error {
    Error::conflict(format!("workspace '{name}' is there already: `convoke workspace set {name}` changes its settings"))
}

#[cfg(test)]
mod tests;
