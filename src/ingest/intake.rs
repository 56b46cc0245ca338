//! The way of the rows of one load: checked ahead of their turn, numbered in their order, then into the log or into files.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::accept::Acceptor;
use super::check::{Events, FutureLimit, RowChecker};
use super::crowded_values;
use super::dead_letters::DeadLetters;
use super::load::{LoadRequest, LoadSummary};
use super::order_notes::OrderNotes;
use super::repetition::{message_prefix, repetitions};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::identity::{Crowded, Overlay};
use crate::settings::Settings;
use crate::store::events::{LoadRecord, Partitioner, batch_bytes};
use crate::workspace::{BaseCurrency, Load, LoadedFiles, NewEvents, NewRows, Rejected, Snapshot, Workspace, Writer};

/// Batches between those who check, number and write them.
const BATCHES_BETWEEN: usize = 2;

/// What may help a file whose times are read as future ones, where a format can be given with it.
const TIMES_OF_FILES: &str = "; --ts-format says how times are written";

/// Bytes of a load that goes through the log.
const MOST_BYTES_IN_LOG: usize = 32 << 20;

/// The events of each batch, in the order of the batches. While the load takes one, the next ones are checked on all
/// cores: to number identifiers is the only work that must be done in order.
fn check_ahead<'b>(checker: RowChecker, batches: BoxStream<'b, Result<RecordBatch>>) -> BoxStream<'b, Result<Events>> {
    let ahead = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = Arc::new(checker);
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
    checks.buffered(ahead).boxed()
}

/// The way of the rows of one load.
pub(super) struct Intake<'b> {
    events: BoxStream<'b, Result<Events>>,
    acceptor: Acceptor,
    dead_letters: DeadLetters,
    partitioner: Partitioner,
    buffer: usize,
    settings_revision: u64,
    received_at: i64,
}

/// The first events of a load.
pub(super) struct FirstEvents {
    pub(super) events: Vec<Events>,
    /// There are no others.
    pub(super) are_all: bool,
}

/// What became of the rows of a load.
pub(super) struct LoadedRows {
    read: u64,
    kept: u64,
    duplicate: u64,
    acceptor: Acceptor,
    reasons: Vec<String>,
    crowded: Vec<Crowded>,
}

impl<'b> Intake<'b> {
    pub(super) fn new(
        workspace: &Workspace,
        seen: &Snapshot,
        settings: &Settings,
        caller: &Caller,
        request: &LoadRequest,
        batches: BoxStream<'b, Result<RecordBatch>>,
    ) -> Self {
        let now = workspace.clock().now_micros();
        let rules = &seen.rules;
        let orders = rules.orders(&settings.orders);
        let base = BaseCurrency::new(rules, &orders, workspace.manifest().time_zone);
        let checker = RowChecker {
            rulebook: rules.rulebook_on(&settings.identity),
            orders: Arc::new(orders.clone()),
            message_prefix: message_prefix(caller, request, repetitions(seen, request, caller)),
            received_at: now,
            future: FutureLimit::new(now, settings.ingest.max_future_hours, TIMES_OF_FILES),
            checked: request.checked,
            source: caller.source.clone(),
        };
        let buffer = settings.ingest.buffer_memory.0;
        Self {
            events: check_ahead(checker, batches),
            acceptor: Acceptor::new(OrderNotes::new(workspace.name().clone(), orders, base)),
            dead_letters: DeadLetters::new(&request.source, now),
            partitioner: Partitioner::new(workspace.file_writer(), workspace.manifest().time_zone, buffer),
            buffer,
            settings_revision: rules.revision,
            received_at: now,
        }
    }

    /// The first events: all, unless there are more than so many rows or bytes.
    pub(super) async fn read(&mut self, rows: usize) -> Result<FirstEvents> {
        let (mut events, mut read, mut bytes) = (Vec::new(), 0, 0);
        while read < rows && bytes < MOST_BYTES_IN_LOG {
            let Some(next) = self.events.next().await else { return Ok(FirstEvents { events, are_all: true }) };
            let next = next?;
            read += next.read;
            bytes += batch_bytes(&next.input);
            events.push(next);
        }
        Ok(FirstEvents { events, are_all: false })
    }

