//! What a batch of rows is by itself, whatever came before it: values in their one spelling, which rows are no events,
//! what the others say of orders, and the columns that are stored. Batches are checked side by side, so nothing here may
//! remember one. Must not know persons.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::Schema;
use chrono::DateTime;

use super::canonical;
use super::dead_letters::{Fault, render_rows};
use super::identifiers::{Identifiers, identifier_fault, without_long};
use super::input_columns::{InputColumns, Texts};
use super::json_text;
use super::late_checks::{MAX_JSON_BYTES, MAX_MESSAGE_ID_BYTES};
use super::omissions::Tally;
use super::order_columns::{self, Said};
use super::read::{NAMELESS_TRACK, year_fault};
use crate::error::{Error, Result};
use crate::identity::Rulebook;
use crate::money;
use crate::orders::{MOST_PRODUCTS, Statement};
use crate::settings::{OrderSettings, currency_code, not_a_currency};
use crate::store::dedupe::MessageKey;
use crate::store::events::schema;

/// Event types of the Segment protocol.
const EVENT_TYPES: [&str; 6] = ["track", "identify", "page", "screen", "group", "alias"];
/// Type of rows that have none.
pub(super) const DEFAULT_TYPE: &str = "track";
/// Stored columns that are known when identifiers are numbered, in their order.
pub(super) const NODE: &str = "node";
pub(super) const NUMBERED: [&str; 2] = [NODE, schema::LOAD];

/// Identifiers in the list of one event: nobody has so many at once.
const MOST_IDENTIFIERS: usize = 100;

/// How the rows of one load are checked.
pub(super) struct RowChecker {
    pub(super) rulebook: Arc<Rulebook>,
    pub(super) orders: Arc<OrderSettings>,
    /// In front of the row number in message ids that the source does not give.
    pub(super) message_prefix: String,
    /// Microseconds since 1970.
    pub(super) received_at: i64,
    pub(super) future: FutureLimit,
    /// The rows come from our own readers, whose JSON is JSON and whose numbers were checked already.
    pub(super) checked: bool,
    /// In place of the `source` of every row.
    pub(super) source: Option<Arc<str>>,
}

/// The events of a batch.
pub(super) struct Events {
    /// Rows of the batch, and those that are no events.
    pub(super) read: usize,
    pub(super) faults: Vec<Fault>,
    /// The rows that are events, as they came but for the spelling.
    pub(super) input: RecordBatch,
    pub(super) statements: Vec<Said>,
    pub(super) identifiers: Identifiers,
    pub(super) blocked_order_numbers: Tally,
    /// The columns of [`schema::stored`] without [`NUMBERED`].
    pub(super) stored: Vec<ArrayRef>,
    /// The source gives the message ids of some.
    pub(super) names_messages: bool,
    /// Of these, made while batches are checked side by side.
    keys: Option<Vec<MessageKey>>,
}

impl Events {
    pub(super) fn len(&self) -> usize {
        self.statements.len()
    }

    /// Of the message ids, in the order of the events.
    ///
    /// # Errors
    /// `Internal` when there is no such column.
    pub(super) fn take_keys(&mut self) -> Result<Vec<MessageKey>> {
        if let Some(keys) = self.keys.take() {
            return Ok(keys);
        }
        Ok(self.column("message_id")?.as_string::<i32>().iter().flatten().map(MessageKey::of).collect())
    }

    /// A stored column but [`NUMBERED`].
    ///
    /// # Errors
    /// `Internal` when there is no such column.
    pub(super) fn column(&self, name: &str) -> Result<&ArrayRef> {
        let place = stored_names(&schema::stored()).position(|stored| stored == name);
        let column = place.and_then(|place| self.stored.get(place));
        column.ok_or_else(|| Error::internal(format!("events without a column '{name}'")))
    }

