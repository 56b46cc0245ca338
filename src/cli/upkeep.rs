//! `convoke compact`, `convoke vacuum` and `convoke check`: the care of a data folder.

use super::arguments::{CheckArguments, CompactArguments, VacuumArguments};
use super::embedded::{self, Embedded};
use super::output::{self, counted};
use super::progress::Progress;
use crate::error::{Error, Result};
use crate::jobs::{Check, CompactionSummary, Compactor, Finding, Need, Unneeded, Vacuum};

pub(super) async fn compact(arguments: CompactArguments) -> Result<()> {
    let settings = embedded::settings(&arguments.settings, None)?;
    let embedded = Embedded::open_existing(&arguments.data.data, settings).await?;
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    let compactor = Compactor::new(std::sync::Arc::clone(&workspace), &embedded.settings.upkeep);
    let progress = Progress::follow("compacting", compactor.pending_rows(Need::All), compactor.progress(), false);
    let done = compactor.run(Need::All).await;
    drop(progress);
    let name = &arguments.data.workspace;
    output::say(&describe(&embedded.explain_in_use(name, done, BY_ITSELF).await?))?;
    if arguments.vacuum {
        let removed = Vacuum::new(workspace, embedded.settings.upkeep.retention_days)?.run().await;
        let removed = embedded.explain_in_use(name, removed, BY_ITSELF).await?;
        output::say(&describe_removed(&removed, "removed"))?;
    }
    Ok(())
}

fn describe(done: &CompactionSummary) -> String {
    let what = match (done.months, done.tables) {
        (0, 0) => return "Nothing to do: every month is one sorted run, no small files lie side by side.".to_owned(),
        (months, 0) => counted(months, "month"),
        (0, tables) => counted(tables, "user table"),
        (months, tables) => format!("{} and {}", counted(months, "month"), counted(tables, "user table")),
    };
    let seconds = done.seconds.max(f64::MIN_POSITIVE);
    format!(
        "{what}: {}, {} of {:.1} MB became {} of {:.1} MB in {:.1} s ({:.1} MB/s, {:.0} rows/s)",
        counted(done.rows, "row"),
        counted(done.files_before, "file"),
        megabytes(done.bytes_before),
        counted(done.files_after, "file"),
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
    let removed = embedded.explain_in_use(&arguments.data.workspace, vacuum.run().await, BY_ITSELF).await?;
    output::say(&describe_removed(&removed, "removed"))
}

/// What to do while a server holds the workspace.
const BY_ITSELF: &str = "a server does this by itself where upkeep.minutes is set (0, the default, is never); or stop it, \
                         run this again, and start it";

fn describe_removed(removed: &[Unneeded], verb: &str) -> String {
    let bytes = removed.iter().map(|object| object.bytes).sum();
    format!("{} {verb}, {:.1} MB", counted(removed.len(), "object"), megabytes(bytes))
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
    let (objects, size) = (counted(summary.objects, "object"), megabytes(summary.bytes));
    let (faults, notes) = (counted(summary.faults, "fault"), counted(summary.notes, "note"));
    output::say(&format!("{objects}, {size:.1} MB checked: {faults}, {notes}"))?;
    match summary.faults {
        0 => Ok(()),
        _ => Err(Error::corrupt(format!("{faults} in '{}'", arguments.data))),
    }
}

fn line(finding: &Finding) -> String {
    let kind = if finding.note { "note" } else { "FAULT" };
    format!("{kind}  {}  {}; {}", finding.path, finding.what, finding.help)
}
