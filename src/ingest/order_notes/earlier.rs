//! What earlier loads hold of a load's orders: without it a refund of last month's order would look like one below 0.

use std::sync::Arc;

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, Decimal128Type, Int64Type, TimestampMicrosecondType};
use object_store::ObjectStore;

use super::held::Key;
use super::{DAY_MICROSECONDS, Named, OrderNotes};
use crate::error::{Error, RUN_CHECK, Result};
use crate::ingest::order_columns;
use crate::orders::Statement;
use crate::store::events::{FoundRows, ReadLimit, WantedOrders, rows_of_orders};
use crate::workspace::Snapshot;

/// A load into a large workspace reads so much of it, and not more.
const LIMIT: ReadLimit = ReadLimit { files: 2_000, rows: 5_000_000, found: 200_000 };

/// What is read of an event: what tells its order, and what its statement is read from. Its amount is read as it was
/// stored: the quantity that it was computed of had more digits than are stored of it.
const COLUMNS: [&str; 17] = [
    "message_id",
    "ts",
    "received_at",
    "type",
    "event",
    "node",
    "source",
    "brand",
    "store_id",
    "order_id",
    "revenue",
    "cost",
    "currency",
    "product_id",
    "quantity",
    "properties",
    "stated_amount",
];

impl OrderNotes {
    /// Takes in what the state before the load holds of the orders. What cannot be known is said by the notes.
    pub(in crate::ingest) async fn look_back(&mut self, store: Arc<dyn ObjectStore>, before: &Snapshot) {
        let wanted = self.wanted();
        if wanted.numbers.is_empty() && wanted.nodes.is_empty() {
            return;
        }
        let in_log = before.hot.parts().iter().map(|part| wanted.among(&part.rows));
        let in_log: Result<Vec<RecordBatch>> = in_log.collect();
        let files = Arc::clone(&before.events.files);
        // A damaged file may make the decoder panic, and the load is committed already.
        let found = tokio::spawn(async move { rows_of_orders(&store, &files, Arc::new(wanted), LIMIT).await });
        let found = found.await.map_err(|error| Error::internal(format!("reading earlier loads: {error}")));
        let taken = found.flatten().and_then(|found| match found {
            FoundRows::All(batches) => {
                batches.iter().chain(&in_log?).try_for_each(|batch| self.take_in(batch)).map(|()| None)
            }
            FoundRows::TooMany => Ok(Some(format!(
                "that would be more reading than a load may do ({} rows, {} files); SELECT * FROM orders WHERE net < 0 \
                 tells orders below 0",
                LIMIT.rows, LIMIT.files
            ))),
        });
        self.unseen = taken.unwrap_or_else(|error| {
            tracing::warn!(%error, "orders of earlier loads were not looked at");
            Some(error.to_string())
        });
    }

    fn wanted(&self) -> WantedOrders {
        let names = self.settings.purchase_events.iter().chain(&self.settings.refund_events);
        let mut wanted =
            WantedOrders { events: names.cloned().collect(), columns: &COLUMNS, ..WantedOrders::default() };
        let (mut from, mut to) = (i64::MAX, i64::MIN);
        for (key, of_key) in self.orders.iter().filter(|(_, of_key)| of_key.is_complete) {
            match key {
                Key::Number(number) => {
                    wanted.numbers.insert(number.clone());
                }
                Key::Day(node, _) => {
                    wanted.nodes.insert(*node);
                    let times = || of_key.events.iter().map(|event| event.ts);
                    from = times().fold(from, i64::min);
                    to = times().fold(to, i64::max);
                }
                // No other event can be of that order.
                Key::Event(_) => {}
            }
        }
        // A local day may have an hour more.
        let reach = DAY_MICROSECONDS * 2;
        wanted.nodes_between = (from.saturating_sub(reach), to.saturating_add(reach));
        wanted
    }

    /// Takes the events of earlier loads that belong to an order of this one.
    fn take_in(&mut self, rows: &RecordBatch) -> Result<()> {
        let columns = StoredColumns(rows);
        let amounts = columns.numbers::<Decimal128Type>("stated_amount")?;
        let statements = order_columns::statements(rows)?;
        let (ids, kinds, events) = (columns.text("message_id")?, columns.text("type")?, columns.text("event")?);
        let (numbers, brands, sources) = (columns.text("order_id")?, columns.text("brand")?, columns.text("source")?);
        let (currencies, products) = (columns.text("currency")?, columns.text("product_id")?);
        let stores = columns.text("store_id")?;
        let (times, received) = (
            columns.numbers::<TimestampMicrosecondType>("ts")?,
            columns.numbers::<TimestampMicrosecondType>("received_at")?,
        );
        let (nodes, quantities) =
            (columns.numbers::<Int64Type>("node")?, columns.numbers::<Decimal128Type>("quantity")?);
        for (row, said) in statements.into_iter().enumerate() {
            let named = Named {
                ts: times.value(row),
                received_at: received.value(row),
                message_id: ids.value(row),
                kind: kinds.value(row),
                event: at(events, row),
                node: nodes.is_valid(row).then(|| nodes.value(row)),
                order_id: at(numbers, row),
                brand: at(brands, row),
                store_id: at(stores, row),
                source: at(sources, row),
                currency: at(currencies, row),
                product_id: at(products, row),
                quantity: quantities.is_valid(row).then(|| quantities.value(row)),
                has_revenue: false,
            };
            let key = self.key_of(&named);
            // Of a node only the days of the load are asked for.
            if let Some(event) = named.event.filter(|_| self.orders.contains_key(&key)) {
                let amount = amounts.is_valid(row).then(|| amounts.value(row));
                let statement = Statement { amount, ..*said.unwrap_or_default() };
                self.hold(key, event, &named, Box::new(statement), true);
            }
        }
        Ok(())
    }
}

fn at(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// Typed access to rows of a data file.
struct StoredColumns<'a>(&'a RecordBatch);

impl<'a> StoredColumns<'a> {
    fn text(&self, name: &str) -> Result<&'a StringArray> {
        self.0.column_by_name(name).and_then(|column| column.as_string_opt()).ok_or_else(|| lacks(name))
    }

    fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> Result<&'a PrimitiveArray<T>> {
        self.0.column_by_name(name).and_then(|column| column.as_primitive_opt()).ok_or_else(|| lacks(name))
    }
}

fn lacks(column: &str) -> Error {
    Error::corrupt(format!("an events file has no column {column} of its type")).with_help(RUN_CHECK)
}
