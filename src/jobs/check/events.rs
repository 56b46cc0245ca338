//! The events of a workspace: log, load records, identity objects in their order, dead letters, data files.

use std::collections::HashSet;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::{RESTORE, Report, delta};
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::ids::WorkspaceName;
use crate::store::events::{EventsTable, LoadRecord, faults_of};
use crate::store::{Root, objects, paths};

/// Checks them; returns the objects that are accounted for, below the workspace.
pub(super) async fn check(
    root: &Root,
    name: &WorkspaceName,
    types: &Arc<IdentifierTypes>,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<HashSet<Path>> {
    let store = root.workspace_store(name);
    let table = Path::from(paths::EVENTS);
    let mut known = HashSet::new();
    let before = report.summary.faults;
    delta::check_log(&store, &table, prefix, report).await?;
    let events = EventsTable::new(root, name)?;
    let log = format!("{prefix}{table}/{}", paths::DELTA_LOG);
    let snapshot = match events.newest().await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            // What is wrong with an entry has been said.
            if report.summary.faults == before {
                report.fault(&log, format!("cannot be read ({error})"), RESTORE);
            }
            return Ok(known);
        }
    };
    let mut nodes = None;
    match events.loads(0, snapshot.version).await {
        Ok(loads) => {
            nodes = check_identity(&store, types, &loads, prefix, report).await?;
            check_dead_letters(&store, &loads, prefix, report).await?;
            known.extend(
                loads
                    .iter()
                    .flat_map(|load| [&load.identity, &load.dead_letters])
                    .flatten()
                    .map(|path| Path::from(path.as_str())),
            );
        }
        Err(error) if report.summary.faults == before => {
            report.fault(&log, format!("has load records that cannot be read ({error})"), RESTORE);
        }
        Err(_) => {}
    }
    for file in snapshot.files.iter() {
        let location = paths::events_file_in_workspace(&file.path);
        for fault in faults_of(&store, file, nodes).await? {
            report.fault(&format!("{prefix}{location}"), fault, RESTORE);
        }
        report.looked_at(file.bytes);
        known.insert(location);
    }
    Ok(known)
}

/// Replays the identity objects; the number of nodes that they give, if all is well.
async fn check_identity(
    store: &Arc<dyn ObjectStore>,
    types: &Arc<IdentifierTypes>,
    loads: &[LoadRecord],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<Option<usize>> {
    let mut graph = IdentityGraph::new(Arc::clone(types));
    let mut whole = true;
    let paths: Vec<&str> = loads.iter().filter_map(|load| load.identity.as_deref()).collect();
    for path in paths {
        let batch = match read(store, path, prefix, report).await? {
            Some(batches) => IdentityBatch::from_record_batches(types, &batches),
            None => {
                whole = false;
                continue;
            }
        };
        // After one is lost those behind it cannot follow on; only what is wrong in themselves is said.
        let outcome = match batch {
            Ok(batch) if whole => graph.replay(&batch),
            outcome => outcome.map(drop),
        };
        if let Err(error) = outcome {
            whole = false;
            report.fault(&format!("{prefix}{path}"), without_help(&error), RESTORE);
        }
    }
    Ok(whole.then(|| graph.nodes()))
}

/// The message without the advice to run this very check.
fn without_help(error: &Error) -> String {
    error.message().replace(": run `convoke check`", "")
}

async fn check_dead_letters(
    store: &Arc<dyn ObjectStore>,
    loads: &[LoadRecord],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let paths: Vec<&str> = loads.iter().filter_map(|load| load.dead_letters.as_deref()).collect();
    for path in paths {
        read(store, path, prefix, report).await?;
    }
    Ok(())
}

/// The rows of a small Parquet object; `None`, and said, when it is missing or damaged.
async fn read(
    store: &Arc<dyn ObjectStore>,
    path: &str,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<Option<Vec<arrow::record_batch::RecordBatch>>> {
    let full = format!("{prefix}{path}");
    let Some(bytes) = objects::read(store, &path.into()).await? else {
        report.fault(&full, "is missing", RESTORE);
        return Ok(None);
    };
    report.looked_at(bytes.len() as u64);
    let decoded = tokio::task::spawn_blocking(move || objects::decode_parquet(bytes)).await;
    match decoded {
        Ok(Ok(batches)) => Ok(Some(batches)),
        Ok(Err(error)) => {
            report.fault(&full, format!("cannot be read as Parquet ({error})"), RESTORE);
            Ok(None)
        }
        Err(_) => {
            report.fault(&full, "makes the Parquet reader break off", RESTORE);
            Ok(None)
        }
    }
}
