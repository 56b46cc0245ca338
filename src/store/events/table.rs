//! The events table of one workspace: its newest files, its load records, its commits.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::commit_records::{self, Numbered};
use super::schema;
use crate::error::{Error, RUN_CHECK, Result};
use crate::ids::{Epoch, WorkspaceName};
use crate::store::delta::{Change, DeltaTable, LiveFiles, LogObjects, TableDefinition};
use crate::store::{Root, paths};

/// Key of a commit record in `commitInfo`.
const COMMIT: &str = "convokeRecord";
/// Key of the workspace that a commit is for in `commitInfo`.
const WORKSPACE: &str = "convokeWorkspace";
/// Key of what a compaction did in `commitInfo`.
const COMPACTION: &str = "convokeCompaction";
/// Entries before the newest one of ours that are asked when rows came into files last; each is a read.
const LOOKS_FOR_TIME: usize = 8;
/// Entries of the log read at once.
const PARALLEL_READS: usize = 16;

/// What a commit says of itself. The objects named here count only with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Rows of log records up to this one are in the files of this version; later ones are in the log alone.
    pub position: u64,
    /// Object with the new nodes, identifier sets and births; path below the workspace.
    pub identity: Option<String>,
    /// Object with the rejected rows; path below the workspace.
    pub dead_letters: Option<String>,
    /// Epoch of the identity graph behind them.
    pub epoch: Epoch,
    /// What was loaded, in the order of the log.
    pub loads: Vec<LoadRecord>,
    /// The objects that hold the message ids of the rows.
    #[serde(default)]
    pub dedupe: RunChange,
    /// The message ids are those of rows that were in files before: it brings none.
    #[serde(default)]
    pub is_without_rows: bool,
}

/// Objects of message ids, each a path below the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChange {
    pub added: Vec<String>,
    /// Those that were merged into others, or whose ids have left the window.
    pub removed: Vec<String>,
}

impl CommitRecord {
    /// Paths below the workspace of the objects that are needed as long as it counts.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        [&self.identity, &self.dead_letters].into_iter().flatten().map(String::as_str)
    }

    /// Whether it brought nothing but other files with the same rows.
    pub fn is_rewrite(&self) -> bool {
        let is_without_objects = self.identity.is_none() && self.dead_letters.is_none();
        self.loads.is_empty() && is_without_objects && self.dedupe == RunChange::default()
    }

    fn brings_rows(&self) -> bool {
        !self.is_rewrite() && !self.is_without_rows
    }
}

/// The objects of message ids that count behind these commits, which come in their order.
pub fn dedupe_runs<'a>(commits: impl IntoIterator<Item = &'a CommitRecord>) -> Vec<&'a str> {
    let mut runs: Vec<&str> = Vec::new();
    for commit in commits {
        runs.retain(|run| !commit.dedupe.removed.iter().any(|removed| removed == run));
        runs.extend(commit.dedupe.added.iter().map(String::as_str));
    }
    runs
}

/// One load: what was sent, and what became of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRecord {
    /// Its events have it, too; no other load of the workspace does.
    pub number: u32,
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
    /// Rows whose message ids were there already.
    #[serde(default)]
    pub duplicate: u64,
    pub rejected: u64,
}

/// How far the files of a version reach into the log of the workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// The rows of records up to this one are in files.
    pub position: u64,
    /// When the last of them came there, where an entry of the table's own log still tells.
    pub since: Option<DateTime<Utc>>,
}

/// The events table. One process commits at a time (`WriterLock`).
pub struct EventsTable {
    table: DeltaTable,
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
    /// Its commits name it: one of a writer that slept while a workspace of the same name was dropped is none of them.
    workspace: Uuid,
}

impl EventsTable {
    /// That of the workspace of this name, which has the id `id`.
    pub fn new(root: &Root, workspace: &WorkspaceName, id: Uuid) -> Result<Self> {
        let url = root.url_of(&root.paths(workspace).events())?;
        let store = root.workspace_store(workspace);
        let folder = Path::from(paths::EVENTS);
        let table = DeltaTable::new(root, url, Arc::clone(&store), folder, definition());
        Ok(Self { table, store, workspace: id })
    }

