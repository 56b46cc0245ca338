//! `orders`, `order_entries` and `order_items`: what marketers count, derived from events (SQL.md 1, "Orders").
//!
//! One aggregate over the events of an order gives its sums, its bookings or its items; what else a row says of the
//! order (person, brand, ...) is an aggregate a column, so that a query pays for what it reads.

use std::sync::Arc;

use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::execution::context::SessionState;

use super::refund_prices::{PricedTable, RefundsWithoutPrice};
use super::{literals, plan_sql};
use crate::error::Result;
use crate::query::functions::{ORDER_CATEGORY, ORDER_PRICES, ORDER_SHORT};
use crate::settings::OrderSettings;

/// Name of the events with all stored columns, while the views are planned: no name that a user could write unquoted.
const SOURCE: &str = "order events";

const NAMES: &str = "order_id, order_key";

/// The column of lines that is read for the prices of pieces.
const PRICED_BY: &str = "priced_by";

/// NULL in its place, of the same type.
const NO_TEXT: &str = "CASE WHEN product_id IS NULL THEN product_id END";

/// Columns of `orders` that say nothing of money: whatever a refund takes, they and the number of orders stay.
const ATTRIBUTES: [&str; 9] =
    ["order_id", "order_key", "ts", "day", "person", "brand", "channel", "store_id", "campaign_id"];

/// The three tables, by name.
pub(in crate::query) async fn views(
    state: &SessionState,
    main: &MemorySchemaProvider,
    events: Arc<dyn TableProvider>,
    settings: &OrderSettings,
) -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    main.register_table(SOURCE.to_owned(), events)?;
    let texts = OrderTexts { settings };
    let unpriced = Arc::new(RefundsWithoutPrice::new(plan_sql(state, &texts.some_refund_without_price()).await?));
    let plans = Plans { state, unpriced: &unpriced };
    let lists = [ORDER_SHORT.to_owned(), format!("{ORDER_SHORT}, {ORDER_PRICES}")];
    let orders = plans.priced(lists.each_ref().map(|arguments| texts.orders(arguments))).await?;
    let orders = orders.with_rows_of(ATTRIBUTES).with_keys(&texts.keys());
    let entries = plans.priced(lists.each_ref().map(|arguments| texts.entries(arguments))).await?;
    let items = plans.priced([NO_TEXT, PRICED_BY].map(|priced_by| texts.items(priced_by))).await?;
    main.deregister_table(SOURCE)?;
    Ok(vec![("orders", Arc::new(orders)), ("order_entries", Arc::new(entries)), ("order_items", Arc::new(items))])
}

/// What makes plans of the texts.
struct Plans<'a> {
    state: &'a SessionState,
    unpriced: &'a Arc<RefundsWithoutPrice>,
}

impl Plans<'_> {
    /// The table of a text without the arguments that tell prices, and with them. No statement's planner sees the plans:
    /// DataFusion 55.2 takes the key of the groups for a key of the rows that their lists are unnested to, so that joins
    /// with such a view would lose rows, DISTINCT and ORDER BY columns.
    async fn priced(&self, [short, full]: [String; 2]) -> Result<PricedTable> {
        let (short, full) = (plan_sql(self.state, &short).await?, plan_sql(self.state, &full).await?);
        Ok(PricedTable::new(short, full, Arc::clone(self.unpriced)))
    }
}

/// The SQL of the views.
struct OrderTexts<'a> {
    settings: &'a OrderSettings,
}

