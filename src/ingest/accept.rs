//! Events to stored rows, batch after batch in the order of the load: identifiers become a node, and what is to be said
//! of the load is gathered. What a batch is by itself `check` has found.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};

use super::check::{DEFAULT_TYPE, Events, NODE, NUMBERED};
use super::dead_letters::DeadLetters;
use super::input_columns::{InputColumns, Texts};
use super::omissions::Omissions;
use super::order_columns::Said;
use super::order_notes::{Named, OrderNotes};
use crate::error::{Error, Result};
use crate::identity::{NumberEvents, OriginRef, Seen};
use crate::store::events::schema;

/// Accepts the events of one load.
pub(super) struct Acceptor {
    notes: OrderNotes,
    omissions: Omissions,
}

impl Acceptor {
    pub(super) fn new(notes: OrderNotes) -> Self {
        Self { notes, omissions: Omissions::default() }
    }

    /// What was gathered of the orders among the rows.
    pub(super) fn order_notes(&mut self) -> &mut OrderNotes {
        &mut self.notes
    }

    /// What is to be said of identifiers and order numbers, each a sentence with its count.
    pub(super) fn notes_on_names(&self) -> Vec<String> {
        self.omissions.notes()
    }

    /// The events of a load as stored rows; what is none goes to the dead letters.
    pub(super) fn accept(
        &mut self,
        mut events: Events,
        load: u32,
        graph: &mut impl NumberEvents,
        dead_letters: &mut DeadLetters,
    ) -> Result<RecordBatch> {
        dead_letters.push_faults(&events.faults)?;
        let stored = store_rows(&mut events, Some(load), graph)?;
        let nodes = column(&stored, NODE)?;
        self.omissions.add_rows(nodes.len(), nodes.len() - nodes.null_count());
        self.omissions.add_identifiers(events.identifiers.blocked);
        self.omissions.add_long_identifiers(&events.identifiers.too_long);
        self.omissions.add_order_numbers(events.blocked_order_numbers);
        self.omissions.add_times(column(&stored, "ts")?.as_primitive::<TimestampMicrosecondType>().values());
        self.note_orders(&events.input, &stored, events.statements)?;
        Ok(stored)
    }

    fn note_orders(&mut self, input: &RecordBatch, stored: &RecordBatch, statements: Vec<Said>) -> Result<()> {
        let rows = InputColumns::of(input, 0)?;
        let texts = |name: &str| Ok::<_, Error>(Texts(column(stored, name)?.as_string()));
        let (message_ids, order_ids, sources) = (texts("message_id")?, texts("order_id")?, texts("source")?);
        let nodes: &Int64Array = column(stored, NODE)?.as_primitive();
        let received: &[i64] = column(stored, "received_at")?.as_primitive::<TimestampMicrosecondType>().values();
        let quantities = column(stored, "quantity")?.as_primitive::<Decimal128Type>();
        for (row, said) in statements.into_iter().enumerate() {
            let named = Named {
                ts: rows.ts.value(row),
                received_at: received[row],
                message_id: message_ids.at(row).unwrap_or_default(),
                kind: rows.kind.at(row).unwrap_or(DEFAULT_TYPE),
                event: rows.event.at(row),
                node: nodes.is_valid(row).then(|| nodes.value(row)),
                order_id: order_ids.at(row),
                brand: rows.brand.at(row),
                store_id: rows.store_id.at(row),
                source: sources.at(row),
                currency: rows.currency.at(row),
                product_id: rows.product_id.at(row),
                quantity: quantities.is_valid(row).then(|| quantities.value(row)),
                has_revenue: rows.revenue.is_valid(row),
            };
            self.notes.add(named, said);
        }
        Ok(())
    }
}

/// The events as stored rows, of which nothing is gathered. `load` is `None` for those of a stream.
pub(super) fn store_rows(events: &mut Events, load: Option<u32>, graph: &mut impl NumberEvents) -> Result<RecordBatch> {
    let nodes = number(events, load, graph)?;
    let loads = Int64Array::from(vec![load.map(i64::from); nodes.len()]);
    let schema = schema::stored();
    let mut columns = std::mem::take(&mut events.stored);
    for (name, column) in NUMBERED.into_iter().zip([nodes, loads]) {
        columns.insert(schema.index_of(name)?, Arc::new(column) as ArrayRef);
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// The main node of each row.
fn number(events: &Events, load: Option<u32>, graph: &mut impl NumberEvents) -> Result<Int64Array> {
    let times = events.column("ts")?.as_primitive::<TimestampMicrosecondType>();
    let (sources, kinds) = (Texts(events.column("source")?.as_string()), Texts(events.column("type")?.as_string()));
    let rows = events.identifiers.rows().enumerate();
    let nodes = rows.map(|(row, of_row)| {
        let kind = kinds.at(row).unwrap_or(DEFAULT_TYPE);
        let origin = graph.origin(OriginRef { source: sources.at(row), kind, load });
        let node = graph.add_event(Seen { ts: times.value(row), origin }, of_row)?;
        Ok(node.map(i64::from))
    });
    nodes.collect()
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    Ok(rows.column(rows.schema_ref().index_of(name)?))
}
