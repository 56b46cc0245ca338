//! One source of events in, one commit out: all of its rows or none.

use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use chrono::Utc;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::accept::Acceptor;
use super::check::{Events, FutureLimit, RowChecker};
use super::crowded_values;
use super::dead_letters::DeadLetters;
use super::order_notes::OrderNotes;
use super::partition::Partitioner;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::identity::{Crowded, IdentityGraph};
use crate::settings::Settings;
use crate::store::delta::WrittenFile;
use crate::store::events::{FileWriter, LoadRecord};
use crate::workspace::{BaseCurrency, DataKind, Load, Loads, Snapshot, Workspace, Workspaces};

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

/// Batches between those who check, number and write them.
const BATCHES_BETWEEN: usize = 2;

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
    /// Version of the events table that holds the rows.
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
        let writer = workspace.writer().await?;
        let held = workspace.snapshot();
        let is_same = |load: &&Arc<LoadRecord>| is_of(load, caller) && load.content_hash == request.content_hash;
        let repetition = held.loads.iter().filter(is_same).count() as u64;
        if !request.again && repetition > 0 {
            return Ok(LoadSummary { skipped: true, version: held.events.version, ..Default::default() });
        }
        if !request.again
            && let Some(earlier) = load_of_file(&held.loads, &request, caller)
        {
            return Ok(LoadSummary { version: held.events.version, ..refuse(earlier, caller) });
        }
        let intake = Intake::new(&workspace, &self.settings, caller, &request, repetition);
        let mut load = writer.begin_load()?;
        let mut rows = intake.run(&mut load, batches).await?;
        let id = Uuid::now_v7();
        let dead_letters = rows.dead_letters.write(&workspace, id).await?;
        let record = rows.record(&request, caller, repetition, dead_letters);
        let snapshot = load.commit(id, &rows.files, record).await?;
        let seconds = started.elapsed().as_secs_f64();
        let notes = rows.notes(&workspace, &held, &snapshot).await;
        workspace.checkpoint_identity_if_due(self.settings.identity.checkpoint_nodes).await;
        Ok(LoadSummary { version: snapshot.events.version, seconds, notes, ..rows.summary() })
    }
}

/// Whether a load brought content of the caller's source. The same content of another source is other events, and no
/// source may claim the content of another. A load of which nothing was kept brought nothing: what refused its rows may
/// have changed.
fn is_of(load: &LoadRecord, caller: &Caller) -> bool {
    load.token_source.as_deref() == caller.source.as_deref() && load.kept > 0
}

/// The newest load that kept rows of the same file, one of the caller's source before one of another.
///
/// Whose token it came by does not matter: that two sources send files of equal bytes is rarer than that one file is
/// sent by two tokens, and the first is mended by `--again`, while numbers that doubled in silence are not noticed. What
/// names no file is told apart by its source.
fn load_of_file<'l>(loads: &'l Loads, request: &LoadRequest, caller: &Caller) -> Option<&'l Arc<LoadRecord>> {
    let file = request.file_hash.as_ref()?;
    // Records of before files had a hash say the same of a file that was read in the same way.
    let is_file =
        |load: &Arc<LoadRecord>| load.file_hash.as_ref() == Some(file) || load.content_hash == request.content_hash;
    let of_file = || loads.iter().rev().filter(|load| load.kept > 0 && is_file(load));
    of_file().find(|load| is_of(load, caller)).or_else(|| of_file().next())
}

/// What is said of a file of which `earlier` has the rows.
fn refuse(earlier: &LoadRecord, caller: &Caller) -> LoadSummary {
    let of_other_source = !is_of(earlier, caller);
    // Who may only send events of one source learns nothing of how others name their files.
    let is_secret = of_other_source && caller.check_can_query().is_err();
    let name = if is_secret { "a file of another source".to_owned() } else { earlier.source.clone() };
    LoadSummary { skipped: true, read_otherwise: Some(name), of_other_source, ..Default::default() }
}

