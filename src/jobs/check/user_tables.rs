//! The user tables: the catalog of their names, each live table, and what is left of dropped ones.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use uuid::Uuid;

use super::under_way::UnderWay;
use super::{RESTORE, Report, delta, help, loose};
use crate::error::{Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::tables::{TableCatalogStore, TableLog, file_layout};
use crate::store::{Root, paths};

/// `listed` are all objects of the workspace.
pub(super) async fn check(
    root: &Root,
    name: &WorkspaceName,
    listed: &[ObjectMeta],
    under_way: &UnderWay,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let store = root.workspace_store(name);
    let catalog = paths::table_catalog_in_workspace();
    let faults = report.summary.faults;
    for object in listed.iter().filter(|object| object.location.prefix_matches(&catalog)) {
        loose::check(&store, object, prefix, report).await?;
    }
    let tables: BTreeMap<Uuid, String> = match TableCatalogStore::new(Arc::clone(&store)).newest().await {
        Ok(newest) => newest.tables.into_iter().map(|(name, entry)| (entry.folder, name)).collect(),
        Err(error) if error.kind() == Kind::Corrupt => {
            if report.summary.faults == faults {
                report.fault(&format!("{prefix}{catalog}"), error.what(), help(&error));
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let folders: BTreeSet<Uuid> = listed.iter().filter_map(|object| paths::table_of(&object.location)).collect();
    for (folder, table) in &tables {
        if folders.contains(folder) || was_made_since(&store, *folder).await? {
            check_table(root, name, *folder, listed, under_way, prefix, report).await?;
        } else {
            let path = format!("{prefix}{}", paths::table_in_workspace(*folder));
            report.fault(&path, format!("is missing: it is user table '{table}'"), RESTORE);
        }
    }
    for folder in folders.iter().filter(|folder| !tables.contains_key(folder)) {
        let dropped = paths::table_dropped_in_workspace(*folder);
        let mut objects = listed.iter().filter(|object| paths::table_of(&object.location) == Some(*folder));
        let was_dropped = listed.iter().any(|object| object.location == dropped);
        if !was_dropped && objects.any(|object| under_way.has(object)) {
            continue;
        }
        let path = format!("{prefix}{}", paths::table_in_workspace(*folder));
        report.note(&path, "is a table that was dropped, or never got its name", &removal(name));
    }
    Ok(())
}

/// Whether a table came since the objects were listed.
async fn was_made_since(store: &Arc<dyn ObjectStore>, folder: Uuid) -> Result<bool> {
    let first = store.list(Some(&paths::table_in_workspace(folder))).try_next().await?;
    Ok(first.is_some())
}

fn removal(name: &WorkspaceName) -> String {
    format!("`convoke vacuum --workspace {name}` removes it after the retention")
}

async fn check_table(
    root: &Root,
    name: &WorkspaceName,
    folder: Uuid,
    listed: &[ObjectMeta],
    under_way: &UnderWay,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let store: Arc<dyn ObjectStore> = root.workspace_store(name);
    let (table, log) = (paths::table_in_workspace(folder), TableLog::new(root, name, folder)?);
    let Some(state) = delta::check_log(&store, &table, log.state(), prefix, report).await? else { return Ok(()) };
    delta::check_writable(log.check_writable().await, &table, prefix, report);
    let layout = file_layout(folder, &state.columns)?;
    delta::check_files(&store, &layout, &state.live.files, |_| None, prefix, report).await?;
    let location = |file: &String| layout.location(file);
    let live: HashSet<Path> = state.live.files.iter().map(|file| location(&file.path)).collect();
    // Older versions still have them.
    let removed = log.objects().removed_since(chrono::DateTime::UNIX_EPOCH).await.unwrap_or_default();
    let removed: HashSet<Path> = removed.iter().map(location).collect();
    let mine = |object: &&ObjectMeta| object.location.prefix_matches(&table) && paths::is_table_file(&object.location);
    for object in listed.iter().filter(mine).filter(|object| !live.contains(&object.location)) {
        if removed.contains(&object.location) {
            loose::check(&store, object, prefix, report).await?;
            continue;
        }
        if under_way.has(object) {
            continue;
        }
        let what = "is a data file of a user table that nothing refers to";
        report.note(&format!("{prefix}{}", object.location), what, &removal(name));
    }
    Ok(())
}