    /// Makes the table unless it is there.
    pub async fn create(&self) -> Result<()> {
        self.table.create(&[]).await
    }

    /// The newest version; an empty version 0 when there is no table yet.
    pub async fn newest(&self) -> Result<LiveFiles> {
        Ok(self.table.newest().await?.map(|(files, _)| files).unwrap_or_default())
    }

    /// Whether there is this version, whoever wrote it.
    pub async fn has_version(&self, version: u64) -> Result<bool> {
        Ok(self.table.commit_info(version).await?.is_some())
    }

    /// To be called before files are written for nothing.
    ///
    /// # Errors
    /// `Conflict` when another program made it a table that only later writers may write.
    pub async fn check_writable(&self) -> Result<()> {
        self.table.check_writable().await
    }

    /// To be called before the rows of files are written anew.
    ///
    /// # Errors
    /// As [`Self::check_writable`], and `InvalidInput` where another program added a column.
    pub async fn check_rewritable(&self) -> Result<()> {
        self.table.check_rewritable().await
    }

    /// Records of the versions after `after` up to `version` that loaded something, in their order.
    pub async fn commits(&self, after: u64, version: u64) -> Result<Vec<CommitRecord>> {
        let commits = self.numbered_commits(after, version).await?.into_iter().map(|(_, record)| record);
        Ok(commits.filter(|record| !record.is_rewrite()).collect())
    }

    /// Up to which record of the log the rows are in the files of a version, as the newest of our commits up to it says.
    /// What other programs commit puts files in the place of others, and knows nothing of the log.
    pub async fn position(&self, version: u64) -> Result<u64> {
        Ok(self.reach(version).await?.position)
    }

    /// [`Self::position`], and since when it is so.
    pub async fn reach(&self, version: u64) -> Result<Reach> {
        for version in (1..=version).rev() {
            match self.table.commit_info(version).await? {
                Some(info) => {
                    if let Some(record) = self.record_in(&info, version)? {
                        let since = match record.brings_rows() {
                            true => time_in(&info),
                            false => self.time_of_rows_before(version).await,
                        };
                        return Ok(Reach { position: record.position, since });
                    }
                }
                None => return Ok(Reach { position: self.position_of_gathered(version).await?, since: None }),
            }
        }
        Ok(Reach::default())
    }

    /// When rows came into files last, before a version that brought none. It is only told: what cannot be read is passed
    /// over.
    async fn time_of_rows_before(&self, version: u64) -> Option<DateTime<Utc>> {
        for version in (1..version).rev().take(LOOKS_FOR_TIME) {
            let info = self.table.commit_info(version).await.ok()??;
            if self.record_in(&info, version).ok()?.is_some_and(|record| record.brings_rows()) {
                return time_in(&info);
            }
        }
        None
    }

    /// The same where the entry of this version is gone, and no later one is ours.
    async fn position_of_gathered(&self, version: u64) -> Result<u64> {
        let held = commit_records::versions(&self.store).await?.into_iter().find(|held| *held >= version);
        let gathered = commit_records::read(&self.store, held.ok_or_else(|| missing_entry(version))?).await?;
        let ours = gathered.iter().filter(|(held, _)| *held <= version);
        // It never falls, and is 0 for commits of other programs.
        Ok(ours.map(|(_, record)| record.position).max().unwrap_or_default())
    }

    async fn numbered_commits(&self, after: u64, version: u64) -> Result<Vec<Numbered>> {
        let mut commits = Vec::new();
        let mut read = after;
        // The next version alone is read from its entry; more may have been gathered in one object.
        if version > after + 1
            && let Some(gathered) =
                commit_records::versions(&self.store).await?.into_iter().rfind(|held| *held <= version)
            && gathered > after
        {
            commits = commit_records::read(&self.store, gathered).await?;
            commits.retain(|(version, _)| *version > after);
            read = gathered;
        }
        let entries = stream::iter(read + 1..=version).map(|version| self.commit_of(version).boxed());
        commits.extend(entries.buffered(PARALLEL_READS).try_collect::<Vec<_>>().await?);
        Ok(commits)
    }

