//! Input rows to stored rows: what is not an event goes to the dead letters, identifiers become a node.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, Int64Builder, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StructBuilder, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, TimestampMicrosecondType};
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;

use super::canonical;
use super::dead_letters::{DeadLetters, render_rows};
use super::json_text;
use super::late_checks::{MAX_IDENTIFIER_BYTES, MAX_MESSAGE_ID_BYTES};
use super::omissions::{Omissions, Tally};
use super::order_columns;
use super::order_notes::{Named, OrderNotes};
use crate::error::{Error, Result};
use crate::identity::{BlockedValues, IdentifierTypes, IdentityGraph, TypeId};
use crate::money;
use crate::orders::Statement;
use crate::settings::{currency_code, not_a_currency};
use crate::store::events::schema;

/// Event types of the Segment protocol.
const EVENT_TYPES: [&str; 6] = ["track", "identify", "page", "screen", "group", "alias"];
/// Type of rows that have none.
const DEFAULT_TYPE: &str = "track";

/// Accepts the rows of one load.
pub(super) struct Acceptor {
    blocked: BlockedValues,
    /// In front of the row number in message ids that the source does not give.
    message_prefix: String,
    received_at: i64,
    future: FutureLimit,
    checked: bool,
    types: Arc<IdentifierTypes>,
    /// In place of the `source` of every row.
    source: Option<Arc<str>>,
    notes: OrderNotes,
    omissions: Omissions,
    next_row: i64,
}

/// How rows are accepted.
pub(super) struct Acceptance {
    pub(super) blocked: BlockedValues,
    pub(super) types: Arc<IdentifierTypes>,
    /// In front of the row number in message ids that the source does not give.
    pub(super) message_prefix: String,
    /// Hours beyond now that an event's time may lie.
    pub(super) max_future_hours: u64,
    /// The rows come from our own readers, which checked their JSON and their numbers already.
    pub(super) checked: bool,
    pub(super) source: Option<Arc<str>>,
    pub(super) notes: OrderNotes,
}

impl Acceptor {
    pub(super) fn new(how: Acceptance) -> Self {
        let received_at = Utc::now().timestamp_micros();
        Self {
            blocked: how.blocked,
            message_prefix: how.message_prefix,
            received_at,
            future: FutureLimit::new(received_at, how.max_future_hours),
            checked: how.checked,
            types: how.types,
            source: how.source,
            notes: how.notes,
            omissions: Omissions::default(),
            next_row: 1,
        }
    }

    /// What was gathered of the orders among the rows.
    pub(super) fn order_notes(&mut self) -> &mut OrderNotes {
        &mut self.notes
    }

    /// What is to be said of identifiers and order numbers, each a sentence with its count.
    pub(super) fn notes_on_names(&self) -> Vec<String> {
        self.omissions.notes()
    }

    /// The events among the rows of `input`, as stored rows.
    pub(super) fn accept(
        &mut self,
        input: &RecordBatch,
        graph: &mut IdentityGraph,
        dead_letters: &mut DeadLetters,
    ) -> Result<RecordBatch> {
        if input.schema() != super::input::schema() {
            return Err(Error::invalid("the batch does not have the columns of an ingest stream"));
        }
        let input = &canonical::spell(input, &self.blocked)?;
        let first_row = self.next_row;
        self.next_row += input.num_rows() as i64;
        let rows = InputColumns::of(input)?.with_first_row(first_row);
        let mut statements = order_columns::statements(input)?;
        let keep = self.check_rows(&rows, &statements, dead_letters)?;
        if keep.true_count() == input.num_rows() {
            return self.store_rows(input, &rows, &statements, graph);
        }
        let mut kept_rows = keep.values().iter();
        statements.retain(|_| kept_rows.next().unwrap_or_default());
        let mut kept = filter_record_batch(input, &keep)?;
        // Row numbers must survive the filter for message ids that are made of them.
        let numbers: Int64Array =
            (0..input.num_rows()).filter(|row| keep.value(*row)).map(|row| Some(rows.row_number(row))).collect();
        kept = replace_column(kept, "row", Arc::new(numbers))?;
        let rows = InputColumns::of(&kept)?;
        self.store_rows(&kept, &rows, &statements, graph)
    }

