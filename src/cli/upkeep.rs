//! `convoke compact`, `convoke vacuum` and `convoke check`: the care of a data folder.

use super::arguments::{CheckArguments, CompactArguments, VacuumArguments};
use super::embedded::{self, Embedded};
use super::output;
use super::progress::Progress;
use crate::error::{Error, Kind, Result};
use crate::jobs::{Check, CompactionSummary, Compactor, Finding, Need, Unneeded, Vacuum};

pub(super) async fn compact(arguments: CompactArguments) -> Result<()> {
    let settings = embedded::settings(&arguments.settings, None)?;
    let embedded = Embedded::open_existing(&arguments.data.data, settings).await?;
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    let compactor = Compactor::new(std::sync::Arc::clone(&workspace), &embedded.settings.upkeep);
    let progress = Progress::follow("compacting", compactor.pending_rows(Need::All), compactor.progress(), false);
    let done = compactor.run(Need::All).await;
    drop(progress);
    output::say(&describe(&done.map_err(beside_server)?))?;
    if arguments.vacuum {
        let removed = Vacuum::new(workspace, embedded.settings.upkeep.retention_days)?.run().await;
        let removed = removed.map_err(beside_server)?;
        output::say(&describe_removed(&removed, "removed"))?;
    }
    Ok(())
}

fn describe(done: &CompactionSummary) -> String {
    let what = match (done.months, done.tables) {
        (0, 0) => return "Nothing to do: every month is one sorted run, no small files lie side by side.".to_owned(),
        (months, 0) => format!("{months} months"),
        (0, tables) => format!("{tables} user tables"),
        (months, tables) => format!("{months} months and {tables} user tables"),
    };
    let seconds = done.seconds.max(f64::MIN_POSITIVE);
    format!(
        "{what}: {} rows, {} files of {:.1} MB became {} files of {:.1} MB in {:.1} s ({:.1} MB/s, {:.0} rows/s)",
        done.rows,
        done.files_before,
        megabytes(done.bytes_before),
        done.files_after,
        megabytes(done.bytes_after),
        done.seconds,
        megabytes(done.bytes_before) / seconds,
        done.rows as f64 / seconds
    )
}

pub(super) async fn vacuum(arguments: VacuumArguments) -> Result<()> {
    let settings = embedded::settings(&arguments.settings, None)?;
    let embedded = Embedded::open_existing(&arguments.data.data, settings).await?;
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    let days = arguments.retention_days.unwrap_or(embedded.settings.upkeep.retention_days);
    let vacuum = Vacuum::new(workspace, days)?;
    if arguments.dry_run {
        let unneeded = vacuum.list().await?;
        for object in &unneeded {
            output::say(&format!("{}  {} bytes, {}", object.path, object.bytes, object.what))?;
        }
        return output::say(&describe_removed(&unneeded, "would be removed"));
    }
    output::say(&describe_removed(&vacuum.run().await.map_err(beside_server)?, "removed"))
}

/// A refusal of the writer's place, in words for upkeep: that of the lock speaks of events.
fn beside_server(error: Error) -> Error {
    if error.kind() != Kind::Conflict {
        return error;
    }
    Error::conflict(
        "a running server or a writing command holds the workspace: a server does this work by itself, every \
         upkeep.minutes of its settings (0: never); or stop it, run this again, and start it",
    )
    .with_source(error)
}

fn describe_removed(removed: &[Unneeded], verb: &str) -> String {
    let bytes = removed.iter().map(|object| object.bytes).sum();
    format!("{} objects {verb}, {:.1} MB", removed.len(), megabytes(bytes))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Fails when there was a fault, so that a script sees it.
pub(super) async fn check(arguments: CheckArguments) -> Result<()> {
    let settings = crate::settings::Settings::load(None, std::env::vars(), &[])?;
    let embedded = Embedded::open_existing(&arguments.data, settings).await?;
    let check = Check::new(embedded.workspaces.root().clone(), arguments.workspace);
    let progress = Progress::follow("checking", check.total_bytes().await?, check.progress(), true);
    let mut closed = Ok(());
    let summary = check.run(|finding| {
        if closed.is_ok() {
            closed = output::say(&line(finding));
        }
    });
    let summary = summary.await;
    drop(progress);
    closed?;
    let summary = summary?;
    let (objects, size) = (summary.objects, megabytes(summary.bytes));
    output::say(&format!(
        "{objects} objects, {size:.1} MB checked: {} faults, {} notes",
        summary.faults, summary.notes
    ))?;
    match summary.faults {
        0 => Ok(()),
        faults => Err(Error::corrupt(format!("{faults} faults in '{}'", arguments.data))),
    }
}

fn line(finding: &Finding) -> String {
    let kind = if finding.note { "note" } else { "FAULT" };
    format!("{kind}  {}  {}; {}", finding.path, finding.what, finding.help)
}