/// What message ids begin with that the source does not give: other for every content, token's source and repetition.
fn message_prefix(caller: &Caller, request: &LoadRequest, repetition: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    // Each part says how long it is: no two loads can be the same text in other parts.
    let source = caller.source.as_deref();
    for part in [request.content_hash.as_bytes(), source.unwrap_or_default().as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.update(&[u8::from(source.is_some())]).update(&repetition.to_le_bytes());
    hasher.finalize().to_hex().as_str()[..24].to_owned()
}

/// The events of each batch, in the order of the batches. While the load takes one, the next ones are checked on all
/// cores: to number identifiers is the only work that must be done in order.
fn check_ahead(
    checker: Arc<RowChecker>,
    batches: BoxStream<'_, Result<RecordBatch>>,
) -> impl Stream<Item = Result<Events>> {
    let ahead = std::thread::available_parallelism().map_or(1, usize::from);
    let mut next_row = 1;
    let checks = batches.map(move |batch| {
        let checker = Arc::clone(&checker);
        let first_row = next_row;
        next_row += batch.as_ref().map_or(0, |batch| batch.num_rows() as i64);
        async move {
            let batch = batch?;
            let checking = tokio::task::spawn_blocking(move || checker.check(&batch, first_row));
            checking.await.map_err(|error| Error::internal(format!("checking rows: {error}")))?
        }
    });
    checks.buffered(ahead)
}

/// The way of the rows of one load into files.
struct Intake {
    checker: Arc<RowChecker>,
    acceptor: Acceptor,
    dead_letters: DeadLetters,
    partitioner: Partitioner,
}

/// What became of the rows of a load.
struct LoadedRows {
    read: u64,
    kept: u64,
    /// Durable.
    files: Vec<WrittenFile>,
    acceptor: Acceptor,
    dead_letters: DeadLetters,
    crowded: Vec<Crowded>,
}

impl Intake {
    fn new(
        workspace: &Workspace,
        settings: &Settings,
        caller: &Caller,
        request: &LoadRequest,
        repetition: u64,
    ) -> Self {
        let rules = &workspace.snapshot().rules;
        let orders = rules.orders(&settings.orders);
        let base = BaseCurrency::new(rules, &orders, workspace.manifest().time_zone);
        let now = Utc::now().timestamp_micros();
        Self {
            checker: Arc::new(RowChecker {
                blocked: rules.settings.blocked(&settings.identity),
                types: Arc::clone(&rules.types),
                orders: orders.clone(),
                message_prefix: message_prefix(caller, request, repetition),
                received_at: now,
                future: FutureLimit::new(now, settings.ingest.max_future_hours),
                checked: request.checked,
                source: caller.source.clone(),
            }),
            acceptor: Acceptor::new(OrderNotes::new(workspace.name().clone(), orders, base)),
            dead_letters: DeadLetters::new(&request.source),
            partitioner: Partitioner::new(
                FileWriter::new(workspace.store()),
                workspace.manifest().time_zone,
                settings.ingest.buffer_memory.0,
            ),
        }
    }

    /// One thread numbers the rows of the whole load, so that it never waits for its turn between two batches; the next
    /// ones are checked and those before written beside it.
    async fn run(self, load: &mut Load<'_>, batches: BoxStream<'_, Result<RecordBatch>>) -> Result<LoadedRows> {
        let Self { checker, acceptor, dead_letters, partitioner } = self;
        let (to_number, checked) = mpsc::channel(BATCHES_BETWEEN);
        let (to_write, numbered) = mpsc::channel(BATCHES_BETWEEN);
        let number = load.with_graph(move |graph| number(graph, acceptor, dead_letters, checked, to_write));
        let check = feed(check_ahead(checker, batches), to_number);
        let (number, read, gathered) = tokio::join!(number, check, gather(partitioner, numbered));
        // The source's own error first: what it broke off has ended well.
        let read = read?;
        let (acceptor, dead_letters, crowded) = number??;
        let (kept, mut partitioner) = gathered?;
        // Not before all is well: what is written of a load that breaks off is of no use.
        let files = partitioner.finish().await?;
        Ok(LoadedRows { read, kept, files, acceptor, dead_letters, crowded })
    }
}

/// Numbers the identifiers of batches until there are no more, or nobody takes them.
fn number(
    graph: &mut IdentityGraph,
    mut acceptor: Acceptor,
    mut dead_letters: DeadLetters,
    mut checked: mpsc::Receiver<Events>,
    numbered: mpsc::Sender<RecordBatch>,
) -> Result<(Acceptor, DeadLetters, Vec<Crowded>)> {
    while let Some(events) = checked.blocking_recv() {
        let rows = acceptor.accept(events, graph, &mut dead_letters)?;
        if numbered.blocking_send(rows).is_err() {
            break;
        }
    }
    // Before the load is committed: the graph has the links of this load alone.
    Ok((acceptor, dead_letters, crowded_values::of_load(graph)))
}

/// Hands the events on; gives the number of rows that were read.
async fn feed(events: impl Stream<Item = Result<Events>>, to_number: mpsc::Sender<Events>) -> Result<u64> {
    let mut events = std::pin::pin!(events);
    let mut read = 0;
    while let Some(some) = events.next().await {
        let some = some?;
        read += some.read as u64;
        // Why nobody takes them is told by who should.
        if to_number.send(some).await.is_err() {
            break;
        }
    }
    Ok(read)
}

/// Gathers the rows for their files; gives their number.
async fn gather(mut partitioner: Partitioner, mut numbered: mpsc::Receiver<RecordBatch>) -> Result<(u64, Partitioner)> {
    let mut kept = 0;
    while let Some(rows) = numbered.recv().await {
        kept += rows.num_rows() as u64;
        partitioner.push(rows).await?;
    }
    Ok((kept, partitioner))
}

impl LoadedRows {
    fn record(
        &self,
        request: &LoadRequest,
        caller: &Caller,
        repetition: u64,
        dead_letters: Option<String>,
    ) -> LoadRecord {
        LoadRecord {
            source: request.source.clone(),
            content_hash: request.content_hash.clone(),
            file_hash: request.file_hash.clone(),
            token_source: caller.source.as_deref().map(str::to_owned),
            repetition,
            kept: self.kept,
            rejected: self.read - self.kept,
            // Put in when the load is committed.
            identity: None,
            dead_letters,
        }
    }

    /// What to know of the rows' identifiers and orders, by all that was known `before` and what the load brought.
    async fn notes(&mut self, workspace: &Workspace, before: &Snapshot, after: &Snapshot) -> Vec<String> {
        let of_orders = self.acceptor.order_notes();
        of_orders.look_back(workspace.store(), Arc::clone(&before.events.files)).await;
        let on_orders = of_orders.finish(|node| after.identity.person_of(node));
        let repetition = of_orders.note_of_repetition();
        let blocked = &before.rules.settings.blocked_values;
        let crowded = crowded_values::note(&self.crowded, workspace.name(), blocked);
        repetition.into_iter().chain(crowded).chain(self.acceptor.notes_on_names()).chain(on_orders).collect()
    }

    fn summary(&self) -> LoadSummary {
        LoadSummary {
            read: self.read,
            kept: self.kept,
            rejected: self.read - self.kept,
            reasons: self.dead_letters.first_reasons(),
            ..Default::default()
        }
    }
}