    /// Makes few rows durable in the log.
    pub(super) async fn append(
        self,
        writer: Writer,
        mut events: Vec<Events>,
        load: LoadRecord,
    ) -> Result<(LoadedRows, Arc<Snapshot>)> {
        let Self { acceptor, dead_letters, settings_revision, received_at, .. } = self;
        let workspace = Arc::clone(writer.workspace());
        let keys: Vec<_> = events.iter_mut().map(Events::take_keys).collect::<Result<_>>()?;
        let keys = keys.concat();
        let (give, loaded) = oneshot::channel();
        let number = move |new: &[usize], overlay: &mut Overlay| {
            let (rows, numbered) = number_few(events, new, overlay, acceptor, dead_letters, load)?;
            // Nobody waits for it where the load broke off.
            let _ = give.send(rows);
            Ok(numbered)
        };
        let number = Box::new(number);
        let batches = vec![keys.len()];
        writer.append(NewEvents { keys, batches, key: None, settings_revision, received_at, number }).await?;
        let loaded = loaded.await.map_err(|_| Error::internal("a load was not numbered"))?;
        Ok((loaded, workspace.snapshot()))
    }

    /// Makes many rows durable as files, if `check` finds nothing against it before the commit.
    ///
    /// One thread numbers the rows of the whole load, so that it never waits for its turn between two batches unless others
    /// ask for theirs; the next ones are checked and those before written beside it.
    pub(super) async fn load(
        self,
        load: Load,
        first: Vec<Events>,
        record: LoadRecord,
        check: impl FnOnce(&Snapshot) -> Result<()>,
    ) -> Result<(LoadedRows, Arc<Snapshot>)> {
        let Self { events, acceptor, dead_letters, partitioner, buffer, received_at, .. } = self;
        let (to_number, checked) = mpsc::channel(BATCHES_BETWEEN);
        let (to_write, numbered) = mpsc::channel(BATCHES_BETWEEN);
        let number = record.number;
        let numbering = Numbering { load, number, acceptor, dead_letters, runtime: Handle::current() };
        let number = tokio::task::spawn_blocking(move || numbering.run(checked, to_write));
        let checking = feed(futures::stream::iter(first.into_iter().map(Ok)).chain(events), to_number);
        let (number, read, gathered) = tokio::join!(number, checking, gather(partitioner, numbered));
        // The source's own error first: what it broke off has ended well.
        let read = read?;
        let number = number.map_err(|error| Error::internal(format!("numbering identifiers: {error}")))?;
        let (mut load, mut rows, dead_letters) = number?;
        let (kept, mut partitioner) = gathered?;
        // Not before all is well: what is written of a load that breaks off is of no use.
        let files = load.wait_for(partitioner.finish()).await??;
        (rows.read, rows.kept) = (read, kept);
        let record = rows.completed(record);
        let most_beside = crowded_values::MOST;
        let loaded = LoadedFiles { files, dead_letters, record, received_at, buffer, most_beside };
        let (snapshot, crowded) = load.commit(loaded, check).await?;
        rows.crowded = crowded;
        Ok((rows, snapshot))
    }
}

/// Numbers the new ones of the events of a load that goes through the log.
fn number_few(
    events: Vec<Events>,
    new: &[usize],
    overlay: &mut Overlay,
    mut acceptor: Acceptor,
    mut dead_letters: DeadLetters,
    load: LoadRecord,
) -> Result<(LoadedRows, NewRows)> {
    let (mut read, mut all, mut rows) = (0, 0, Vec::new());
    let mut places = new.iter().peekable();
    for mut some in events {
        let end = all + some.len();
        let mut of_some = Vec::new();
        while let Some(place) = places.next_if(|place| **place < end) {
            of_some.push(*place - all);
        }
        some.keep(&of_some)?;
        all = end;
        read += some.read as u64;
        rows.push(acceptor.accept(some, load.number, overlay, &mut dead_letters)?);
    }
    let crowded = overlay.crowded(crowded_values::MOST);
    let reasons = dead_letters.first_reasons();
    let (kept, duplicate) = (new.len() as u64, (all - new.len()) as u64);
    let loaded = LoadedRows { read, kept, duplicate, acceptor, reasons: reasons.clone(), crowded };
    let load = loaded.completed(load);
    let rejected = vec![Rejected { rows: load.rejected, reasons, dead_letters: dead_letters.take()? }];
    Ok((loaded, NewRows { rows, rejected, load: Some(load) }))
}

