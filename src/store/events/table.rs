//! The events table of one workspace: its newest snapshot, its load records, its commits.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use deltalake_core::kernel::Action;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::data_file::DataFile;
use super::schema;
use super::writer::WrittenFile;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::Root;
use crate::store::delta::{CommitLog, DeltaCommitLog, TableDefinition};

/// Key of a load record in `commitInfo`.
const LOAD: &str = "convokeLoad";

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
    /// Content hash, with the salt when the same content was loaded again.
    pub content_hash: String,
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
}

impl EventsTable {
    pub fn new(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).events())?;
        Ok(Self { log: Box::new(DeltaCommitLog::new(root.store(), url, definition())) })
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
        let mut loads = Vec::new();
        for version in after + 1..=version {
            let info = self.log.commit_info(version).await?.ok_or_else(|| {
                Error::corrupt(format!("version {version} is missing from the log of the events table"))
            })?;
            if let Some(record) = info.get(LOAD) {
                loads.push(serde_json::from_value(record.clone()).map_err(|error| {
                    Error::corrupt(format!("load record of version {version} of the events table: {error}"))
                })?);
            }
        }
        Ok(loads)
    }

    /// Adds `files` as version `version`, which must be the next one.
    pub async fn commit(&self, version: u64, files: Vec<WrittenFile>, record: &LoadRecord) -> Result<()> {
        let actions = files.into_iter().map(|file| Action::Add(file.into_add())).collect();
        let info = HashMap::from([(LOAD.to_owned(), serde_json::to_value(record)? as Value)]);
        let partition_by = Some(vec![schema::MONTH.to_owned()]);
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by, predicate: None };
        self.log.commit(version, actions, operation, info).await
    }
}

fn definition() -> TableDefinition {
    let mut columns: Vec<Field> = schema::stored().fields().iter().map(|field| field.as_ref().clone()).collect();
    columns.push(Field::new(schema::MONTH, DataType::Utf8, true));
    TableDefinition {
        label: "the events table".to_owned(),
        columns: Arc::new(Schema::new(columns)),
        partition_by: vec![schema::MONTH.to_owned()],
        configuration: vec![("delta.dataSkippingStatsColumns".to_owned(), schema::MIN_MAX_COLUMNS.join(","))],
    }
}
