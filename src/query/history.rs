//! The last statements of each workspace, for `system.queries`.

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use chrono::Utc;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::auth::Caller;
use crate::ids::WorkspaceName;

/// Statements kept for each workspace.
const KEPT: usize = 1_000;
/// Bytes of a statement's text that are kept.
const TEXT_BYTES: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryState {
    Running,
    Finished,
    Failed,
    /// The client went away before the end.
    Cancelled,
}

impl QueryState {
    pub fn as_str(self) -> &'static str {
        match self {
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

/// Shared by the engine and the streams it handed out.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    by_workspace: Arc<Mutex<HashMap<WorkspaceName, VecDeque<QueryRecord>>>>,
}

impl History {
    pub(super) fn records(&self, workspace: &WorkspaceName) -> Vec<QueryRecord> {
        self.by_workspace.lock().get(workspace).map(|records| records.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn start(&self, caller: &Caller, statement: &str) -> RunningQuery {
        let mut end = statement.len().min(TEXT_BYTES);
        while !statement.is_char_boundary(end) {
            end -= 1;
        }
        let record = QueryRecord {
            id: Uuid::now_v7(),
            started_at: Utc::now().timestamp_micros(),
            principal: Arc::clone(&caller.principal),
            statement: statement[..end].to_owned(),
            state: QueryState::Running,
            rows: 0,
            bytes: 0,
            milliseconds: 0.0,
            error: None,
        };
        let mut held = self.by_workspace.lock();
        let records = held.entry(caller.workspace.clone()).or_default();
        records.push_back(record.clone());
        if records.len() > KEPT {
            records.pop_front();
        }
        RunningQuery { history: self.clone(), workspace: caller.workspace.clone(), started: Instant::now(), record }
    }

    fn put(&self, workspace: &WorkspaceName, record: &QueryRecord) {
        let mut held = self.by_workspace.lock();
        let Some(records) = held.get_mut(workspace) else { return };
        if let Some(place) = records.iter_mut().rev().find(|held| held.id == record.id) {
            *place = record.clone();
        }
    }
}

/// A statement under way; writes its end into the history, however it ends.
#[derive(Debug)]
pub(super) struct RunningQuery {
    history: History,
    workspace: WorkspaceName,
    started: Instant,
    record: QueryRecord,
}

impl RunningQuery {
    pub(super) fn count(&mut self, batch: &RecordBatch) {
        self.record.rows += batch.num_rows() as u64;
        self.record.bytes += batch.get_array_memory_size() as u64;
    }

    pub(super) fn finish(&mut self) {
        self.end(QueryState::Finished, None);
    }

    pub(super) fn fail(&mut self, error: &dyn Display) {
        self.end(QueryState::Failed, Some(error.to_string()));
    }

    fn end(&mut self, state: QueryState, error: Option<String>) {
        if self.record.state != QueryState::Running {
            return;
        }
        self.record.state = state;
        self.record.error = error;
        self.record.milliseconds = self.started.elapsed().as_secs_f64() * 1_000.0;
        self.history.put(&self.workspace, &self.record);
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        self.end(QueryState::Cancelled, None);
    }
}