/// Numbers the rows of a load that is written as files.
struct Numbering {
    load: Load,
    /// Of the load.
    number: u32,
    acceptor: Acceptor,
    dead_letters: DeadLetters,
    runtime: Handle,
}

impl Numbering {
    /// Numbers the identifiers of batches until there are no more, or nobody takes them. Gives what became of the rows,
    /// not counted yet, and the rejected ones.
    fn run(
        mut self,
        mut checked: mpsc::Receiver<Events>,
        numbered: mpsc::Sender<RecordBatch>,
    ) -> Result<(Load, LoadedRows, Vec<RecordBatch>)> {
        let runtime = self.runtime.clone();
        let mut duplicate = 0;
        while let Some(mut events) = runtime.block_on(self.load.wait_for(checked.recv()))? {
            runtime.block_on(self.load.take_turn())?;
            duplicate += self.leave_out_duplicates(&mut events)?;
            let rows = self.acceptor.accept(events, self.number, &mut self.load.numbers()?, &mut self.dead_letters)?;
            runtime.block_on(self.load.store_numbers_if_many())?;
            if runtime.block_on(self.load.wait_for(numbered.send(rows)))?.is_err() {
                break;
            }
        }
        let reasons = self.dead_letters.first_reasons();
        let rows = LoadedRows { read: 0, kept: 0, duplicate, acceptor: self.acceptor, reasons, crowded: Vec::new() };
        Ok((self.load, rows, self.dead_letters.take()?))
    }

    /// Message ids that the load makes up itself are new: it is known by its content.
    fn leave_out_duplicates(&mut self, events: &mut Events) -> Result<u64> {
        if !events.names_messages {
            return Ok(0);
        }
        let (keys, before) = (events.take_keys()?, events.len());
        let new = self.runtime.clone().block_on(self.load.new_places(&keys))?;
        events.keep(&new)?;
        Ok((before - new.len()) as u64)
    }
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

/// A load that begins: nothing of it is counted yet.
pub(super) fn record_of(request: &LoadRequest, caller: &Caller, number: u32, repetition: u64) -> LoadRecord {
    LoadRecord {
        number,
        source: request.source.clone(),
        content_hash: request.content_hash.clone(),
        file_hash: request.file_hash.clone(),
        token_source: caller.source.as_deref().map(str::to_owned),
        repetition,
        kept: 0,
        duplicate: 0,
        rejected: 0,
    }
}

impl LoadedRows {
    fn rejected(&self) -> u64 {
        self.read - self.kept - self.duplicate
    }

    fn completed(&self, record: LoadRecord) -> LoadRecord {
        LoadRecord { kept: self.kept, duplicate: self.duplicate, rejected: self.rejected(), ..record }
    }

    /// What to know of the rows' identifiers and orders, by all that was known `before` and what the load brought.
    pub(super) async fn notes(&mut self, workspace: &Workspace, before: &Snapshot, after: &Snapshot) -> Vec<String> {
        let of_orders = self.acceptor.order_notes();
        of_orders.look_back(workspace.store(), before).await;
        let on_orders = of_orders.finish(|node| after.identity.person_of(node));
        let repetition = of_orders.note_of_repetition();
        let crowded = crowded_values::note(&self.crowded, workspace.name(), &before.rules.settings);
        repetition.into_iter().chain(crowded).chain(self.acceptor.notes_on_names()).chain(on_orders).collect()
    }

    pub(super) fn summary(&self) -> LoadSummary {
        LoadSummary {
            read: self.read,
            kept: self.kept,
            duplicate: self.duplicate,
            rejected: self.rejected(),
            reasons: self.reasons.clone(),
            ..Default::default()
        }
    }
}
