//! The user tables: the catalog of their names, each live table, and what is left of dropped ones.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use uuid::Uuid;

use super::{RESTORE, Report, delta, loose};
use crate::error::{Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::tables::{TableCatalogStore, TableLog};
use crate::store::{Root, paths};

/// `listed` are all objects of the workspace.
pub(super) async fn check(
    root: &Root,
    name: &WorkspaceName,
    listed: &[ObjectMeta],
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
                report.fault(&format!("{prefix}{catalog}"), error.message(), RESTORE);
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let folders: BTreeSet<Uuid> = listed.iter().filter_map(|object| paths::table_of(&object.location)).collect();
    for (folder, table) in &tables {
        if folders.contains(folder) {
            check_table(root, name, *folder, listed, prefix, report).await?;
        } else {
            let path = format!("{prefix}{}", paths::table_in_workspace(*folder));
            report.fault(&path, format!("is missing: it is user table '{table}'"), RESTORE);
        }
    }
    for folder in folders.iter().filter(|folder| !tables.contains_key(folder)) {
        let path = format!("{prefix}{}", paths::table_in_workspace(*folder));
        report.note(&path, "is a table that was dropped, or never got its name", &removal(name));
    }
    Ok(())
}

fn removal(name: &WorkspaceName) -> String {
    format!("`convoke vacuum --workspace {name}` removes it after the retention")
}

async fn check_table(
    root: &Root,
    name: &WorkspaceName,
    folder: Uuid,
    listed: &[ObjectMeta],
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    let store: Arc<dyn ObjectStore> = root.workspace_store(name);
    let table = paths::table_in_workspace(folder);
    let (log, faults) = (TableLog::new(root, name, folder)?, report.summary.faults);
    let live = match delta::check_log(&store, &table, prefix, report).await? {
        Some(live) => live,
        // The beginning is in a checkpoint only.
        None => match log.state().await {
            Ok(state) => {
                let files = state.live.files.iter();
                files.map(|file| (file.path.clone(), (Some(file.bytes), Some(file.rows)))).collect()
            }
            Err(error) => {
                if report.summary.faults == faults {
                    report.fault(&format!("{prefix}{table}"), error.message(), RESTORE);
                }
                return Ok(());
            }
        },
    };
    let removed = log.objects().removed_since(chrono::DateTime::UNIX_EPOCH).await.unwrap_or_default();
    let known: HashSet<Path> =
        live.keys().chain(&removed).map(|file| paths::table_file_in_workspace(folder, file)).collect();
    let mine = |object: &&ObjectMeta| object.location.prefix_matches(&table) && paths::is_table_file(&object.location);
    for object in listed.iter().filter(mine).filter(|object| !known.contains(&object.location)) {
        let what = "is a data file of a user table that nothing refers to";
        report.note(&format!("{prefix}{}", object.location), what, &removal(name));
    }
    delta::check_files(&store, &table, live, prefix, report).await
}
