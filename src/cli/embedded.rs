//! The parts of a server over a data folder, for commands that work without one running.

use std::sync::Arc;

use chrono_tz::Tz;

use super::arguments::{DataArguments, SettingsArguments};
use crate::auth::{Caller, Tokens};
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::ingest::Loader;
use crate::query::Engine;
use crate::settings::Settings;
use crate::store::{Root, WriterLock};
use crate::workspace::{Manifest, Workspaces};

/// Everything over one root.
pub(super) struct Embedded {
    pub(super) settings: Arc<Settings>,
    pub(super) workspaces: Workspaces,
    pub(super) engine: Engine,
    pub(super) loader: Loader,
    pub(super) tokens: Tokens,
}

impl Embedded {
    pub(super) async fn open(data: &str, settings: Settings) -> Result<Self> {
        let settings = Arc::new(settings);
        let root = Root::open_with(data, &settings.store)?;
        root.probe().await?;
        let tokens = Tokens::new(&root);
        let workspaces = Workspaces::new(root).with_log(settings.log.clone());
        Ok(Self {
            engine: Engine::new(workspaces.clone(), Arc::clone(&settings))?,
            loader: Loader::new(workspaces.clone(), Arc::clone(&settings)),
            settings,
            workspaces,
            tokens,
        })
    }

    /// Opens a root that must be there already: a reading command does not make folders.
    pub(super) async fn open_existing(data: &str, settings: Settings) -> Result<Self> {
        if is_missing_folder(data) {
            return Err(Error::not_found(format!(
                "there is no data folder '{data}': name one with --data, or make one by `convoke ingest` or `convoke demo`"
            )));
        }
        Self::open(data, settings).await
    }

    /// Opens the workspace. The default one is made in a fresh root; every other one must have been made, so that a slip
    /// of the pen makes none.
    pub(super) async fn create_workspace(&self, data: &DataArguments, time_zone: Option<Tz>) -> Result<()> {
        if data.workspace == WorkspaceName::default() {
            self.create_default_workspace(time_zone).await?;
        }
        self.workspaces.get(&data.workspace).await?;
        Ok(())
    }

    /// Makes the default workspace when the root has none at all. Its zone is open until it holds events.
    pub(super) async fn create_default_workspace(&self, time_zone: Option<Tz>) -> Result<()> {
        if self.workspaces.is_fresh().await? {
            let manifest = Manifest { zone_is_open: true, ..Manifest::new(time_zone.unwrap_or(Tz::UTC)) };
            self.workspaces.get_or_create(&WorkspaceName::default(), &manifest).await?;
        }
        Ok(())
    }

    /// [`explain_in_use`] for a workspace of this folder.
    pub(super) async fn explain_in_use<T>(&self, name: &WorkspaceName, outcome: Result<T>, advice: &str) -> Result<T> {
        explain_in_use(&self.workspaces, name, outcome, advice).await
    }
}

/// Puts a refusal of the right to write into words: who has it, and `advice`. That of the lock is for those who send
/// events.
pub(super) async fn explain_in_use<T>(
    workspaces: &Workspaces,
    name: &WorkspaceName,
    outcome: Result<T>,
    advice: &str,
) -> Result<T> {
    let error = match outcome {
        Err(error) if error.kind() == Kind::Conflict => error,
        outcome => return outcome,
    };
    let root = workspaces.root();
    let url = root.url();
    let holder = match WriterLock::served_at(root, name).await {
        Some(address) => format!("workspace '{name}' under {url} is served by {address}"),
        None => format!("another process writes to workspace '{name}' under {url}"),
    };
    Err(Error::conflict(format!("{holder}: {advice}")).with_source(error))
}

/// What is said of a folder that was not there.
pub(super) fn describe_made(data: &str) -> String {
    format!("there was no data folder '{data}': it is made, with an empty workspace")
}

/// Whether the data are to be in a folder that is not there.
pub(super) fn is_missing_folder(data: &str) -> bool {
    !data.contains("://") && !std::path::Path::new(data).is_dir()
}

pub(super) fn local_caller(data: &DataArguments) -> Caller {
    Caller::local_admin(data.workspace.clone())
}

/// Settings with the file, the environment and the flags of the command.
pub(super) fn settings(arguments: &SettingsArguments, listen: Option<&String>) -> Result<Settings> {
    settings_with(arguments, listen.map(|listen| ("server.listen", listen.clone())))
}

/// The same with further flags of the command (`section.key` and value).
pub(super) fn settings_with(
    arguments: &SettingsArguments,
    further: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Settings> {
    let file = match &arguments.settings {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| Error::from(error).context(format!("settings file '{}'", path.display())))?,
        ),
        None => None,
    };
    let mut flags: Vec<(&str, String)> = Vec::new();
    flags.extend(arguments.query_memory.iter().map(|size| ("query.memory", size.clone())));
    flags.extend(arguments.query_seconds.iter().map(|seconds| ("query.seconds", seconds.to_string())));
    flags.extend(further);
    Settings::load(file.as_deref(), std::env::vars(), &flags)
}