    /// Which rows are events; the others go to the dead letters.
    fn check_rows(
        &self,
        rows: &InputColumns<'_>,
        statements: &[Statement],
        dead_letters: &mut DeadLetters,
    ) -> Result<BooleanArray> {
        let mut keep = Vec::with_capacity(rows.len());
        let mut faults = Vec::new();
        for (row, statement) in statements.iter().enumerate() {
            let fault = self.fault(rows, row).or_else(|| self.fault_of_statement(rows, row, statement));
            keep.push(fault.is_none());
            faults.extend(fault.map(|reason| (row, reason)));
        }
        // What a reader rejected or suspected comes with its text; of the others the values are shown.
        let without_text = faults.iter().map(|(row, _)| *row).filter(|row| rows.text("raw", *row).is_none());
        let mut lines = render_rows(rows.batch, without_text)?.into_iter();
        for (row, reason) in &faults {
            let number = Some(rows.row_number(*row));
            match rows.text("raw", *row) {
                Some(raw) => dead_letters.push(number, reason, Some(raw))?,
                None => dead_letters.push(number, reason, lines.next().as_deref())?,
            }
        }
        Ok(BooleanArray::from(keep))
    }

    /// Why a row is no event.
    fn fault(&self, rows: &InputColumns<'_>, row: usize) -> Option<String> {
        if let Some(reason) = rows.text("reject_reason", row) {
            return Some(reason.to_owned());
        }
        if rows.ts.is_null(row) {
            return Some("column 'ts': no time is given".to_owned());
        }
        if let Some(reason) = self.future.fault(rows.ts.value(row)) {
            return Some(reason);
        }
        if let Some(text) = rows.text("currency", row).filter(|text| currency_code(text).is_none()) {
            return Some(format!("column 'currency': {}", not_a_currency(text)));
        }
        if let Some(kind) = rows.text("type", row)
            && !EVENT_TYPES.contains(&kind)
        {
            return Some(format!("column 'type': '{kind}' is not one of {}", EVENT_TYPES.join(", ")));
        }
        if rows.text("message_id", row).is_some_and(|id| id.len() > MAX_MESSAGE_ID_BYTES) {
            return Some(format!("column 'message_id': longer than {MAX_MESSAGE_ID_BYTES} bytes"));
        }
        if let Some(reason) =
            rows.identifiers_of(row).find_map(|(kind, value)| identifier_fault(&self.types, kind, value))
        {
            return Some(reason);
        }
        if self.checked {
            return None;
        }
        if let Some(reason) = rows.quantity_fault(row) {
            return Some(reason);
        }
        ["properties", "context"].into_iter().find_map(|column| {
            let text = rows.text(column, row)?;
            let is_object = text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
            (!is_object).then(|| format!("column '{column}': not a JSON object"))
        })
    }

    /// Why what a purchase or refund event says of money cannot be kept. Of other events nobody asks for it.
    fn fault_of_statement(&self, rows: &InputColumns<'_>, row: usize, statement: &Statement) -> Option<String> {
        let what = statement.too_large?;
        let is_of_orders = rows.text("event", row).is_some_and(|event| self.notes.counts(event));
        is_of_orders.then(|| format!("column 'properties': {what} has more than 14 digits before the point"))
    }

