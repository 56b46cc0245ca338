//! `convoke workspace`: makes, lists, sets and drops workspaces of a data folder.

use std::io::{self, BufRead, IsTerminal};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;

use super::arguments::{
    CreateWorkspaceArguments, DropWorkspaceArguments, ListArguments, SetWorkspaceArguments, WorkspaceCommand,
};
use super::embedded::Embedded;
use super::output::{self, ResultRows, counted};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::query::SessionOptions;
use crate::settings::{OrderSettings, Settings};
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
    let mut writer = embedded.explain_in_use(name, workspace.writer().await, BETWEEN_STARTS).await?;
    let held = workspace.snapshot();
    let settings = held.rules.settings.with(&arguments.settings, &embedded.settings)?;
    let rules = writer.change_rules(RuleChange { settings: Some(settings), ..RuleChange::default() }).await?;
    let orders = rules.orders(&embedded.settings.orders);
    let is_of_key = |key: &str| key.rsplit('.').next() == Some("order_key");
    if arguments.settings.iter().any(|(key, _)| is_of_key(key)) {
        // The setting holds by now, whatever becomes of the note.
        match note_on_order_key(&embedded, name, &orders).await {
            Ok(note) => note.iter().for_each(|note| output::complain(note)),
            Err(error) => {
                output::complain(&format!("whether the events have what the key needs is not known: {error}"))
            }
        }
    }
    let base = orders.base_currency;
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

/// What to know when purchases lack what their numbers are to count within.
async fn note_on_order_key(
    embedded: &Embedded,
    name: &WorkspaceName,
    orders: &OrderSettings,
) -> Result<Option<String>> {
    let Some(part) = orders.order_key.part() else { return Ok(None) };
    let names = orders.purchase_events.iter().map(|event| format!("'{}'", event.replace('\'', "''")));
    let names = names.collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        return Ok(None);
    }
    let sql = format!("SELECT count(*) AS purchases, count({part}) AS with_part FROM events WHERE event IN ({names})");
    let (caller, session) = (Caller::local_admin(name.clone()), SessionOptions::default());
    let prepared = embedded.engine.prepare(&caller, &session, &sql, None).await?;
    let execution = embedded.engine.execute(&caller, &session, &prepared, Vec::new()).await?;
    let batches: Vec<RecordBatch> = execution.stream.try_collect().await?;
    let count = |column: usize| -> i64 {
        let columns = batches.iter().filter_map(|batch| batch.column(column).as_primitive_opt::<Int64Type>());
        columns.flat_map(|counts| counts.values().iter()).sum()
    };
    Ok(explain_lack(part, count(0), count(1)))
}

/// What is said of `purchases` events of which `with_part` have a part, such as a brand; `None` when all have one.
fn explain_lack(part: &str, purchases: i64, with_part: i64) -> Option<String> {
    let without = purchases - with_part;
    if without == 0 {
        return None;
    }
    let way = match part {
        "source" => "by --source, by a column source (--map source=COLUMN), or by an ingest token that has one",
        _ => "by a column brand (--map brand=COLUMN)",
    };
    let effect = match with_part {
        0 => format!(
            "none of the {purchases} purchase events that are loaded has a {part}: their numbers count as with \
             order_key=order_id"
        ),
        _ => format!(
            "{without} of the {purchases} purchase events that are loaded have no {part}: among them a number is one order"
        ),
    };
    Some(format!("note: {effect}; rows get a {part} when they are loaded, {way}"))
}

/// What to do while a server holds what settings and imports change.
pub(super) const BETWEEN_STARTS: &str =
    "settings and imported tables change between two starts only: stop it, run this again, and start it";

async fn drop_workspace(arguments: DropWorkspaceArguments) -> Result<()> {
    let name = &arguments.name;
    let embedded = Embedded::open_existing(&arguments.root.data, server_settings()?).await?;
    if !arguments.yes {
        confirm(name, &arguments.root.data)?;
    }
    let removed = embedded.workspaces.remove(name).await;
    let removed = embedded.explain_in_use(name, removed, "stop it, then drop the workspace").await?;
    let (objects, tokens) = (counted(removed.objects, "object"), counted(removed.tokens, "token"));
    output::say(&format!("workspace '{name}' is dropped: {objects}, {tokens}"))
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
