//! Vacuum: removes what no version of the events or of a user table within the retention refers to, what never became
//! part of one, and tables dropped before it.
//!
//! Holds the writer, so that no load is half way. An object younger than the retention is never touched.

mod tables;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use uuid::Uuid;

use self::tables::UserTableFiles;
use crate::error::{Error, Kind, Result};
use crate::store::paths;
use crate::workspace::Workspace;

/// Objects deleted at once.
const PARALLEL: usize = 8;

/// An object that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unneeded {
    /// Below the workspace.
    pub path: Path,
    pub bytes: u64,
    /// What it was.
    pub what: &'static str,
}

/// Vacuums one workspace.
pub struct Vacuum {
    workspace: Arc<Workspace>,
    cutoff: DateTime<Utc>,
}

impl Vacuum {
    /// # Errors
    /// `InvalidInput` for no retention at all: files that are being written would be removed.
    pub fn new(workspace: Arc<Workspace>, retention_days: u64) -> Result<Self> {
        let days = i64::try_from(retention_days).ok().filter(|days| *days > 0).and_then(TimeDelta::try_days);
        let age = days.ok_or_else(|| Error::invalid("the retention is at least one day (upkeep.retention_days)"))?;
        let cutoff = workspace.clock().now().checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC);
        Ok(Self { workspace, cutoff })
    }

    /// What [`Self::run`] would remove, ordered by path.
    pub async fn list(&self) -> Result<Vec<Unneeded>> {
        // Beside a server it is that of the state which this process has read: what is young is left out anyway.
        let _writer = match self.workspace.writer_of_files().await {
            Err(error) if error.kind() == Kind::Conflict => None,
            outcome => Some(outcome?),
        };
        Ok(self.unneeded().await?.0)
    }

    /// Removes it, and what the log does not need any more; returns what was removed.
    pub async fn run(&self) -> Result<Vec<Unneeded>> {
        let mut writer = self.workspace.writer_of_files().await?;
        writer.refresh().await?;
        let (unneeded, dropped) = self.unneeded().await?;
        self.delete(unneeded.iter().map(|object| object.path.clone()).collect()).await?;
        for folder in dropped {
            self.workspace.remove_empty_table_folder(folder);
        }
        // The logs of tables come last: their entries say which files the versions within the retention had.
        match self.clean_table_logs().await {
            Err(error) if error.tells_full_disk() => {
                let name = self.workspace.name();
                tracing::warn!(workspace = %name, %error, "the logs of tables stay as they are until there is space");
            }
            outcome => outcome?,
        }
        Ok(unneeded)
    }

    async fn clean_table_logs(&self) -> Result<()> {
        let snapshot = self.workspace.snapshot();
        let version = snapshot.events.version;
        if version > 0 {
            self.workspace.events().checkpoint(version).await?;
            self.workspace.events().clean_log(self.cutoff).await?;
        }
        for (name, table) in &snapshot.tables.tables {
            let cleaned = self.workspace.table_log(table.folder)?.clean(table.live.version, self.cutoff).await;
            cleaned.map_err(|error| error.context(format!("table '{name}'")))?;
        }
        Ok(())
    }

    async fn delete(&self, paths: Vec<Path>) -> Result<()> {
        let deletes = stream::iter(paths).map(|path| {
            let store = self.workspace.store();
            async move { store.delete(&path).await }.boxed()
        });
        deletes.buffer_unordered(PARALLEL).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    /// The objects, and the folders of dropped tables that are empty without them.
    async fn unneeded(&self) -> Result<(Vec<Unneeded>, Vec<Uuid>)> {
        let needed = self.needed().await?;
        let objects: Vec<ObjectMeta> = self.workspace.store().list(None).try_collect().await?;
        let newest_loads = objects.iter().filter_map(|object| paths::loads_version(&object.location)).max();
        let tables = UserTableFiles::read(&self.workspace, &objects, self.cutoff).await?;
        let id = self.workspace.manifest().id;
        let what = |object: &ObjectMeta| {
            let free = object.last_modified < self.cutoff && !needed.contains(&object.location);
            let kind = kind_of(&object.location, newest_loads, id).filter(|_| free);
            kind.or_else(|| tables.unneeded(object))
        };
        let found = objects.iter().filter_map(|object| {
            Some(Unneeded { what: what(object)?, path: object.location.clone(), bytes: object.size })
        });
        let mut unneeded: Vec<Unneeded> = found.collect();
        unneeded.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((unneeded, tables.expired_folders().collect()))
    }

    /// Objects that a version within the retention, or a load, refers to. Records of the log name none: all that they
    /// bring is in them.
    async fn needed(&self) -> Result<HashSet<Path>> {
        let snapshot = self.workspace.snapshot();
        let mut needed: HashSet<Path> =
            snapshot.events.files.iter().map(|file| paths::events_file_in_workspace(&file.path)).collect();
        let removed = self.workspace.events().log_objects().removed_since(self.cutoff).await?;
        needed.extend(removed.iter().map(|path| paths::events_file_in_workspace(path)));
        for commit in snapshot.commits.iter() {
            needed.extend(commit.objects().map(Path::from));
        }
        needed.extend(snapshot.dedupe_runs().into_iter().map(Path::from));
        Ok(needed)
    }
}

/// What an unreferenced object of the workspace of this id was, one of a kind; `None` for one that is not ours to remove.
pub(super) fn kind_of(path: &Path, newest_loads: Option<u64>, workspace: Uuid) -> Option<&'static str> {
    if paths::is_of_other_log(path, workspace) {
        return Some("log object of a dropped workspace");
    }
    let mut parts = path.parts();
    let folder = parts.next()?;
    match folder.as_ref() {
        paths::EVENTS => {
            let inside = parts.next()?;
            let data = inside.as_ref() != paths::DELTA_LOG && path.extension() == Some("parquet");
            data.then_some("data file of events")
        }
        paths::IDENTITY => paths::is_of_load(path).then_some("file of identity changes"),
        paths::DEAD_LETTERS => paths::is_of_load(path).then_some("file of dead letters"),
        paths::EVENTS_LOADS => (paths::loads_version(path) < newest_loads).then_some("file of commit records"),
        paths::DEDUPE => paths::is_dedupe_run(path).then_some("dedupe run"),
        // The workspace's own log and its marks are trimmed by their writer alone, who knows what is needed of them.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
