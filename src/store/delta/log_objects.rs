//! The objects of a Delta table's log as they lie in the store: what is there, what it says, what may go.
//!
//! Works for any Delta table; what its entries mean is for the table to say.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::error::{Error, RUN_CHECK, Result};
use crate::store::objects;
use crate::store::paths::{DELTA_LOG, LogObject};

/// Entries read at once.
const PARALLEL_READS: usize = 16;

/// One object of the log.
#[derive(Debug, Clone)]
pub struct LogEntry {
    pub kind: LogObject,
    pub path: Path,
    pub modified: DateTime<Utc>,
}

/// The log of the table in folder `table` of `store`.
pub struct LogObjects {
    store: Arc<dyn ObjectStore>,
    table: Path,
}

impl LogObjects {
    pub fn new(store: Arc<dyn ObjectStore>, table: Path) -> Self {
        Self { store, table }
    }

    fn folder(&self) -> Path {
        self.table.clone().join(DELTA_LOG)
    }

    /// Entries by version, then checkpoints by version.
    pub async fn list(&self) -> Result<Vec<LogEntry>> {
        let found: Vec<_> = self.store.list(Some(&self.folder())).try_collect().await?;
        let mut entries: Vec<LogEntry> = found
            .into_iter()
            .filter_map(|object| {
                let kind = LogObject::of(&object.location)?;
                Some(LogEntry { kind, path: object.location, modified: object.last_modified })
            })
            .collect();
        entries.sort_by_key(|entry| entry.kind);
        Ok(entries)
    }

    /// The actions of one entry.
    ///
    /// # Errors
    /// `Corrupt` when the object is missing or is not lines of JSON.
    pub async fn actions(&self, path: &Path) -> Result<Vec<Value>> {
        let damaged = |why: String| Error::corrupt(format!("object '{path}' {why}")).with_help(RUN_CHECK);
        let bytes = objects::read(&self.store, path).await?.ok_or_else(|| damaged("is missing".to_owned()))?;
        let actions = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
        actions.collect::<Result<_, _>>().map_err(|error| damaged(format!("is not lines of JSON ({error})")))
    }

    /// Files that an entry since `cutoff` took out of the table: versions before it, which may still be read, have them.
    pub async fn removed_since(&self, cutoff: DateTime<Utc>) -> Result<HashSet<String>> {
        let is_young = |entry: &LogEntry| entry.modified >= cutoff && matches!(entry.kind, LogObject::Entry(_));
        let young: Vec<LogEntry> = self.list().await?.into_iter().filter(is_young).collect();
        let removed = stream::iter(young).map(|entry| self.removed_by(entry.path).boxed());
        Ok(removed.buffer_unordered(PARALLEL_READS).try_concat().await?.into_iter().collect())
    }

    async fn removed_by(&self, entry: Path) -> Result<Vec<String>> {
        let actions = self.actions(&entry).await?;
        Ok(actions.iter().filter_map(|action| path_of(action, "remove")).collect())
    }

    /// Entries and checkpoints that no version since `cutoff` needs, among those up to `known`: what else those
    /// entries say must be kept elsewhere.
    pub async fn expired(&self, cutoff: DateTime<Utc>, known: u64) -> Result<Vec<Path>> {
        let entries = self.list().await?;
        let kept_from = entries
            .iter()
            .filter_map(|entry| match entry.kind {
                LogObject::Entry(version) if entry.modified >= cutoff => Some(version),
                _ => None,
            })
            .min()
            .unwrap_or(u64::MAX);
        // The newest checkpoint from which all versions to be kept can be read.
        let base = entries.iter().filter_map(|entry| match entry.kind {
            LogObject::Checkpoint(version) if version <= kept_from => Some(version),
            _ => None,
        });
        let Some(base) = base.max() else { return Ok(Vec::new()) };
        let goes = |entry: &&LogEntry| {
            let (LogObject::Entry(version) | LogObject::Checkpoint(version)) = entry.kind;
            version < base && version <= known && entry.modified < cutoff
        };
        Ok(entries.iter().filter(goes).map(|entry| entry.path.clone()).collect())
    }

    /// Deletes objects of the log, the oldest first, so that what stays has no gap.
    pub async fn delete(&self, paths: &[Path]) -> Result<()> {
        for path in paths {
            self.store.delete(path).await?;
        }
        Ok(())
    }
}

/// The path below the table that an action of kind `kind` names.
fn path_of(action: &Value, kind: &str) -> Option<String> {
    let path = action.get(kind)?.get("path")?.as_str()?;
    Path::from_url_path(path).ok().map(|path| path.to_string())
}
