//! The events table of one workspace: its newest files, its load records, its commits.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load_records::{self, Numbered};
use super::schema;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::delta::{Change, DeltaTable, LiveFiles, LogObjects, TableDefinition};
use crate::store::{Root, paths};

/// Key of a load record in `commitInfo`.
const LOAD: &str = "convokeLoad";
/// Key of what a compaction did in `commitInfo`.
const COMPACTION: &str = "convokeCompaction";
/// Entries of the log read at once.
const PARALLEL_READS: usize = 16;

/// What a commit says of the load that it holds. The objects named here count only with this commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRecord {
    pub source: String,
    /// Hash of the content as the client gave it.
    pub content_hash: String,
    /// Hash of a file's bytes alone; `None` for what is no file, and in records of before this was told apart.
    #[serde(default)]
    pub file_hash: Option<String>,
    /// The source that the client's token is bound to: what names no file is told apart by it.
    pub token_source: Option<String>,
    /// How often the same content of the same token's source was loaded before.
    pub repetition: u64,
    pub kept: u64,
    pub rejected: u64,
    /// Object with the new nodes, edges and births; path below the workspace.
    pub identity: Option<String>,
    /// Object with the rejected rows; path below the workspace.
    pub dead_letters: Option<String>,
}

/// The events table. One process commits at a time (`WriterLock`).
pub struct EventsTable {
    table: DeltaTable,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
}

impl EventsTable {
    pub fn new(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).events())?;
        let store = root.workspace_store(workspace);
        let folder = Path::from(paths::EVENTS);
        let table = DeltaTable::new(root.store(), url, Arc::clone(&store), folder, definition());
        Ok(Self { table, store })
    }

    /// Makes the table unless it is there.
    pub async fn create(&self) -> Result<()> {
        self.table.create(&[]).await
    }

    /// The newest version; an empty version 0 when there is no table yet.
    pub async fn newest(&self) -> Result<LiveFiles> {
        Ok(self.table.newest().await?.map(|(files, _)| files).unwrap_or_default())
    }

    /// Load records of the versions after `after` up to `version`, in commit order.
    pub async fn loads(&self, after: u64, version: u64) -> Result<Vec<LoadRecord>> {
        Ok(self.numbered_loads(after, version).await?.into_iter().map(|(_, record)| record).collect())
    }

    async fn numbered_loads(&self, after: u64, version: u64) -> Result<Vec<Numbered>> {
        let mut loads = Vec::new();
        let mut read = after;
        // The next version alone is read from its entry; more may have been gathered in one object.
        if version > after + 1
            && let Some(gathered) =
                load_records::versions(&self.store).await?.into_iter().rfind(|held| *held <= version)
            && gathered > after
        {
            loads = load_records::read(&self.store, gathered).await?;
            loads.retain(|(version, _)| *version > after);
            read = gathered;
        }
        let entries = stream::iter(read + 1..=version).map(|version| self.load_of(version).boxed());
        loads.extend(entries.buffered(PARALLEL_READS).try_collect::<Vec<_>>().await?.into_iter().flatten());
        Ok(loads)
    }

    /// The load of one version; `None` for a version that loaded nothing.
    async fn load_of(&self, version: u64) -> Result<Option<Numbered>> {
        let info = self.table.commit_info(version).await?.ok_or_else(|| {
            Error::corrupt(format!(
                "version {version} is missing from the log of the events table: run `convoke check`"
            ))
        })?;
        let Some(record) = info.get(LOAD) else { return Ok(None) };
        let record = serde_json::from_value(record.clone()).map_err(|error| {
            Error::corrupt(format!("load record of version {version} of the events table: {error}"))
        })?;
        Ok(Some((version, record)))
    }

    /// Writes a load as version `version`, which must be the next one.
    pub async fn commit(&self, version: u64, change: Change<'_>, record: &LoadRecord) -> Result<()> {
        let info = HashMap::from([(LOAD.to_owned(), serde_json::to_value(record)? as Value)]);
        self.table.commit(version, change, info).await
    }

    /// Puts files with the same rows in the place of others, as version `version`.
    pub async fn rewrite(&self, version: u64, change: Change<'_>) -> Result<()> {
        let counts = json!({"removed": change.removed.len(), "added": change.added.len()});
        self.table.commit(version, change, HashMap::from([(COMPACTION.to_owned(), counts)])).await
    }

    /// Gathers what the log says up to `version`, the newest, in two objects: load records, then the live files.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        let loads = self.numbered_loads(0, version).await?;
        load_records::write(self.store.as_ref(), version, &loads).await?;
        self.table.checkpoint(version).await
    }

    /// Deletes what no version since `cutoff` needs of the log; returns how many objects. Only the writer may.
    pub async fn clean_log(&self, cutoff: DateTime<Utc>) -> Result<usize> {
        let Some(known) = load_records::versions(&self.store).await?.pop() else { return Ok(0) };
        let log = self.log_objects();
        let expired = log.expired(cutoff, known).await?;
        log.delete(&expired).await?;
        Ok(expired.len())
    }

    /// The objects of the log.
    pub fn log_objects(&self) -> LogObjects {
        self.table.log_objects()
    }
}

fn definition() -> TableDefinition {
    let configuration = vec![("delta.dataSkippingStatsColumns".to_owned(), schema::statistics_columns().join(","))];
    TableDefinition { layout: schema::layout(), configuration }
}