    fn store_rows(
        &mut self,
        input: &RecordBatch,
        rows: &InputColumns<'_>,
        statements: &[Statement],
        graph: &mut IdentityGraph,
    ) -> Result<RecordBatch> {
        let (nodes, identifiers) = self.number(rows, graph)?;
        self.omissions.add_rows(rows.len(), nodes.len() - nodes.null_count());
        self.omissions.add_times(rows.ts.values());
        let order_ids = self.order_numbers(rows);
        let message_ids = self.message_ids(rows);
        let quantities = Arc::new(order_columns::quantities(input)?);
        let numbered = Numbered { message_ids: &message_ids, order_ids: &order_ids, nodes: &nodes };
        self.note_orders(rows, &numbered, &quantities, statements);
        let of_orders = order_columns::columns(statements)?;
        let columns: Vec<ArrayRef> = schema::stored()
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                "message_id" => Arc::clone(&message_ids) as ArrayRef,
                "received_at" => {
                    let received = vec![self.received_at; rows.len()];
                    Arc::new(TimestampMicrosecondArray::from(received).with_timezone("UTC"))
                }
                "type" => default_type(rows),
                "node" => Arc::clone(&nodes) as ArrayRef,
                "identifiers" => Arc::clone(&identifiers),
                "order_id" => Arc::clone(&order_ids) as ArrayRef,
                "source" if self.source.is_some() => Arc::new(StringArray::from_iter_values(
                    std::iter::repeat_n(self.source.iter(), rows.len()).flatten(),
                )),
                "quantity" => Arc::clone(&quantities) as ArrayRef,
                "properties" | "context" => normalize_json(rows, field.name()),
                name => match schema::ORDER_COLUMNS.iter().position(|column| *column == name) {
                    Some(at) => Arc::clone(&of_orders[at]),
                    // Every other stored column is an input column of the same name and type.
                    None => input.column_by_name(name).map_or_else(|| Arc::clone(&nodes) as ArrayRef, Arc::clone),
                },
            })
            .collect();
        Ok(RecordBatch::try_new(schema::stored(), columns)?)
    }

    /// Numbers of orders; what names nobody names no order.
    fn order_numbers(&mut self, rows: &InputColumns<'_>) -> Arc<StringArray> {
        let mut blocked = Tally::default();
        let number = |row: usize| {
            let number = rows.text("order_id", row)?;
            let is_blocked = self.blocked.contains(number);
            if is_blocked {
                blocked.add(number);
            }
            (!is_blocked).then_some(number)
        };
        let numbers: StringArray = (0..rows.len()).map(number).collect();
        self.omissions.add_order_numbers(blocked);
        Arc::new(numbers)
    }

    fn note_orders(
        &mut self,
        rows: &InputColumns<'_>,
        numbered: &Numbered<'_>,
        quantities: &Decimal128Array,
        statements: &[Statement],
    ) {
        let Numbered { message_ids, order_ids, nodes } = numbered;
        let revenues = rows.batch.column_by_name("revenue");
        for (row, statement) in statements.iter().enumerate() {
            let named = Named {
                ts: rows.ts.value(row),
                received_at: self.received_at,
                message_id: message_ids.value(row),
                kind: rows.text("type", row).unwrap_or(DEFAULT_TYPE),
                event: rows.text("event", row),
                node: nodes.is_valid(row).then(|| nodes.value(row)),
                order_id: order_ids.is_valid(row).then(|| order_ids.value(row)),
                brand: rows.text("brand", row),
                store_id: rows.text("store_id", row),
                source: self.source.as_deref().or(rows.text("source", row)),
                currency: rows.text("currency", row),
                product_id: rows.text("product_id", row),
                quantity: quantities.is_valid(row).then(|| quantities.value(row)),
                has_revenue: revenues.is_some_and(|column| column.is_valid(row)),
            };
            self.notes.add(named, statement);
        }
    }

    /// The main node of each row, and all usable identifiers of each row.
    fn number(&mut self, rows: &InputColumns<'_>, graph: &mut IdentityGraph) -> Result<(Arc<Int64Array>, ArrayRef)> {
        let mut blocked = Tally::default();
        let mut nodes = Int64Builder::with_capacity(rows.len());
        let element = Field::new("element", DataType::Struct(schema::identifier_fields()), true);
        let fields = StructBuilder::from_fields(schema::identifier_fields(), rows.len());
        let mut lists = ListBuilder::new(fields).with_field(element);
        let mut usable: Vec<(TypeId, &str)> = Vec::new();
        for row in 0..rows.len() {
            usable.clear();
            let columns = [(IdentifierTypes::USER_ID, "user_id"), (IdentifierTypes::ANONYMOUS_ID, "anonymous_id")];
            for (kind, column) in columns {
                if let Some(value) = rows.text(column, row) {
                    self.push_usable(&mut usable, &mut blocked, kind, value);
                }
            }
            for (kind, value) in rows.identifiers_of(row) {
                // `fault` refused rows with unknown types.
                self.push_usable(&mut usable, &mut blocked, self.types.id(kind)?, value);
            }
            let node = graph.add_event(usable.iter().copied())?;
            nodes.append_option(node.map(i64::from));
            append_identifiers(&mut lists, &self.types, &usable);
        }
        self.omissions.add_identifiers(blocked);
        Ok((Arc::new(nodes.finish()), Arc::new(lists.finish())))
    }

    fn push_usable<'a>(&self, usable: &mut Vec<(TypeId, &'a str)>, blocked: &mut Tally, kind: TypeId, value: &'a str) {
        if self.blocked.contains(value) {
            blocked.add(value);
        } else if !usable.contains(&(kind, value)) {
            usable.push((kind, value));
        }
    }

    fn message_ids(&self, rows: &InputColumns<'_>) -> Arc<StringArray> {
        if let Some(given) = rows.texts("message_id")
            && given.null_count() == 0
        {
            return Arc::new(given.clone());
        }
        let ids = (0..rows.len()).map(|row| match rows.text("message_id", row) {
            Some(id) => id.to_owned(),
            None => format!("{}-{}", self.message_prefix, rows.row_number(row)),
        });
        Arc::new(StringArray::from_iter_values(ids))
    }
}