    async fn commit_of(&self, version: u64) -> Result<Numbered> {
        let info = self.table.commit_info(version).await?.ok_or_else(|| missing_entry(version))?;
        Ok((version, self.record_in(&info, version)?.unwrap_or_default()))
    }

    /// Writes loads as version `version`, which must be the next one.
    pub async fn commit(&self, version: u64, change: Change<'_>, record: &CommitRecord) -> Result<()> {
        self.table.commit(version, change, self.info(record)?).await
    }

    /// Puts files with the same rows in the place of others, as version `version`; `position` is that of the one before.
    pub async fn rewrite(&self, version: u64, change: Change<'_>, position: u64) -> Result<()> {
        let counts = json!({"removed": change.removed.len(), "added": change.added.len()});
        let mut info = self.info(&CommitRecord { position, ..Default::default() })?;
        info.insert(COMPACTION.to_owned(), counts);
        self.table.commit(version, change, info).await
    }

    /// The commit record of a version; one that another program wrote has none.
    ///
    /// # Errors
    /// `Corrupt`, too, for a version of a workspace of the same name that was dropped: its rows and its place in the log are
    /// none of this one's. It can be removed, for nothing of this workspace was committed behind it.
    fn record_in(&self, info: &Value, version: u64) -> Result<Option<CommitRecord>> {
        if info.get(WORKSPACE).is_some_and(|workspace| *workspace != self.workspace.to_string()) {
            let entry = paths::LogObject::entry_path(paths::EVENTS, version);
            return Err(Error::corrupt(format!(
                "version {version} of the events table is of a workspace of the same name that was dropped: its writer \
                 slept meanwhile, and wrote object '{entry}'"
            ))
            .with_help("stop the server, remove that object, and start again"));
        }
        serde_json::from_value(info[COMMIT].clone())
            .map_err(|error| Error::corrupt(format!("commit record of version {version} of the events table: {error}")))
    }

    /// What our commits say in `commitInfo`.
    fn info(&self, record: &CommitRecord) -> Result<HashMap<String, Value>> {
        Ok(HashMap::from([
            (COMMIT.to_owned(), serde_json::to_value(record)?),
            (WORKSPACE.to_owned(), Value::String(self.workspace.to_string())),
        ]))
    }

    /// Gathers what the log says up to `version`, the newest, in two objects: commit records, then the live files.
    pub async fn checkpoint(&self, version: u64) -> Result<()> {
        let commits = self.numbered_commits(0, version).await?;
        commit_records::write(self.store.as_ref(), version, &commits).await?;
        self.table.checkpoint(version).await
    }

    /// Deletes what no version since `cutoff` needs of the log; returns how many objects. Only the writer may.
    pub async fn clean_log(&self, cutoff: DateTime<Utc>) -> Result<usize> {
        let Some(known) = commit_records::versions(&self.store).await?.pop() else { return Ok(0) };
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

/// When a version was committed, as every writer of a Delta log notes it.
fn time_in(info: &Value) -> Option<DateTime<Utc>> {
    info["timestamp"].as_i64().and_then(DateTime::from_timestamp_millis)
}

fn missing_entry(version: u64) -> Error {
    Error::corrupt(format!("version {version} is missing from the log of the events table")).with_help(RUN_CHECK)
}

fn definition() -> TableDefinition {
    let configuration = [
        ("delta.dataSkippingStatsColumns", schema::statistics_columns().join(",")),
        // Commit records are in the entries of the log: another program that checkpoints the table must leave them.
        ("delta.enableExpiredLogCleanup", "false".to_owned()),
    ];
    let configuration = configuration.map(|(key, value)| (key.to_owned(), value)).to_vec();
    TableDefinition { layout: schema::layout(), configuration }
}

#[cfg(test)]
mod tests;
