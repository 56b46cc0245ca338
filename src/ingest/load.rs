//! One source of events in, one commit out: all of its rows or none.

use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::intake::{Intake, record_of};
use super::repetition::{repeats, repetitions};
use super::stream::EventStream;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::workspace::{DataKind, Snapshot, Workspaces};

/// What is loaded: travels as JSON with a `DoPut` (path `ingest`), too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadRequest {
    /// Name of the source as the user knows it, such as a file's path.
    pub source: String,
    /// Hash of the source's content and of how it is read: the same hash is loaded once.
    pub content_hash: String,
    /// Hash of a file's bytes alone: read in another way they would be the same rows once more.
    #[serde(default)]
    pub file_hash: Option<String>,
    /// Loads the same content once more, as new events.
    pub again: bool,
    /// The rows come from our own readers in this process, which checked their JSON already.
    #[serde(skip)]
    pub checked: bool,
}

/// Rows of a load that go through the log; a larger one is written as files.
const MOST_ROWS_IN_LOG: usize = 50_000;

/// Metadata of the message that ends an upload: a stream without it broke off, and nothing of it is loaded.
pub const LOAD_COMPLETE: &[u8] = b"complete";

/// Name of the action that asks a server for [`LoadConditions`].
pub const LOAD_CONDITIONS: &str = "LoadConditions";

/// What a client that reads files must know of the workspace before it reads: travels as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadConditions {
    /// IANA name of the zone of times that name none.
    pub time_zone: String,
}

/// What one load did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadSummary {
    pub read: u64,
    pub kept: u64,
    /// Rows whose message ids are stored already.
    #[serde(default)]
    pub duplicate: u64,
    pub rejected: u64,
    /// The same content was loaded before: nothing was done.
    pub skipped: bool,
    /// The same file was loaded before under this name and read in another way: nothing was done, and that may not be what
    /// was meant. `skipped` is set, too.
    #[serde(default)]
    pub read_otherwise: Option<String>,
    /// With `read_otherwise`: that load's token was bound to another source than the caller's, or to none.
    #[serde(default)]
    pub of_other_source: bool,
    /// The first reasons of rejected rows, each with its row.
    #[serde(default)]
    pub reasons: Vec<String>,
    pub seconds: f64,
    /// Position of the log: the state of this one and of all later ones shows the rows.
    #[serde(default)]
    pub position: u64,
    /// Version of the events table at that position: its files hold the rows, unless they are in the log as yet.
    pub version: u64,
    /// What to know of the rows' identifiers and orders, each a sentence with its count.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Loads events into workspaces. Cheap to clone.
#[derive(Clone)]
pub struct Loader {
    workspaces: Workspaces,
    settings: Arc<Settings>,
}

impl Loader {
    pub fn new(workspaces: Workspaces, settings: Arc<Settings>) -> Self {
        Self { workspaces, settings }
    }

    /// How files for the caller's workspace are to be read.
    ///
    /// # Errors
    /// `Forbidden` for a caller who may not send events, `InvalidInput` for the workspace of the demo.
    pub async fn conditions(&self, caller: &Caller) -> Result<LoadConditions> {
        caller.check_can_ingest()?;
        let workspace = self.workspaces.get(&caller.workspace).await?;
        workspace.manifest().check_takes(DataKind::Real, workspace.name())?;
        Ok(LoadConditions { time_zone: workspace.manifest().time_zone.name().to_owned() })
    }

    /// Begins to take events of the caller a batch at a time.
    ///
    /// # Errors
    /// `Forbidden` for a caller who may not send events, `InvalidInput` for the workspace of the demo.
    pub async fn stream(&self, caller: &Caller) -> Result<EventStream> {
        caller.check_can_ingest()?;
        let workspace = self.workspaces.get(&caller.workspace).await?;
        workspace.manifest().check_takes(DataKind::Real, workspace.name())?;
        Ok(EventStream::new(workspace, Arc::clone(&self.settings), caller.clone()))
    }

    /// Loads all rows of `batches` (of [`super::input::schema`]) in one commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to the workspace, `InvalidInput` for the workspace of the demo; any error
    /// of `batches`. Nothing is loaded then.
    pub async fn load(
        &self,
        caller: &Caller,
        request: LoadRequest,
        batches: BoxStream<'_, Result<RecordBatch>>,
    ) -> Result<LoadSummary> {
        self.load_kind(caller, request, batches, DataKind::Real).await
    }

    /// The same for events that were made up; only a workspace of the demo takes them.
    ///
    /// # Errors
    /// As for [`Self::load`]; `InvalidInput` for every other workspace.
    pub async fn load_synthetic(
        &self,
        caller: &Caller,
        request: LoadRequest,
        batches: BoxStream<'_, Result<RecordBatch>>,
    ) -> Result<LoadSummary> {
        self.load_kind(caller, request, batches, DataKind::Synthetic).await
    }

    async fn load_kind(
        &self,
        caller: &Caller,
        request: LoadRequest,
        batches: BoxStream<'_, Result<RecordBatch>>,
        kind: DataKind,
    ) -> Result<LoadSummary> {
        caller.check_can_ingest()?;
        let started = Instant::now();
        let workspace = self.workspaces.get(&caller.workspace).await?;
        workspace.manifest().check_takes(kind, workspace.name())?;
        let seen = workspace.snapshot();
        if let Some(summary) = repeats(&seen, &request, caller) {
            return Ok(summary);
        }
        let repetition = repetitions(&seen, &request, caller);
        let mut intake = Intake::new(&workspace, &seen, &self.settings, caller, &request, batches);
        // Checked before its turn comes: others are not held up by a slow source.
        let first = intake.read(MOST_ROWS_IN_LOG).await?;
        workspace.make_room().await?;
        let mut writer = workspace.writer().await?;
        let held = workspace.snapshot();
        if let Some(summary) = repeats(&held, &request, caller) {
            return Ok(summary);
        }
        let number = writer.new_load_number()?;
        let check = |state: &Snapshot| {
            let is_first = state.rules.revision == seen.rules.revision
                && state.loads().all(|load| load.number != number)
                && repetitions(state, &request, caller) == repetition
                && repeats(state, &request, caller).is_none();
            match is_first {
                true => Ok(()),
                false => Err(Error::conflict("settings or the same content came meanwhile: load it again")),
            }
        };
        check(&held)?;
        let record = record_of(&request, caller, number, repetition);
        let is_large = !first.are_all;
        let loaded = match is_large {
            true => intake.load(writer.begin_load(), first.events, record, check).await,
            false => intake.append(writer, first.events, record).await,
        };
        // Also when the log had no room for it.
        workspace.flush_if_due();
        let (mut rows, snapshot) = loaded?;
        let seconds = started.elapsed().as_secs_f64();
        let notes = rows.notes(&workspace, &held, &snapshot).await;
        workspace.checkpoint_identity_if_due(self.settings.identity.checkpoint_nodes).await;
        let (position, version) = (snapshot.position, snapshot.events.version);
        Ok(LoadSummary { position, version, seconds, notes, ..rows.summary() })
    }
}
