//! `orders` and `order_items`: what marketers count, derived from events by the workspace's rules (SQL.md 1).
//!
//! Lines of one order_id are one order; without an order_id an order is (person, local day), and an event that has
//! neither is an order of its own. `net_base` takes the rate of the order's local day, never that of another day.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::catalog::TableProvider;
use datafusion::execution::context::SessionState;

use super::{literal, literals, view};
use crate::error::Result;
use crate::settings::OrderSettings;

/// One row an order.
pub(in crate::query) async fn view_of_orders(
    state: &SessionState,
    settings: &OrderSettings,
    zone: Tz,
) -> Result<Arc<dyn TableProvider>> {
    let lines = lines_sql(settings, zone);
    let base = literal(&settings.base_currency);
    let zone = literal(zone.name());
    let sql = format!(
        "WITH lines AS ({lines}),
         grouped AS (
           SELECT order_key AS order_id,
                  coalesce(min(ts) FILTER (WHERE NOT is_refund), min(ts)) AS ts,
                  min(person) AS person, min(brand) AS brand, min(channel) AS channel, min(store_id) AS store_id,
                  min(campaign_id) AS campaign_id,
                  CAST(coalesce(sum(revenue) FILTER (WHERE NOT is_refund), 0) AS DECIMAL(18,4)) AS gross,
                  CAST(coalesce(-sum(abs(revenue)) FILTER (WHERE is_refund), 0) AS DECIMAL(18,4)) AS refund,
                  CAST(sum(cost) FILTER (WHERE NOT is_refund) AS DECIMAL(18,4)) AS cost,
                  coalesce(min(currency), {base}) AS currency,
                  CAST(coalesce(sum(order_quantity(properties, quantity)) FILTER (WHERE NOT is_refund), 0)
                       AS DECIMAL(18,4)) AS items
           FROM lines GROUP BY order_key)
         SELECT order_id, ts, CAST(ts AT TIME ZONE {zone} AS DATE) AS day, person, brand, channel, store_id,
                campaign_id, gross, refund, CAST(gross + refund AS DECIMAL(18,4)) AS net, cost, currency,
                net_in_base(CAST(gross + refund AS DECIMAL(18,4)), currency, CAST(ts AT TIME ZONE {zone} AS DATE))
                  AS net_base, items
         FROM grouped"
    );
    view(state, &sql).await
}

/// The purchase and refund events with the key of their order.
fn lines_sql(settings: &OrderSettings, zone: Tz) -> String {
    let refunds = literals(&settings.refund_events);
    let both: Vec<String> = settings.purchase_events.iter().chain(&settings.refund_events).cloned().collect();
    let both = literals(&both);
    let key = order_key(zone);
    format!(
        "SELECT {key} AS order_key, ts, person, brand, channel, store_id, campaign_id, revenue, cost, currency,
                quantity, properties, event IN ({refunds}) AS is_refund
         FROM events WHERE event IN ({both})"
    )
}

fn order_key(zone: Tz) -> String {
    let zone = literal(zone.name());
    format!(
        "CASE WHEN order_id IS NOT NULL THEN order_id
              WHEN person IS NOT NULL
                THEN concat('day:', CAST(CAST(ts AT TIME ZONE {zone} AS DATE) AS TEXT), ':', CAST(person AS TEXT))
              ELSE concat('event:', message_id) END"
    )
}

/// One row a line of a purchase: the elements of its `products`, or else the event itself.
pub(in crate::query) async fn view_of_items(
    state: &SessionState,
    settings: &OrderSettings,
    zone: Tz,
) -> Result<Arc<dyn TableProvider>> {
    let key = order_key(zone);
    let purchases = literals(&settings.purchase_events);
    let sql = format!(
        "WITH lines AS (
           SELECT {key} AS order_key, ts, message_id, person,
                  unnest(order_lines(properties, product_id, category, quantity, revenue, cost)) AS item
           FROM events WHERE event IN ({purchases}))
         SELECT order_key AS order_id,
                CAST(row_number() OVER (PARTITION BY order_key ORDER BY ts, message_id, item['position']) AS BIGINT) AS line,
                ts, person, item['product_id'] AS product_id, item['category'] AS category,
                item['quantity'] AS quantity, item['amount'] AS amount, item['cost'] AS cost
         FROM lines"
    );
    view(state, &sql).await
}
