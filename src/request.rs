//! One request under way: its id, who sent it and what it did, for the log line that is written at its end.
//!
//! Whatever a request runs finds its record by [`current`]. Must not know how requests arrive or how lines are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: RequestRecord;
}

/// What an event stream brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// That were answered.
    pub batches: u64,
    pub kept: u64,
    pub duplicate: u64,
    pub rejected: u64,
    /// The latest one of the answers.
    pub position: u64,
}

impl EventCounts {
    /// What came behind `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            batches: self.batches - before.batches,
            kept: self.kept - before.kept,
            duplicate: self.duplicate - before.duplicate,
            rejected: self.rejected - before.rejected,
            position: self.position,
        }
    }
}

/// What is known of a request so far. Cheap to clone: all clones are one record.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: Uuid,
    started: Instant,
    rows: AtomicU64,
    events: Mutex<Option<EventCounts>>,
    learned: Mutex<Learned>,
}

/// What shows only while a request runs.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    pub workspace: Option<String>,
    pub principal: Option<Arc<str>>,
    /// Kind of the statement, such as `query`.
    pub statement: Option<&'static str>,
    pub text: Option<String>,
}

impl Default for RequestRecord {
    fn default() -> Self {
        let inner = Inner {
            id: Uuid::now_v7(),
            started: Instant::now(),
            rows: AtomicU64::new(0),
            events: Mutex::default(),
            learned: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl RequestRecord {
    pub fn id(&self) -> Uuid {
        self.inner.id
    }

    pub fn elapsed(&self) -> Duration {
        self.inner.started.elapsed()
    }

    pub fn rows(&self) -> u64 {
        self.inner.rows.load(Ordering::Relaxed)
    }

    pub fn learned(&self) -> Learned {
        self.inner.learned.lock().clone()
    }

    /// Rows sent to the client, or changed by it.
    pub fn count_rows(&self, rows: u64) {
        self.inner.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// What an event stream brought so far; `None` for other requests, and before its first answer.
    pub fn events(&self) -> Option<EventCounts> {
        *self.inner.events.lock()
    }

    /// Adds what further batches of an event stream brought.
    pub fn count_events(&self, more: EventCounts) {
        let mut events = self.inner.events.lock();
        let sum = events.get_or_insert_default();
        sum.batches += more.batches;
        sum.kept += more.kept;
        sum.duplicate += more.duplicate;
        sum.rejected += more.rejected;
        // An answer that is given again has that of its time.
        sum.position = sum.position.max(more.position);
    }

    /// Runs `work` so that it finds this record.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }
}

/// The record of the request that this task works for.
pub fn current() -> Option<RequestRecord> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Notes who sent the request.
pub fn identify(workspace: impl ToString, principal: &Arc<str>) {
    if let Some(record) = current() {
        let mut learned = record.inner.learned.lock();
        learned.workspace = Some(workspace.to_string());
        learned.principal = Some(Arc::clone(principal));
    }
}

/// Notes which statement the request plans or runs.
pub fn note_statement(kind: &'static str, text: &str) {
    if let Some(record) = current() {
        let mut learned = record.inner.learned.lock();
        learned.statement = Some(kind);
        learned.text = Some(text.to_owned());
    }
}
