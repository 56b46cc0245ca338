//! Any Delta table: its log, of which no version is missing and every entry readable, and the files that it says are live.
//! Must not know what the rows are.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{RESTORE, Report, help};
use crate::error::Result;
use crate::store::delta::{DataFile, FileLayout, LogObjects, Verified, verify};
use crate::store::paths::{self, LogObject};

/// Checks the log of the table in folder `table` and gives what `newest` reads from it; `None`, and said, when it cannot.
pub(super) async fn check_log<T>(
    store: &Arc<dyn ObjectStore>,
    table: &Path,
    newest: impl Future<Output = Result<T>>,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<Option<T>> {
    let before = report.summary.faults;
    check_entries(store, table, prefix, report).await?;
    match newest.await {
        Ok(newest) => Ok(Some(newest)),
        Err(error) => {
            // What is wrong with an entry has been said.
            if report.summary.faults == before {
                report.fault(&log_of(table, prefix), format!("cannot be read ({})", error.what()), help(&error));
            }
            Ok(None)
        }
    }
}

/// Says when nothing can be written to the table in folder `table`.
pub(super) fn check_writable(outcome: Result<()>, table: &Path, prefix: &str, report: &mut Report<'_>) {
    if let Err(error) = outcome {
        report.fault(&log_of(table, prefix), format!("cannot be written to ({})", error.what()), help(&error));
    }
}

fn log_of(table: &Path, prefix: &str) -> String {
    format!("{prefix}{table}/{}", paths::DELTA_LOG)
}

async fn check_entries(
    store: &Arc<dyn ObjectStore>,
    table: &Path,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let log = LogObjects::new(Arc::clone(store), table.clone());
    let entries = log.list().await?;
    let (mut next, mut checkpoint) = (None, None);
    for entry in &entries {
        let path = format!("{prefix}{}", entry.path);
        let size = store.head(&entry.path).await.map_or(0, |head| head.size);
        let version = match entry.kind {
            LogObject::Entry(version) => version,
            LogObject::Checkpoint(version) => {
                checkpoint = checkpoint.max(Some(version));
                continue;
            }
        };
        report.looked_at(size);
        let expected: u64 = next.unwrap_or(version);
        if expected != version {
            report.fault(&path, format!("comes after version {}: versions between are missing", expected - 1), RESTORE);
        }
        next = Some(version + 1);
        if let Err(error) = log.actions(&entry.path).await {
            report.fault(&path, error.what().replace(&format!("object '{}' ", entry.path), ""), RESTORE);
        }
    }
    let first = entries.iter().find_map(|entry| match entry.kind {
        LogObject::Entry(version) => Some(version),
        LogObject::Checkpoint(_) => None,
    });
    if first.is_some_and(|first| first > 0 && checkpoint.is_none_or(|checkpoint| checkpoint + 1 < first)) {
        report.fault(&format!("{prefix}{table}"), "has lost the first versions of its log", RESTORE);
    }
    Ok(())
}

/// Reads live files. `also` tells of one that was read what else is wrong with it.
pub(super) async fn check_files(
    store: &Arc<dyn ObjectStore>,
    layout: &FileLayout,
    files: &[Arc<DataFile>],
    also: impl Fn(&Verified) -> Option<String>,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    for file in files {
        let path = format!("{prefix}{}", layout.location(&file.path));
        let verified = verify(store, layout, file).await?;
        let more = also(&verified);
        for fault in verified.faults.into_iter().chain(more) {
            report.fault(&path, fault, RESTORE);
        }
        report.looked_at(file.bytes);
    }
    Ok(())
}