/// What rows are called in store.
struct Numbered<'a> {
    message_ids: &'a StringArray,
    order_ids: &'a StringArray,
    nodes: &'a Int64Array,
}

/// Up to when the time of an event can be true.
struct FutureLimit {
    hours: u64,
    /// Microseconds since 1970.
    latest: i64,
}

impl FutureLimit {
    fn new(now: i64, hours: u64) -> Self {
        const HOUR: i64 = 3_600_000_000;
        let span = i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(HOUR);
        Self { hours, latest: now.saturating_add(span) }
    }

    fn fault(&self, ts: i64) -> Option<String> {
        let is_late = ts > self.latest;
        is_late.then(|| {
            let time = DateTime::from_timestamp_micros(ts).map_or_else(|| ts.to_string(), |time| time.to_rfc3339());
            format!(
                "column 'ts': {time} lies more than {} hours beyond now (setting ingest.max_future_hours); --ts-format says \
                 how times are written",
                self.hours
            )
        })
    }
}

/// A column of JSON texts, each as it is stored.
fn normalize_json(rows: &InputColumns<'_>, column: &str) -> ArrayRef {
    let texts = (0..rows.len()).map(|row| rows.text(column, row).map(json_text::normalize));
    Arc::new(texts.collect::<StringArray>())
}

fn identifier_fault(types: &IdentifierTypes, kind: &str, value: &str) -> Option<String> {
    if let Err(error) = types.id(kind) {
        return Some(format!("column 'identifiers': {error}"));
    }
    (value.len() > MAX_IDENTIFIER_BYTES)
        .then(|| format!("column 'identifiers': a value of type {kind} is longer than {MAX_IDENTIFIER_BYTES} bytes"))
}

