//! `convoke workspace`: makes, lists, sets and drops workspaces of a data folder.

use std::io::{self, BufRead, IsTerminal};

use super::arguments::{
    CreateWorkspaceArguments, DropWorkspaceArguments, ListArguments, SetWorkspaceArguments, WorkspaceCommand,
};
use super::embedded::Embedded;
use super::output::{self, ResultRows};
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::settings::Settings;
use crate::workspace::{Manifest, RuleChange, WorkspaceEntry, WorkspaceSettings, WorkspaceState};

pub(super) async fn run(command: WorkspaceCommand) -> Result<()> {
    match command {
        WorkspaceCommand::Create(arguments) => create(arguments).await,
        WorkspaceCommand::List(arguments) => list(arguments).await,
        WorkspaceCommand::Set(arguments) => set(arguments).await,
        WorkspaceCommand::Drop(arguments) => drop_workspace(arguments).await,
    }
}

/// The settings of a server that is started in the same place: what a workspace leaves unset.
fn server_settings() -> Result<Settings> {
    Settings::load(None, std::env::vars(), &[])
}

async fn create(arguments: CreateWorkspaceArguments) -> Result<()> {
    let server = server_settings()?;
    let settings = WorkspaceSettings::default().with(&arguments.settings, &server)?;
    let embedded = Embedded::open(&arguments.root.data, server).await?;
    let manifest = Manifest { settings, ..Manifest::new(arguments.time_zone) };
    embedded.workspaces.create(&arguments.name, &manifest).await?;
    output::say(&format!("workspace '{}' is made; its days are those of {}", arguments.name, arguments.time_zone))
}

async fn list(arguments: ListArguments) -> Result<()> {
    let server = server_settings()?;
    let embedded = Embedded::open_existing(&arguments.root.data, server).await?;
    let entries = embedded.workspaces.list().await?;
    let rows = entries.iter().map(|entry| describe(entry, &embedded.settings)).collect();
    let columns = ["workspace", "time_zone", "created_at", "settings", "state"];
    output::print(ResultRows::of_texts(&columns, rows)?, arguments.format).await?;
    Ok(())
}

/// One row of the list.
fn describe(entry: &WorkspaceEntry, server: &Settings) -> Vec<Option<String>> {
    let name = Some(entry.name.to_string());
    match &entry.state {
        WorkspaceState::Ready { time_zone, created_at, settings } => {
            let own = settings.own(server).into_iter().map(|(key, value)| format!("{key} = {value}"));
            let own: Vec<String> = own.collect();
            let created = created_at.format("%Y-%m-%d %H:%M UTC").to_string();
            vec![name, Some(time_zone.to_string()), Some(created), Some(own.join("\n")), Some("ready".to_owned())]
        }
        WorkspaceState::PartlyDropped => {
            vec![name, None, None, None, Some("dropped in part: drop it again".to_owned())]
        }
        WorkspaceState::Unusable(reason) => vec![name, None, None, None, Some(reason.clone())],
    }
}

async fn set(arguments: SetWorkspaceArguments) -> Result<()> {
    let name = &arguments.name;
    let embedded = Embedded::open_existing(&arguments.root.data, server_settings()?).await?;
    let workspace = embedded.workspaces.get(name).await?;
    let writer = workspace.writer().await.map_err(|error| in_use(name, error))?;
    let held = workspace.snapshot();
    let settings = held.rules.settings.with(&arguments.settings, &embedded.settings)?;
    let rules =
        workspace.change_rules(&writer, RuleChange { settings: Some(settings), ..RuleChange::default() }).await?;
    let base = rules.orders(&embedded.settings.orders).base_currency;
    if !rules.fx_rates.rates.is_empty() && rules.rates_in(&base).is_none() {
        output::complain(&format!(
            "the exchange rates of this workspace are in {}: until rates in {base} are imported (`convoke import \
             fx_rates`), net_base of orders in other currencies is NULL",
            rules.fx_rates.base
        ));
    }
    let own = rules.settings.own(&embedded.settings);
    if own.is_empty() {
        return output::say(&format!("workspace '{name}' has no settings of its own: those of the server hold"));
    }
    output::say(&format!("workspace '{name}' has these settings of its own; the server's hold for all others:"))?;
    own.iter().try_for_each(|(key, value)| output::say(&format!("  {key} = {value}")))
}

/// A refusal of the writer's place, in words for settings and imports.
pub(super) fn in_use(name: &WorkspaceName, error: Error) -> Error {
    if error.kind() != Kind::Conflict {
        return error;
    }
    Error::conflict(format!(
        "workspace '{name}' is in use by a running server or a writing command, and settings change between two starts \
         only: stop it, run this again, and start it"
    ))
    .with_source(error)
}

async fn drop_workspace(arguments: DropWorkspaceArguments) -> Result<()> {
    let name = &arguments.name;
    let embedded = Embedded::open_existing(&arguments.root.data, server_settings()?).await?;
    if !arguments.yes {
        confirm(name, &arguments.root.data)?;
    }
    let removed = embedded.workspaces.remove(name).await?;
    output::say(&format!("workspace '{name}' is dropped: {} objects, {} tokens", removed.objects, removed.tokens))
}

/// Asks for the name, which nobody types by mistake.
fn confirm(name: &WorkspaceName, data: &str) -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(Error::invalid(format!(
            "dropping workspace '{name}' removes all of its data and tokens: say --yes to do it without being asked"
        )));
    }
    output::complain(&format!("This removes all data, settings and tokens of workspace '{name}' in {data} for good."));
    output::complain("Type its name to go on:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() != name.as_str() {
        return Err(Error::invalid("that is not its name: nothing was dropped"));
    }
    Ok(())
}