    /// Keeps the events at these places, in their order.
    ///
    /// # Errors
    /// `Internal` for a place where there is none.
    pub(super) fn keep(&mut self, places: &[usize]) -> Result<()> {
        if places.len() == self.len() {
            return Ok(());
        }
        let mut keep = vec![false; self.len()];
        for place in places {
            *keep.get_mut(*place).ok_or_else(|| Error::internal("a place beyond the events"))? = true;
        }
        let mut is_kept = keep.iter();
        self.statements.retain(|_| *is_kept.next().unwrap_or(&false));
        self.identifiers.keep(places);
        // Those of the others are asked for before, or not at all.
        self.keys = None;
        let keep = BooleanArray::from(keep);
        self.input = filter_record_batch(&self.input, &keep)?;
        let filtered: Result<Vec<ArrayRef>, _> = self.stored.iter().map(|column| filter(column, &keep)).collect();
        self.stored = filtered?;
        Ok(())
    }
}

/// Of the stored columns but [`NUMBERED`].
fn stored_names(stored: &Schema) -> impl Iterator<Item = &str> {
    stored.fields().iter().map(|field| field.name().as_str()).filter(|name| !NUMBERED.contains(name))
}

impl RowChecker {
    /// `first_row` is the number in the stream of the batch's first row.
    ///
    /// # Errors
    /// `InvalidInput` for a batch that is not of [`super::input::schema`].
    pub(super) fn check(&self, batch: &RecordBatch, first_row: i64) -> Result<Events> {
        InputColumns::of(batch, first_row)?;
        let read = batch.num_rows();
        let mut input = canonical::spell(batch, self.rulebook.blocked())?;
        let rows = InputColumns::of(&input, first_row)?;
        let mut statements = order_columns::statements(&input)?;
        let (keep, faults) = self.check_rows(&rows, &statements)?;
        if !faults.is_empty() {
            let mut kept = keep.values().iter();
            statements.retain(|_| kept.next().unwrap_or_default());
            // Row numbers must survive the filter for message ids that are made of them.
            let numbers: Int64Array = (0..read).map(|row| Some(rows.row_number(row))).collect();
            input = filter_record_batch(&replace_column(&input, "row", Arc::new(numbers))?, &keep)?;
        }
        let rows = InputColumns::of(&input, first_row)?;
        let identifiers = Identifiers::of(&rows, &self.rulebook)?;
        let mut blocked_order_numbers = Tally::default();
        let stored = self.stored_columns(&rows, &statements, &identifiers, &mut blocked_order_numbers)?;
        let names_messages = rows.message_id.0.null_count() < rows.len();
        let keys = None;
        let mut events = Events {
            read,
            faults,
            statements,
            identifiers,
            blocked_order_numbers,
            stored,
            names_messages,
            keys,
            input,
        };
        if names_messages {
            events.keys = Some(events.take_keys()?);
        }
        Ok(events)
    }

    /// Which rows are events, and what is wrong with the others.
    fn check_rows(&self, rows: &InputColumns<'_>, statements: &[Said]) -> Result<(BooleanArray, Vec<Fault>)> {
        let mut keep = Vec::with_capacity(rows.len());
        let mut faults = Vec::new();
        for (row, statement) in statements.iter().enumerate() {
            let fault = self.fault(rows, row).or_else(|| self.fault_of_statement(rows, row, statement.as_deref()?));
            keep.push(fault.is_none());
            faults.extend(fault.map(|reason| (row, reason)));
        }
        // What a reader rejected or suspected comes with its text; of the others the values are shown.
        let without_text = faults.iter().map(|(row, _)| *row).filter(|row| rows.raw.at(*row).is_none());
        let mut lines = render_rows(rows.batch, without_text)?.into_iter();
        let faults = faults.into_iter().map(|(row, reason)| {
            let raw = rows.raw.at(row).map(str::to_owned).or_else(|| lines.next());
            Fault { row: rows.row_number(row), reason, raw }
        });
        let faults = faults.collect();
        Ok((BooleanArray::from(keep), faults))
    }

