//! One workspace: its manifest, its events, its log, the user's tables, and whatever else lies in its folder.

use std::collections::HashSet;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use super::log::LogCheck;
use super::under_way::UnderWay;
use super::{Report, events, help, loose, user_tables};
use crate::error::{Kind, Result};
use crate::identity::IdentifierTypes;
use crate::ids::WorkspaceName;
use crate::jobs::vacuum;
use crate::store::delta::LogObjects;
use crate::store::{Root, paths};
use crate::workspace::{Manifest, Rules};

/// A drop that broke off leaves the same as a manifest that was lost, and so does a writer that slept through a drop.
const WITHOUT_MANIFEST: &str = "restore it from a backup, or remove the rest of a workspace that was dropped by `convoke \
    workspace drop <name> --yes`";

pub(super) async fn check(root: &Root, name: &WorkspaceName, report: &mut Report<'_>) -> Result<()> {
    let store = root.workspace_store(name);
    let prefix = format!("{name}/");
    let listed: Vec<ObjectMeta> = store.list(None).try_collect().await?;
    // What a writer leaves that slept while the workspace was dropped is none.
    if listed.iter().all(|object| paths::is_of_writers(&object.location)) {
        return Ok(());
    }
    let Some((manifest, types)) = check_manifest(root, name, report).await? else { return Ok(()) };
    let events::InFiles { known, position, graph } =
        events::check(root, name, manifest.id, &types, &prefix, report).await?;
    let log = LogCheck { root, name, manifest: &manifest, types: &types };
    log.run(position, graph, &listed, report).await?;
    let under_way = UnderWay::beside(root, name, &listed).await;
    user_tables::check(root, name, &listed, &under_way, &prefix, report).await?;
    let removed = events_removed(root, name).await;
    let newest_loads = listed.iter().filter_map(|object| paths::loads_version(&object.location)).max();
    let mut unreferenced = Vec::new();
    for object in listed.iter().filter(|object| !known.contains(&object.location)) {
        if is_checked_elsewhere(&object.location, manifest.id) {
            continue;
        }
        if removed.contains(&object.location) {
            loose::check(&store, object, &prefix, report).await?;
            continue;
        }
        match vacuum::kind_of(&object.location, newest_loads, manifest.id) {
            Some(what) => {
                report.looked_at(object.size);
                if !under_way.has(object) {
                    unreferenced.push((&object.location, what));
                }
            }
            None => loose::check(&store, object, &prefix, report).await?,
        }
    }
    note_unreferenced(root, name, manifest.id, unreferenced, report).await
}

/// Says of objects what they are. A writer may have committed or removed some since they were looked for: they are looked for
/// again.
async fn note_unreferenced(
    root: &Root,
    name: &WorkspaceName,
    id: Uuid,
    mut found: Vec<(&Path, &str)>,
    report: &mut Report<'_>,
) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    // What cannot be read has been said.
    let known = events::referenced(root, name, id).await.unwrap_or_default();
    found.retain(|(path, _)| !known.contains(*path));
    let store = root.workspace_store(name);
    let help = format!("`convoke vacuum --workspace {name}` removes it after the retention");
    for (path, what) in found {
        if !matches!(store.head(path).await, Err(object_store::Error::NotFound { .. })) {
            report.note(&format!("{name}/{path}"), &format!("is a {what} that nothing refers to"), &help);
        }
    }
    Ok(())
}

/// Logs of the workspace of this id, its manifest, and the user's tables have been looked at.
fn is_checked_elsewhere(path: &Path, workspace: Uuid) -> bool {
    // Locks and claims of writers come and go.
    let is_lock = path.filename().is_some_and(|name| name.starts_with('.'));
    let in_log = path.parts().any(|part| part.as_ref() == paths::DELTA_LOG);
    let folders = [paths::USER_TABLES, paths::WAL].map(Path::from);
    is_lock
        || paths::is_of_writers(path)
        || in_log
        || path.as_ref() == paths::MANIFEST
        || (folders.iter().any(|folder| path.prefix_matches(folder)) && !paths::is_of_other_log(path, workspace))
}

/// Whether the workspace can be read at all; then its manifest and identifier types.
async fn check_manifest(
    root: &Root,
    name: &WorkspaceName,
    report: &mut Report<'_>,
) -> Result<Option<(Manifest, Arc<IdentifierTypes>)>> {
    let path = format!("{name}/{}", paths::MANIFEST);
    report.looked_at(0);
    let rules = match Manifest::read(&root.store(), &root.paths(name).manifest(), name).await {
        Ok(Some(manifest)) => {
            let rules = Rules::load(&root.workspace_store(name), &manifest).await;
            rules.map(|rules| (manifest, Arc::clone(rules.types())))
        }
        Ok(None) => {
            report.fault(&path, "is missing", WITHOUT_MANIFEST);
            return Ok(None);
        }
        Err(error) => Err(error),
    };
    match rules {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::Corrupt => {
            report.fault(&path, error.what(), help(&error));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Files that older versions of the events still have.
async fn events_removed(root: &Root, name: &WorkspaceName) -> HashSet<Path> {
    let log = LogObjects::new(root.workspace_store(name), Path::from(paths::EVENTS));
    let removed = log.removed_since(chrono::DateTime::UNIX_EPOCH).await.unwrap_or_default();
    removed.iter().map(|path| paths::events_file_in_workspace(path)).collect()
}
