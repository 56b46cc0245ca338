//! Events that come a batch at a time and are answered a batch at a time: each is durable and readable when it is answered.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;

use super::accept::store_rows;
use super::check::{Events, FutureLimit, RowChecker};
use super::dead_letters::DeadLetters;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::identity::{BlockedValues, IdentifierTypes, Overlay};
use crate::settings::{OrderSettings, Settings};
use crate::store::dedupe::BatchKey;
use crate::store::events::batch_bytes;
use crate::workspace::{Answer, MOST_EVENTS, NewEvents, NewRows, Workspace};

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
    blocked: Arc<BlockedValues>,
    types: Arc<IdentifierTypes>,
    orders: Arc<OrderSettings>,
}

/// A batch that is ready to be written.
pub struct CheckedBatch {
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
    pub async fn check(&self, batch: RecordBatch, key: &[u8]) -> Result<CheckedBatch> {
        let rows = batch.num_rows();
        if rows > MOST_EVENTS {
            return Err(Error::invalid(format!("a batch of {rows} rows: send at most {MOST_EVENTS} in one")));
        }
        let key = key_of(key, self.caller.source.as_deref())?;
        let bytes = batch_bytes(&batch);
        let rules = self.rules();
        let received_at = self.workspace.clock().now_micros();
        let checker = RowChecker {
            blocked: Arc::clone(&rules.blocked),
            types: Arc::clone(&rules.types),
            orders: Arc::clone(&rules.orders),
            // Events without an id are new whenever they come.
            message_prefix: self.workspace.clock().new_id().simple().to_string(),
            received_at,
            future: FutureLimit::new(received_at, self.settings.ingest.max_future_hours),
            checked: false,
            source: self.caller.source.clone(),
        };
        let checking = move || checker.check(&batch, 1);
        let events = match rows <= CHECKED_AT_ONCE {
            true => checking()?,
            false => {
                let checking = tokio::task::spawn_blocking(checking);
                checking.await.map_err(|error| Error::internal(format!("checking rows: {error}")))??
            }
        };
        let keys = events.keys()?;
        let number = Box::new(move |new: &[usize], overlay: &mut Overlay| number(events, new, overlay, received_at));
        let events = NewEvents { keys, batch: key, settings_revision: rules.revision, received_at, number };
        Ok(CheckedBatch { events, bytes })
    }

    /// Hands a batch over to the writer, behind those that were handed over before; waits while too many wait.
    ///
    /// # Errors
    /// `Internal` when the process ends.
    pub async fn send(&self, batch: CheckedBatch) -> Result<Answer> {
        self.workspace.enqueue(batch.events, batch.bytes).await
    }

    fn rules(&self) -> Arc<CheckRules> {
        let newest = self.workspace.snapshot();
        let mut held = self.rules.lock();
        if let Some(rules) = held.as_ref().filter(|rules| rules.revision == newest.rules.revision) {
            return Arc::clone(rules);
        }
        let rules = Arc::new(CheckRules {
            revision: newest.rules.revision,
            blocked: Arc::new(newest.rules.settings.blocked(&self.settings.identity)),
            types: Arc::clone(&newest.rules.types),
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

fn number(mut events: Events, new: &[usize], overlay: &mut Overlay, received_at: i64) -> Result<NewRows> {
    let mut dead_letters = DeadLetters::new(SOURCE, received_at);
    let rejected = events.faults.len() as u64;
    events.keep(new)?;
    let rows = vec![store_rows(&mut events, None, overlay, &mut dead_letters)?];
    let reasons = dead_letters.first_reasons();
    Ok(NewRows { rows, dead_letters: dead_letters.take()?, rejected, reasons, load: None })
}