    /// Why a row is no event.
    fn fault(&self, rows: &InputColumns<'_>, row: usize) -> Option<String> {
        if let Some(reason) = rows.reject_reason.at(row) {
            return Some(reason.to_owned());
        }
        if rows.ts.is_null(row) {
            return Some("column 'ts': no time is given".to_owned());
        }
        if let Some(reason) = self.future.fault(rows.ts.value(row)).or_else(|| ts_fault(rows.ts.value(row))) {
            return Some(reason);
        }
        if rows.identifiers_of(row).nth(MOST_IDENTIFIERS).is_some() {
            return Some(format!("column 'identifiers': more than {MOST_IDENTIFIERS}"));
        }
        if let Some(text) = rows.currency.at(row).filter(|text| currency_code(text).is_none()) {
            return Some(format!("column 'currency': {}", not_a_currency(text)));
        }
        if let Some(kind) = rows.kind.at(row)
            && !EVENT_TYPES.contains(&kind)
        {
            return Some(format!("column 'type': '{kind}' is not one of {}", EVENT_TYPES.join(", ")));
        }
        if rows.event.at(row).is_none() && rows.kind.at(row).is_none_or(|kind| kind == DEFAULT_TYPE) {
            return Some(format!("column 'event': {NAMELESS_TRACK}"));
        }
        if rows.message_id.at(row).is_some_and(|id| id.len() > MAX_MESSAGE_ID_BYTES) {
            return Some(format!("column 'message_id': longer than {MAX_MESSAGE_ID_BYTES} bytes"));
        }
        if let Some(reason) =
            rows.identifiers_of(row).find_map(|(kind, _)| identifier_fault(self.rulebook.types(), kind))
        {
            return Some(reason);
        }
        let objects = [("properties", rows.properties), ("context", rows.context)];
        let too_long = objects.iter().find(|(_, texts)| texts.at(row).is_some_and(|text| text.len() > MAX_JSON_BYTES));
        if let Some((column, _)) = too_long {
            return Some(format!("column '{column}': longer than {MAX_JSON_BYTES} bytes"));
        }
        if !self.checked
            && let Some(reason) = quantity_fault(rows, row)
        {
            return Some(reason);
        }
        objects.into_iter().find_map(|(column, texts)| {
            let reason = json_text::fault(texts.at(row)?, self.checked)?;
            Some(format!("column '{column}': {reason}"))
        })
    }

    /// Why what a purchase or refund event says of money cannot be kept. Of other events nobody asks for it.
    fn fault_of_statement(&self, rows: &InputColumns<'_>, row: usize, statement: &Statement) -> Option<String> {
        let fault = match (statement.has_too_many_products, statement.too_large) {
            (true, _) => format!("more than {MOST_PRODUCTS} products"),
            (false, what) => format!("{} has more than 14 digits before the point", what?),
        };
        let is_of_orders = rows.event.at(row).is_some_and(|event| self.orders.is_of_orders(event));
        is_of_orders.then(|| format!("column 'properties': {fault}"))
    }

    fn stored_columns(
        &self,
        rows: &InputColumns<'_>,
        statements: &[Said],
        identifiers: &Identifiers,
        blocked: &mut Tally,
    ) -> Result<Vec<ArrayRef>> {
        let of_orders = order_columns::columns(statements)?;
        let column = |name: &str| -> Result<ArrayRef> {
            Ok(match name {
                "message_id" => self.message_ids(rows),
                "received_at" => {
                    let received = vec![self.received_at; rows.len()];
                    Arc::new(TimestampMicrosecondArray::from(received).with_timezone("UTC"))
                }
                "type" => with_default_type(rows),
                "identifiers" => identifiers.column()?,
                "user_id" => without_long(rows.user_id),
                "anonymous_id" => without_long(rows.anonymous_id),
                "order_id" => self.order_numbers(rows, blocked),
                "source" if self.source.is_some() => Arc::new(StringArray::from_iter_values(
                    std::iter::repeat_n(self.source.iter(), rows.len()).flatten(),
                )),
                "quantity" => Arc::new(order_columns::quantities(rows.quantity)),
                "properties" => normalize_json(rows.properties),
                "context" => normalize_json(rows.context),
                name => match schema::ORDER_COLUMNS.iter().position(|column| *column == name) {
                    Some(at) => Arc::clone(&of_orders[at]),
                    // Every other stored column is an input column of the same name and type.
                    None => Arc::clone(rows.batch.column(rows.batch.schema_ref().index_of(name)?)),
                },
            })
        };
        let stored = schema::stored();
        stored_names(&stored).map(column).collect()
    }

