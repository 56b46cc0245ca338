//! The last statements of each workspace, for `system.queries`.

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::auth::Caller;
use crate::clock::Clock;
use crate::ids::WorkspaceName;

/// Statements kept for each workspace.
const KEPT: usize = 1_000;
/// Bytes of a statement's text that are kept.
const TEXT_BYTES: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryState {
    /// Waits for a place among those that run at once.
    Queued,
    Running,
    Finished,
    Failed,
    /// The client went away before the end.
    Cancelled,
}

impl QueryState {
    pub fn as_str(self) -> &'static str {
        match self {
            QueryState::Queued => "queued",
            QueryState::Running => "running",
            QueryState::Finished => "finished",
            QueryState::Failed => "failed",
            QueryState::Cancelled => "cancelled",
        }
    }
}

/// One row of `system.queries`.
#[derive(Debug, Clone)]
pub struct QueryRecord {
    pub id: Uuid,
    /// Microseconds since 1970.
    pub started_at: i64,
    pub principal: Arc<str>,
    pub statement: String,
    pub state: QueryState,
    pub rows: u64,
    pub bytes: u64,
    pub milliseconds: f64,
    pub error: Option<String>,
}

/// A record that the running statement still writes to.
#[derive(Debug)]
struct Held {
    record: QueryRecord,
    started: Instant,
}

impl Held {
    fn is_over(&self) -> bool {
        !matches!(self.record.state, QueryState::Queued | QueryState::Running)
    }

    /// The record as it is now.
    fn now(&self) -> QueryRecord {
        let mut record = self.record.clone();
        if !self.is_over() {
            record.milliseconds = self.milliseconds();
        }
        record
    }

    fn milliseconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1_000.0
    }
}

/// Oldest first; each is shared with the statement that it tells of.
type Records = VecDeque<Arc<Mutex<Held>>>;

/// Shared by the engine and the streams it handed out.
#[derive(Debug, Clone)]
pub(super) struct History {
    clock: Clock,
    by_workspace: Arc<Mutex<HashMap<WorkspaceName, Records>>>,
}

impl History {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, by_workspace: Arc::default() }
    }

    pub(super) fn records(&self, workspace: &WorkspaceName) -> Vec<QueryRecord> {
        let held = self.by_workspace.lock();
        held.get(workspace).into_iter().flatten().map(|held| held.lock().now()).collect()
    }

    /// Enters a statement, as queued.
    pub(super) fn start(&self, caller: &Caller, statement: &str) -> RunningQuery {
        let mut end = statement.len().min(TEXT_BYTES);
        while !statement.is_char_boundary(end) {
            end -= 1;
        }
        let record = QueryRecord {
            id: self.clock.new_id(),
            started_at: self.clock.now_micros(),
            principal: Arc::clone(&caller.principal),
            statement: statement[..end].to_owned(),
            state: QueryState::Queued,
            rows: 0,
            bytes: 0,
            milliseconds: 0.0,
            error: None,
        };
        let query = Arc::new(Mutex::new(Held { record, started: Instant::now() }));
        let mut held = self.by_workspace.lock();
        let records = held.entry(caller.workspace.clone()).or_default();
        records.push_back(Arc::clone(&query));
        if records.len() > KEPT {
            records.pop_front();
        }
        RunningQuery { query }
    }
}

/// A statement under way; writes into its record how it goes, and its end, however it ends.
#[derive(Debug)]
pub(super) struct RunningQuery {
    query: Arc<Mutex<Held>>,
}

impl RunningQuery {
    /// The statement has got its place.
    pub(super) fn run(&self) {
        self.query.lock().record.state = QueryState::Running;
    }

    /// Counts a batch of the result; returns the rows so far.
    pub(super) fn count(&self, batch: &RecordBatch) -> u64 {
        let record = &mut self.query.lock().record;
        record.rows += batch.num_rows() as u64;
        record.bytes += batch.get_array_memory_size() as u64;
        record.rows
    }

    pub(super) fn finish(&self) {
        self.end(QueryState::Finished, None);
    }

    pub(super) fn fail(&self, error: &dyn Display) {
        self.end(QueryState::Failed, Some(error.to_string()));
    }

    fn end(&self, state: QueryState, error: Option<String>) {
        let mut held = self.query.lock();
        if held.is_over() {
            return;
        }
        held.record.milliseconds = held.milliseconds();
        held.record.state = state;
        held.record.error = error;
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.end(QueryState::Cancelled, None);
    }
}
