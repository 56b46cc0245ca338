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
        let inner =
            Inner { id: Uuid::now_v7(), started: Instant::now(), rows: AtomicU64::new(0), learned: Mutex::default() };
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