    /// Numbers of orders; what names nobody names no order.
    fn order_numbers(&self, rows: &InputColumns<'_>, blocked: &mut Tally) -> ArrayRef {
        let mut is_blocked = |number: &str| {
            let is_blocked = self.rulebook.blocked().contains(number);
            if is_blocked {
                blocked.add(number);
            }
            is_blocked
        };
        let numbers = (0..rows.len()).map(|row| rows.order_id.at(row).filter(|number| !is_blocked(number)));
        Arc::new(numbers.collect::<StringArray>())
    }

    fn message_ids(&self, rows: &InputColumns<'_>) -> ArrayRef {
        let given = rows.message_id;
        if given.0.null_count() == 0 {
            return Arc::new(given.0.clone());
        }
        let ids = (0..rows.len()).map(|row| match given.at(row) {
            Some(id) => id.to_owned(),
            None => format!("{}-{}", self.message_prefix, rows.row_number(row)),
        });
        Arc::new(StringArray::from_iter_values(ids))
    }
}

/// Why no event can have happened then.
fn ts_fault(ts: i64) -> Option<String> {
    year_fault(ts).map(|reason| format!("column 'ts': {reason}"))
}

/// Up to when the time of an event can be true.
pub(super) struct FutureLimit {
    hours: u64,
    /// Microseconds since 1970.
    latest: i64,
    /// What else the sender may do, behind the reason.
    advice: &'static str,
}

impl FutureLimit {
    pub(super) fn new(now: i64, hours: u64, advice: &'static str) -> Self {
        const HOUR: i64 = 3_600_000_000;
        let span = i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(HOUR);
        Self { hours, latest: now.saturating_add(span), advice }
    }

    fn fault(&self, ts: i64) -> Option<String> {
        let is_late = ts > self.latest;
        is_late.then(|| {
            let time = DateTime::from_timestamp_micros(ts).map_or_else(|| ts.to_string(), |time| time.to_rfc3339());
            format!(
                "column 'ts': {time} lies more than {} hours beyond now (setting ingest.max_future_hours){}",
                self.hours, self.advice
            )
        })
    }
}

/// Why the event's own quantity cannot be kept.
fn quantity_fault(rows: &InputColumns<'_>, row: usize) -> Option<String> {
    let units = rows.quantity.is_valid(row).then(|| rows.quantity.value(row))?;
    let stored = money::decimal_from_integer(units, rows.quantity.scale());
    stored.err().map(|reason| format!("column 'quantity': {reason}"))
}

/// A column of JSON texts, each as it is stored.
fn normalize_json(column: Texts<'_>) -> ArrayRef {
    // Nearly all are written so already.
    if column.0.iter().flatten().all(|text| json_text::normalize(text) == text) {
        return Arc::new(column.0.clone());
    }
    Arc::new(column.0.iter().map(|text| text.map(json_text::normalize)).collect::<StringArray>())
}

fn with_default_type(rows: &InputColumns<'_>) -> ArrayRef {
    match rows.kind.0.null_count() {
        0 => Arc::new(rows.kind.0.clone()),
        _ => Arc::new(StringArray::from_iter_values(
            (0..rows.len()).map(|row| rows.kind.at(row).unwrap_or(DEFAULT_TYPE)),
        )),
    }
}

fn replace_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> Result<RecordBatch> {
    let index = batch.schema().index_of(name).map_err(Error::from)?;
    let mut columns = batch.columns().to_vec();
    columns[index] = column;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
