//! What is told of one event stream while it goes on: the counters of the server, the line in the log at its end, and one
//! each minute of those that stay open.
//!
//! Must not know how batches are written.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::Instrument;

use crate::metrics::Metrics;
use crate::request::{self, EventCounts, RequestRecord};
use crate::workspace::AppendResult;

/// A stream that stays open says so often what came.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// Belongs to one stream: what it says each minute ends with it.
pub(super) struct StreamReport {
    metrics: Arc<Metrics>,
    record: RequestRecord,
    _lines: JoinSet<()>,
}

impl StreamReport {
    /// Of the stream of the request that this task works for.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        let record = request::current().unwrap_or_default();
        let mut lines = JoinSet::new();
        lines.spawn(say_each_minute(record.clone()).in_current_span());
        Self { metrics, record, _lines: lines }
    }

    /// Counts a batch that is answered.
    pub(super) fn count(&self, result: &AppendResult) {
        let counts = counts_of(result);
        self.metrics.events_ingested.inc_by(counts.kept);
        self.metrics.events_duplicate.inc_by(counts.duplicate);
        self.metrics.events_rejected.inc_by(counts.rejected);
        self.record.count_rows(counts.kept);
        self.record.count_events(counts);
    }
}

/// What a batch changed. One that is answered by its key changed nothing, whatever its first answer says.
fn counts_of(result: &AppendResult) -> EventCounts {
    let AppendResult { position, kept, duplicate, rejected, is_repeated, .. } = *result;
    match is_repeated {
        true => EventCounts { batches: 1, duplicate: kept + duplicate, position, ..EventCounts::default() },
        false => EventCounts { batches: 1, kept, duplicate, rejected, position },
    }
}

async fn say_each_minute(record: RequestRecord) {
    let mut ticks = tokio::time::interval(SAID_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first one is at once.
    ticks.tick().await;
    let mut said = EventCounts::default();
    loop {
        ticks.tick().await;
        let all = record.events().unwrap_or_default();
        let EventCounts { batches, kept, duplicate, rejected, position } = all.since(said);
        said = all;
        if batches > 0 {
            let learned = record.learned();
            let (principal, workspace) = (learned.principal.as_deref(), learned.workspace.as_deref());
            tracing::info!(
                principal,
                workspace,
                batches,
                kept,
                duplicate,
                rejected,
                position,
                "events of the last minute"
            );
        }
    }
}

#[cfg(test)]
mod tests;
