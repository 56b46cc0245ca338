//! The events of a workspace: log, commit records, identity objects in their order, dead letters, message ids, data files.

use std::collections::HashSet;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use uuid::Uuid;

use super::{RESTORE, Report, dedupe, delta, help};
use crate::error::Result;
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::ids::WorkspaceName;
use crate::store::delta::Verified;
use crate::store::events::{CommitRecord, EventsTable, Order, dedupe_runs, fault_of_nodes, file_layout};
use crate::store::{Root, objects, paths};

/// What is known of the events that are in files.
#[derive(Default)]
pub(super) struct InFiles {
    /// Objects that are accounted for, below the workspace.
    pub(super) known: HashSet<Path>,
    /// Up to which record of the log; `None` when the commits cannot be read.
    pub(super) position: Option<u64>,
    /// The identity graph there, if all is well with it.
    pub(super) graph: Option<IdentityGraph>,
}

/// Checks them.
pub(super) async fn check(
    root: &Root,
    name: &WorkspaceName,
    id: Uuid,
    types: &Arc<IdentifierTypes>,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<InFiles> {
    let store = root.workspace_store(name);
    let table = Path::from(paths::EVENTS);
    let mut found = InFiles::default();
    let before = report.summary.faults;
    let events = EventsTable::new(root, name, id)?;
    let log = format!("{prefix}{table}/{}", paths::DELTA_LOG);
    let newest = delta::check_log(&store, &table, events.newest(), prefix, report).await?;
    let Some(snapshot) = newest else { return Ok(found) };
    match events.commits(0, snapshot.version).await {
        Ok(commits) => {
            found.graph = check_identity(&store, types, &commits, prefix, report).await?;
            check_dead_letters(&store, &commits, prefix, report).await?;
            dedupe::check(&store, &dedupe_runs(&commits), prefix, report).await?;
            found.known.extend(objects_of(&commits));
            // That of the newest version, which may only have put files in the place of others.
            found.position = events.position(snapshot.version).await.ok();
        }
        Err(error) if report.summary.faults == before => {
            report.fault(&log, format!("has commit records that cannot be read ({})", error.what()), help(&error));
        }
        Err(_) => {}
    }
    delta::check_writable(events.check_writable().await, &table, prefix, report);
    let nodes = found.graph.as_ref().map(IdentityGraph::nodes);
    let layout = file_layout(Order::Sorted);
    let fault = |file: &Verified| fault_of_nodes(file, nodes?);
    delta::check_files(&store, &layout, &snapshot.files, fault, prefix, report).await?;
    found.known.extend(snapshot.files.iter().map(|file| layout.location(&file.path)));
    Ok(found)
}

/// Objects of loads, files and message ids that the newest version or one before it refers to, except files that were
/// replaced.
pub(super) async fn referenced(root: &Root, name: &WorkspaceName, id: Uuid) -> Result<HashSet<Path>> {
    let events = EventsTable::new(root, name, id)?;
    let newest = events.newest().await?;
    let layout = file_layout(Order::Sorted);
    let mut known = objects_of(&events.commits(0, newest.version).await?);
    known.extend(newest.files.iter().map(|file| layout.location(&file.path)));
    Ok(known)
}

fn objects_of(commits: &[CommitRecord]) -> HashSet<Path> {
    let mut objects: HashSet<Path> = commits.iter().flat_map(CommitRecord::objects).map(Path::from).collect();
    // Also those that were merged into others: older versions have them.
    let runs = commits.iter().flat_map(|commit| &commit.dedupe.added);
    objects.extend(runs.map(|run| Path::from(run.as_str())));
    objects
}

/// Replays the identity objects; the graph that they give, if all is well.
async fn check_identity(
    store: &Arc<dyn ObjectStore>,
    types: &Arc<IdentifierTypes>,
    commits: &[CommitRecord],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<Option<IdentityGraph>> {
    let mut graph = IdentityGraph::new(Arc::clone(types));
    let mut whole = true;
    let paths: Vec<&str> = commits.iter().filter_map(|commit| commit.identity.as_deref()).collect();
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
            report.fault(&format!("{prefix}{path}"), error.what(), RESTORE);
        }
    }
    Ok(whole.then_some(graph))
}

async fn check_dead_letters(
    store: &Arc<dyn ObjectStore>,
    commits: &[CommitRecord],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let paths: Vec<&str> = commits.iter().filter_map(|commit| commit.dead_letters.as_deref()).collect();
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
