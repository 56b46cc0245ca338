//! The events table of one workspace: its newest snapshot, its load records, its commits.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use deltalake_core::kernel::{Action, Remove};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::data_file::DataFile;
use super::load_records::{self, Numbered};
use super::schema;
use super::writer::WrittenFile;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::delta::{CommitLog, DeltaCommitLog, LogObjects, TableDefinition};
use crate::store::paths::LogObject;
use crate::store::{Root, paths};

/// Key of a load record in `commitInfo`.
const LOAD: &str = "convokeLoad";
/// Key of what a compaction did in `commitInfo`.
const COMPACTION: &str = "convokeCompaction";
/// Entries of the log read at once.
const PARALLEL_READS: usize = 16;

/// The live files of one version of the table.
#[derive(Debug, Clone, Default)]
pub struct EventsSnapshot {
    pub version: u64,
    pub files: Arc<[DataFile]>,
}

impl EventsSnapshot {
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

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
    log: Box<dyn CommitLog>,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
}

impl EventsTable {
    pub fn new(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).events())?;
        let log = Box::new(DeltaCommitLog::new(root.store(), url, definition()));
        Ok(Self { log, store: root.workspace_store(workspace) })
    }

    /// Makes the table unless it is there.
    pub async fn create(&self) -> Result<()> {
        self.log.create(Vec::new()).await
    }

    /// The newest version; an empty version 0 when there is no table yet.
    pub async fn snapshot(&self) -> Result<EventsSnapshot> {
        let Some((version, actions)) = self.log.load().await? else {
            return Ok(EventsSnapshot::default());
        };
        let mut files = Vec::new();
        for batch in &actions {
            files.extend(DataFile::from_actions(batch)?);
        }
        files.sort_by(|a, b| (&a.month, &a.path).cmp(&(&b.month, &b.path)));
        Ok(EventsSnapshot { version, files: files.into() })
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
        let info = self.log.commit_info(version).await?.ok_or_else(|| {
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

    /// Adds `files` as version `version`, which must be the next one.
    pub async fn commit(&self, version: u64, files: Vec<WrittenFile>, record: &LoadRecord) -> Result<()> {
        let actions = files.into_iter().map(|file| Action::Add(file.into_add(true))).collect();
        let info = HashMap::from([(LOAD.to_owned(), serde_json::to_value(record)? as Value)]);
        let partition_by = Some(vec![schema::MONTH.to_owned()]);
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by, predicate: None };
        self.log.commit(version, actions, operation, info).await
    }

    /// Puts `added`, which hold the same rows, in place of `removed` as version `version`.
    pub async fn replace(
        &self,
        version: u64,
        removed: &[DataFile],
        added: Vec<WrittenFile>,
        target_bytes: u64,
    ) -> Result<()> {
        let info = HashMap::from([(COMPACTION.to_owned(), json!({"removed": removed.len(), "added": added.len()}))]);
        let operation =
            DeltaOperation::Optimize { predicate: None, target_size: i64::try_from(target_bytes).unwrap_or(i64::MAX) };
        let removes = removed.iter().map(|file| Action::Remove(remove(file)));
        let actions = removes.chain(added.into_iter().map(|file| Action::Add(file.into_add(false)))).collect();
        self.log.commit(version, actions, operation, info).await
    }

    /// Gathers what the log says up to `version`, the newest, in two objects: load records, then the live files.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        let loads = self.numbered_loads(0, version).await?;
        load_records::write(self.store.as_ref(), version, &loads).await?;
        let written = self.log_objects().list().await?;
        if written.iter().any(|entry| entry.kind == LogObject::Checkpoint(version)) {
            return Ok(());
        }
        self.log.checkpoint().await
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
        LogObjects::new(Arc::clone(&self.store), Path::from(paths::EVENTS))
    }
}

fn remove(file: &DataFile) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change: false,
        deletion_timestamp: Some(Utc::now().timestamp_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(HashMap::from([(schema::MONTH.to_owned(), Some(file.month.clone()))])),
        size: Some(i64::try_from(file.bytes).unwrap_or(i64::MAX)),
        ..Remove::default()
    }
}

fn definition() -> TableDefinition {
    let mut columns: Vec<Field> = schema::stored().fields().iter().map(|field| field.as_ref().clone()).collect();
    columns.push(Field::new(schema::MONTH, DataType::Utf8, true));
    TableDefinition {
        label: "the events table".to_owned(),
        columns: Arc::new(Schema::new(columns)),
        partition_by: vec![schema::MONTH.to_owned()],
        configuration: vec![("delta.dataSkippingStatsColumns".to_owned(), schema::statistics_columns().join(","))],
    }
}
