//! `event_catalog`: which events and properties there are to query, with examples.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::context::SessionState;

use super::{literals, view};
use crate::error::Result;
use crate::workspace::Rules;

/// One row an event (property NULL), and one row an event, property and JSON type. Properties that hold personal data by
/// the workspace's settings have no examples.
pub(in crate::query) async fn event_catalog(state: &SessionState, rules: &Rules) -> Result<Arc<dyn TableProvider>> {
    let is_personal = match rules.settings.pii_keys("properties") {
        None => "TRUE".to_owned(),
        Some(keys) if keys.is_empty() => "FALSE".to_owned(),
        Some(keys) => {
            let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
            format!("entry['key'] IN ({})", literals(&keys))
        }
    };
    let sql = format!(
        "SELECT event, CAST(NULL AS TEXT) AS property, CAST(NULL AS TEXT) AS type, count(*) AS rows,
                CAST(NULL AS TEXT[]) AS examples, min(ts) AS first_seen, max(ts) AS last_seen
         FROM (SELECT coalesce(event, type) AS event, ts FROM events) GROUP BY event
         UNION ALL
         SELECT event_name AS event, entry['key'] AS property, entry['type'] AS type, count(*) AS rows,
                CASE WHEN {is_personal} THEN CAST(NULL AS TEXT[]) ELSE first_examples(entry['value']) END AS examples, min(ts) AS first_seen, max(ts) AS last_seen
         FROM (SELECT coalesce(event, type) AS event_name, ts, unnest(json_entries(properties)) AS entry FROM events)
         GROUP BY event_name, entry['key'], entry['type']",
    );
    view(state, &sql).await
}
