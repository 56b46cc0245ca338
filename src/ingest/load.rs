//! One source of events in, one commit out: all of its rows or none.

use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accept::{Acceptance, Acceptor};
use super::dead_letters::DeadLetters;
use super::order_notes::OrderNotes;
use super::partition::Partitioner;
use crate::auth::Caller;
use crate::error::Result;
use crate::settings::Settings;
use crate::store::events::{FileWriter, LoadRecord, WrittenFile};
use crate::workspace::{BaseCurrency, Commit, Workspace, Workspaces};

/// What is loaded: travels as JSON with a `DoPut` (path `ingest`), too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadRequest {
    /// Name of the source as the user knows it, such as a file's path.
    pub source: String,
    /// Hash of the source's content and of how it is read: the same hash is loaded once.
    pub content_hash: String,
    /// Loads the same content once more, as new events.
    pub again: bool,
    /// The rows come from our own readers in this process, which checked their JSON already.
    #[serde(skip)]
    pub checked: bool,
}

/// Metadata of the message that ends an upload: a stream without it broke off, and nothing of it is loaded.
pub const LOAD_COMPLETE: &[u8] = b"complete";

/// What one load did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadSummary {
    pub read: u64,
    pub kept: u64,
    pub rejected: u64,
    /// The same content was loaded before: nothing was done.
    pub skipped: bool,
    pub seconds: f64,
    /// Version of the events table that holds the rows.
    pub version: u64,
    /// What to know of the orders among the rows, each a sentence with its count.
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

    /// Loads all rows of `batches` (of [`super::input::schema`]) in one commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to the workspace; any error of `batches`. Nothing is loaded then.
    pub async fn load(
        &self,
        caller: &Caller,
        request: LoadRequest,
        batches: BoxStream<'_, Result<RecordBatch>>,
    ) -> Result<LoadSummary> {
        caller.check_can_ingest()?;
        let started = Instant::now();
        // The same content of another source is other events, and no source may claim the content of another.
        let request = match &caller.source {
            Some(source) => LoadRequest { content_hash: format!("{}@{source}", request.content_hash), ..request },
            None => request,
        };
        let workspace = self.workspaces.get(&caller.workspace).await?;
        let writer = workspace.writer().await?;
        let held = workspace.snapshot();
        let again = held.loads.iter().filter(|load| same_content(load, &request)).count();
        if again > 0 && !request.again {
            return Ok(LoadSummary { skipped: true, version: held.events.version, ..Default::default() });
        }
        // The salt keeps the message ids of a repeated load apart from those of the first.
        let content_hash =
            if again == 0 { request.content_hash.clone() } else { format!("{}#{again}", request.content_hash) };
        let mut load = Load::new(&workspace, &self.settings, caller, &request, content_hash);
        workspace.begin_load(&writer);
        let (files, dead_letters) = load.run(batches).await?;
        let identity = workspace.write_identity(&writer, load.id).await?;
        let record = load.record(&request, identity, dead_letters);
        let snapshot = workspace.commit(&writer, Commit { files, record }).await?;
        let seconds = started.elapsed().as_secs_f64();
        drop(writer);
        workspace.checkpoint_identity_if_due(self.settings.identity.checkpoint_nodes).await;
        Ok(LoadSummary { version: snapshot.events.version, seconds, ..load.summary() })
    }
}

fn same_content(load: &LoadRecord, request: &LoadRequest) -> bool {
    load.content_hash.split('#').next() == Some(request.content_hash.as_str())
}

/// A load under way.
struct Load<'a> {
    id: Uuid,
    workspace: &'a Workspace,
    acceptor: Acceptor,
    partitioner: Partitioner,
    dead_letters: DeadLetters,
    content_hash: String,
    read: u64,
    kept: u64,
}

impl<'a> Load<'a> {
    fn new(
        workspace: &'a Workspace,
        settings: &Settings,
        caller: &Caller,
        request: &LoadRequest,
        content_hash: String,
    ) -> Self {
        let rules = &workspace.snapshot().rules;
        let orders = rules.orders(&settings.orders);
        let base = BaseCurrency::new(rules, &orders, workspace.manifest().time_zone);
        Self {
            id: Uuid::now_v7(),
            acceptor: Acceptor::new(Acceptance {
                blocked_values: rules.settings.blocked_values.as_ref().unwrap_or(&settings.identity.blocked_values),
                types: Arc::clone(&rules.types),
                content_hash: &content_hash,
                checked: request.checked,
                source: caller.source.clone(),
                notes: OrderNotes::new(orders, base),
            }),
            partitioner: Partitioner::new(
                FileWriter::new(workspace.store()),
                workspace.manifest().time_zone,
                settings.ingest.buffer_memory.0,
            ),
            dead_letters: DeadLetters::new(&request.source),
            workspace,
            content_hash,
            read: 0,
            kept: 0,
        }
    }

    /// Returns the files and the path of the dead letters, all durable.
    async fn run(
        &mut self,
        mut batches: BoxStream<'_, Result<RecordBatch>>,
    ) -> Result<(Vec<WrittenFile>, Option<String>)> {
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            self.read += batch.num_rows() as u64;
            let accepted = tokio::task::block_in_place(|| {
                self.acceptor.accept(&batch, &mut self.workspace.identity().write(), &mut self.dead_letters)
            })?;
            self.kept += accepted.num_rows() as u64;
            self.partitioner.push(accepted).await?;
        }
        let files = self.partitioner.finish().await?;
        let dead_letters = self.dead_letters.write(self.workspace, self.id).await?;
        Ok((files, dead_letters))
    }

    fn record(&self, request: &LoadRequest, identity: Option<String>, dead_letters: Option<String>) -> LoadRecord {
        LoadRecord {
            source: request.source.clone(),
            content_hash: self.content_hash.clone(),
            kept: self.kept,
            rejected: self.read - self.kept,
            identity,
            dead_letters,
        }
    }

    fn summary(&self) -> LoadSummary {
        let notes = self.acceptor.notes();
        LoadSummary { read: self.read, kept: self.kept, rejected: self.read - self.kept, notes, ..Default::default() }
    }
}
