//! `event_catalog`: which events and properties there are to query, with examples.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::context::SessionState;

use super::view;
use crate::error::Result;

/// One row an event (property NULL), and one row an event, property and JSON type.
pub(in crate::query) async fn event_catalog(state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    view(
        state,
        "SELECT event, CAST(NULL AS TEXT) AS property, CAST(NULL AS TEXT) AS type, count(*) AS rows,
                CAST(NULL AS TEXT[]) AS examples, min(ts) AS first_seen, max(ts) AS last_seen
         FROM (SELECT coalesce(event, type) AS event, ts FROM events) GROUP BY event
         UNION ALL
         SELECT event_name AS event, entry['key'] AS property, entry['type'] AS type, count(*) AS rows,
                first_examples(entry['value']) AS examples, min(ts) AS first_seen, max(ts) AS last_seen
         FROM (SELECT coalesce(event, type) AS event_name, ts, unnest(json_entries(properties)) AS entry FROM events)
         GROUP BY event_name, entry['key'], entry['type']",
    )
    .await
}