fn append_identifiers(lists: &mut ListBuilder<StructBuilder>, types: &IdentifierTypes, usable: &[(TypeId, &str)]) {
    let elements = lists.values();
    for (kind, value) in usable {
        for (index, text) in [types.name(*kind), value].into_iter().enumerate() {
            // The builder was made from `identifier_fields`: two text fields.
            if let Some(builder) = elements.field_builder::<StringBuilder>(index) {
                builder.append_value(text);
            }
        }
        elements.append(true);
    }
    lists.append(true);
}

fn default_type(rows: &InputColumns<'_>) -> ArrayRef {
    match rows.texts("type") {
        Some(given) if given.null_count() == 0 => Arc::new(given.clone()),
        _ => Arc::new(StringArray::from_iter_values(
            (0..rows.len()).map(|row| rows.text("type", row).unwrap_or(DEFAULT_TYPE)),
        )),
    }
}

fn replace_column(batch: RecordBatch, name: &str, column: ArrayRef) -> Result<RecordBatch> {
    let index = batch.schema().index_of(name)?;
    let mut columns = batch.columns().to_vec();
    columns[index] = column;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// Typed access to the columns of an input batch.
struct InputColumns<'a> {
    batch: &'a RecordBatch,
    ts: &'a TimestampMicrosecondArray,
    row: &'a Int64Array,
    quantities: &'a Decimal128Array,
    identifiers: &'a arrow::array::ListArray,
    identifier_types: &'a StringArray,
    identifier_values: &'a StringArray,
    texts: std::collections::HashMap<&'a str, &'a StringArray>,
    first_row: i64,
}

impl<'a> InputColumns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self> {
        let refused = || Error::invalid("the batch does not have the columns of an ingest stream");
        let column = |name: &str| batch.column_by_name(name).ok_or_else(refused);
        let identifiers = column("identifiers")?.as_list_opt::<i32>().ok_or_else(refused)?;
        let elements = identifiers.values().as_struct_opt().ok_or_else(refused)?;
        let mut texts = std::collections::HashMap::new();
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if let Some(text) = column.as_string_opt::<i32>() {
                texts.insert(field.name().as_str(), text);
            }
        }
        Ok(Self {
            ts: column("ts")?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(refused)?,
            row: column("row")?.as_primitive_opt().ok_or_else(refused)?,
            quantities: column("quantity")?.as_primitive_opt().ok_or_else(refused)?,
            identifier_types: elements.column(0).as_string_opt().ok_or_else(refused)?,
            identifier_values: elements.column(1).as_string_opt().ok_or_else(refused)?,
            identifiers,
            texts,
            batch,
            first_row: 1,
        })
    }

    fn with_first_row(mut self, first_row: i64) -> Self {
        self.first_row = first_row;
        self
    }

    fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The row's number in its source, or else in the stream.
    fn row_number(&self, row: usize) -> i64 {
        if self.row.is_null(row) { self.first_row + row as i64 } else { self.row.value(row) }
    }

    fn texts(&self, column: &str) -> Option<&'a StringArray> {
        self.texts.get(column).copied()
    }

    fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let texts = self.texts(column)?;
        (!texts.is_null(row)).then(|| texts.value(row))
    }

    /// Why the event's own quantity cannot be kept.
    fn quantity_fault(&self, row: usize) -> Option<String> {
        let units = self.quantities.is_valid(row).then(|| self.quantities.value(row))?;
        let stored = money::decimal_from_integer(units, self.quantities.scale());
        stored.err().map(|reason| format!("column 'quantity': {reason}"))
    }

    fn identifiers_of(&self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let (kinds, values) = (self.identifier_types, self.identifier_values);
        let range = if self.identifiers.is_null(row) {
            0..0
        } else {
            let offsets = self.identifiers.value_offsets();
            offsets[row] as usize..offsets[row + 1] as usize
        };
        range
            .filter(move |at| !kinds.is_null(*at) && !values.is_null(*at))
            .map(move |at| (kinds.value(at), values.value(at)))
    }
}
