//! Events that come a batch at a time and are answered a batch at a time: each is durable and readable when it is answered.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;

use super::accept::store_rows;
use super::check::{Events, FutureLimit, RowChecker};
use super::dead_letters::{DeadLetters, Fault};
use super::sent_columns::check_row_count;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::identity::{Overlay, Rulebook};
use crate::settings::{OrderSettings, Settings};
use crate::store::dedupe::BatchKey;
use crate::store::events::batch_bytes;
use crate::workspace::{Answer, NewEvents, NewRows, Rejected, Workspace};

/// Bytes of a batch's key at most.
const MAX_KEY_BYTES: usize = 256;

/// Batches of more rows are checked in a thread of their own.
const CHECKED_AT_ONCE: usize = 64;

/// What rejected rows say of where they came from.
const SOURCE: &str = "event stream";

/// The events of one sender. Batches that are sent one after the other become durable in that order.
pub struct EventStream {
    workspace: Arc<Workspace>,
    settings: Arc<Settings>,
    caller: Caller,
    rules: Mutex<Option<Arc<CheckRules>>>,
}

/// What rows are checked by, of one revision of the settings.
struct CheckRules {
    revision: u64,
    rulebook: Arc<Rulebook>,
    orders: Arc<OrderSettings>,
}

/// Batches that are ready to be written.
pub struct CheckedBatches {
    events: NewEvents,
    bytes: usize,
}

impl EventStream {
    pub(super) fn new(workspace: Arc<Workspace>, settings: Arc<Settings>, caller: Caller) -> Self {
        Self { workspace, settings, caller, rules: Mutex::default() }
    }

    /// Checks a batch of [`super::input::schema`]. `key` names it: sent again under this key it gets its first answer.
    ///
    /// # Errors
    /// `InvalidInput` for a batch or a key that is too large.
    pub async fn check(&self, batch: RecordBatch, key: &[u8]) -> Result<CheckedBatches> {
        let key = key_of(key, self.caller.source.as_deref())?;
        let size = batch.num_rows();
        self.check_sized(batch, vec![size], key).await
    }

    /// Checks batches without keys that stand one behind the other in `rows`, each of a size. To do small ones together
    /// costs little more than to do one.
    ///
    /// # Errors
    /// `InvalidInput` when they are too large.
    pub async fn check_together(&self, rows: RecordBatch, sizes: Vec<usize>) -> Result<CheckedBatches> {
        self.check_sized(rows, sizes, None).await
    }

    async fn check_sized(
        &self,
        batch: RecordBatch,
        sizes: Vec<usize>,
        key: Option<BatchKey>,
    ) -> Result<CheckedBatches> {
        let rows = batch.num_rows();
        check_row_count(rows)?;
        let bytes = batch_bytes(&batch);
        let rules = self.rules();
        let received_at = self.workspace.clock().now_micros();
        let checker = RowChecker {
            rulebook: Arc::clone(&rules.rulebook),
            orders: Arc::clone(&rules.orders),
            // Events without an id are new whenever they come.
            message_prefix: self.workspace.clock().new_id().simple().to_string(),
            received_at,
            future: FutureLimit::new(received_at, self.settings.ingest.max_future_hours, ""),
            checked: false,
            source: self.caller.source.clone(),
        };
        let checking = move || checker.check(&batch, 1);
        let mut events = match rows <= CHECKED_AT_ONCE {
            true => checking()?,
            false => {
                let checking = tokio::task::spawn_blocking(checking);
                checking.await.map_err(|error| Error::internal(format!("checking rows: {error}")))??
            }
        };
        let keys = events.take_keys()?;
        let faults = faults_of_batches(&sizes, std::mem::take(&mut events.faults));
        let left_out = std::mem::take(&mut events.identifiers.too_long).into_iter();
        let left_out = left_out.map(|long| Fault { row: long.row, reason: long.reason(), raw: None }).collect();
        let left_out = faults_of_batches(&sizes, left_out);
        let batches = sizes.iter().zip(&faults).map(|(size, faults)| size - faults.len()).collect();
        let number = Box::new(move |new: &[usize], overlay: &mut Overlay| {
            number(events, faults.into_iter().zip(left_out), new, overlay, received_at)
        });
        let events = NewEvents { keys, batches, key, settings_revision: rules.revision, received_at, number };
        Ok(CheckedBatches { events, bytes })
    }

    /// Hands batches over to the writer, behind those that were handed over before; waits while too many wait.
    pub async fn send(&self, batches: CheckedBatches) -> Answer {
        self.workspace.enqueue(batches.events, batches.bytes).await
    }

    fn rules(&self) -> Arc<CheckRules> {
        let newest = self.workspace.snapshot();
        let mut held = self.rules.lock();
        if let Some(rules) = held.as_ref().filter(|rules| rules.revision == newest.rules.revision) {
            return Arc::clone(rules);
        }
        let rules = Arc::new(CheckRules {
            revision: newest.rules.revision,
            rulebook: newest.rules.rulebook_on(&self.settings.identity),
            orders: Arc::new(newest.rules.orders(&self.settings.orders)),
        });
        *held = Some(Arc::clone(&rules));
        rules
    }
}

/// Each source has keys of its own: none may claim the batch of another.
fn key_of(key: &[u8], source: Option<&str>) -> Result<Option<BatchKey>> {
    if key.is_empty() {
        return Ok(None);
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::invalid(format!("a batch key of {} bytes: at most {MAX_KEY_BYTES}", key.len())));
    }
    let text = std::str::from_utf8(key).map_err(|_| Error::invalid("a batch key that is not UTF-8"))?;
    let source = source.map_or_else(|| "-".to_owned(), |source| format!("{}:{source}", source.len()));
    Ok(Some(BatchKey::of(&format!("{source}:{text}"))))
}

/// The faults of each batch, with the rows counted within it; they come in the order of their rows.
fn faults_of_batches(sizes: &[usize], faults: Vec<Fault>) -> Vec<Vec<Fault>> {
    let mut faults = faults.into_iter().peekable();
    let mut before = 0;
    let of_batch = |size: &usize| {
        let end = before + *size as i64;
        let of_it = std::iter::from_fn(|| faults.next_if(|fault| fault.row <= end));
        let of_it = of_it.map(|fault| Fault { row: fault.row - before, ..fault }).collect();
        before = end;
        of_it
    };
    sizes.iter().map(of_batch).collect()
}

fn number(
    mut events: Events,
    // Of each batch its rejected rows, and those of which something is left out.
    faults: impl Iterator<Item = (Vec<Fault>, Vec<Fault>)>,
    new: &[usize],
    overlay: &mut Overlay,
    received_at: i64,
) -> Result<NewRows> {
    let mut rejected = Vec::new();
    for (of_batch, left_out) in faults {
        if of_batch.is_empty() && left_out.is_empty() {
            rejected.push(Rejected::default());
            continue;
        }
        let mut of_it = DeadLetters::new(SOURCE, received_at);
        of_it.push_faults(&of_batch)?;
        of_it.tell(&left_out);
        let (rows, reasons) = (of_batch.len() as u64, of_it.first_reasons());
        rejected.push(Rejected { rows, reasons, dead_letters: of_it.take()? });
    }
    events.keep(new)?;
    let rows = vec![store_rows(&mut events, None, overlay)?];
    Ok(NewRows { rows, rejected, load: None })
}