impl OrderTexts<'_> {
    /// A row where a refund event names a product without a price. Files and pages without such an event are passed over.
    fn some_refund_without_price(&self) -> String {
        let refunds = literals(&self.settings.refund_events);
        format!("SELECT 1 FROM \"{SOURCE}\" WHERE lacks_price IS NOT NULL AND event IN ({refunds}) LIMIT 1")
    }

    /// Columns of `orders` of which each alone names a row.
    fn keys(&self) -> Vec<&'static str> {
        match self.settings.order_key.part() {
            None => vec!["order_id", "order_key"],
            Some(_) => vec!["order_key"],
        }
    }

    /// The purchase and refund events with the names of their order. Where all pieces are whole ones, the amount tells the
    /// price of each exactly: properties are taken along of other sales alone.
    fn lines(&self) -> String {
        let refunds = literals(&self.settings.refund_events);
        let both: Vec<String> =
            self.settings.purchase_events.iter().chain(&self.settings.refund_events).cloned().collect();
        let both = literals(&both);
        let lines = format!(
            "SELECT order_number(order_id, node, ts, message_id) AS order_id, order_id IS NOT NULL AS has_number,
                    event IN ({refunds}) AS is_refund, states_whole AND order_id IS NOT NULL AS is_whole, ts, received_at,
                    message_id, person, brand, channel, source, store_id, campaign_id, stated_amount, currency,
                    stated_pieces, quantity, stated_cost, lacks_price, product_id, category, products,
                    CASE WHEN event NOT IN ({refunds}) AND (quantity % 1 <> 0 OR stated_pieces % 1 <> 0)
                      THEN properties END AS priced_by
             FROM \"{SOURCE}\" WHERE event IN ({both})"
        );
        match self.settings.order_key.part() {
            None => format!("SELECT *, order_id AS order_key FROM ({lines})"),
            Some(part) => Self::lines_within(&lines, part),
        }
    }

    /// The number counts within `part`; a refund event without it goes to the order of its number where there is one.
    fn lines_within(lines: &str, part: &str) -> String {
        format!(
            "WITH named AS (
               SELECT *, order_within(order_id, CASE WHEN has_number THEN {part} END) AS own_key,
                      is_refund AND {part} IS NULL AS is_homeless
               FROM ({lines})),
             homes AS (
               SELECT order_id AS home_number, min(own_key) AS home_key FROM named WHERE NOT is_homeless
               GROUP BY order_id HAVING count(DISTINCT own_key) = 1)
             SELECT named.*, coalesce(home_key, own_key) AS order_key
             FROM named LEFT JOIN homes ON is_homeless AND home_number = order_id"
        )
    }

    /// The orders, with `columns` of each: attributes, and what the events add up to.
    fn grouped(&self, columns: &str) -> String {
        let lines = self.lines();
        let first = |name: &str| format!("order_first({name}, is_refund, ts, received_at, message_id) AS {name}");
        let attributes = ["person", "brand", "channel", "store_id", "campaign_id"].map(first).join(", ");
        // By the column: an alias of the same name would be one more key.
        let (names, keys) = match self.settings.order_key.part() {
            None => ("order_id, order_id AS order_key", "order_id"),
            Some(_) => (NAMES, NAMES),
        };
        format!("SELECT {names}, {attributes}, {columns} FROM ({lines}) GROUP BY {keys}")
    }

    /// One row an order.
    fn orders(&self, arguments: &str) -> String {
        // Ids tell whole statements of one moment apart; the sums of all else do not depend on its order, and ids are the
        // most of what is held of an event.
        let arguments = arguments.replacen("message_id", "CASE WHEN is_whole THEN message_id END", 1);
        let grouped = self.grouped(&format!(
            "coalesce(min(ts) FILTER (WHERE NOT is_refund), min(ts)) AS ts, order_sums({arguments}) AS sums"
        ));
        format!(
            "SELECT {NAMES}, ts, local_day(ts) AS day, person, brand, channel, store_id, campaign_id,
                    sums['gross'] AS gross, sums['refund'] AS refund, sums['net'] AS net, sums['cost'] AS cost,
                    sums['currency'] AS currency, sums['net_base'] AS net_base, sums['items'] AS items
             FROM (SELECT {NAMES}, ts, person, brand, channel, store_id, campaign_id,
                          order_fits(sums, order_key) AS sums FROM ({grouped}))"
        )
    }

    /// One row a booking.
    fn entries(&self, arguments: &str) -> String {
        let grouped = self.grouped(&format!("order_bookings({arguments}) AS bookings"));
        format!(
            "SELECT {NAMES}, booking['entry'] AS entry, booking['ts'] AS ts, booking['day'] AS day,
                    booking['kind'] AS kind, person, brand, channel, store_id, booking['amount'] AS amount,
                    booking['currency'] AS currency, booking['amount_base'] AS amount_base
             FROM (SELECT {NAMES}, person, brand, channel, store_id, unnest(order_fits(bookings, order_key)) AS booking FROM ({grouped}))"
        )
    }

    /// One row a product of an entry. `priced_by` is the column, or what stands in its place where no refund needs it.
    fn items(&self, priced_by: &str) -> String {
        let prices = ORDER_PRICES.replacen(PRICED_BY, priced_by, 1);
        let grouped = self.grouped(&format!("order_parts({ORDER_SHORT}, {prices}, {ORDER_CATEGORY}) AS parts"));
        format!(
            "SELECT {NAMES}, part['line'] AS line, part['kind'] AS kind, part['ts'] AS ts, person,
                    part['product_id'] AS product_id, part['category'] AS category, part['quantity'] AS quantity,
                    part['amount'] AS amount, part['cost'] AS cost
             FROM (SELECT {NAMES}, person, unnest(order_fits(parts, order_key)) AS part FROM ({grouped}))"
        )
    }
}
