//! The columns of a batch as a client has them, to those of events on the way in: by name, in any order, some or all.
//!
//! Values go the way of those of a Parquet file: what is wrong with one rejects its row alone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use chrono_tz::Tz;

use super::expanded_size::expanded_bytes;
use super::input;
use super::read::{
    AMOUNTS, IdentifierColumns, PREVIOUS_ID, QUANTITIES, Rejects, TimeParser, category_array, decimal_array,
    identifier_array, identifier_places, is_previous_id, time_array,
};
use crate::error::{Error, Result, shown};
use crate::workspace::MOST_EVENTS;

/// Columns that only our own readers fill.
const OWN: [&str; 3] = ["row", "reject_reason", "raw"];

/// Of these, the last ones, which say what is wrong with a row.
const OF_REJECTED: [&str; 2] = ["reject_reason", "raw"];

/// The one column that each event must have a value in.
const TIME: &str = "ts";

const KIND: &str = "type";
const IDENTIFIERS: &str = "identifiers";

/// Bytes of a batch's columns as plain texts, numbers and lists, at most: those of a message without dictionaries and views.
const MOST_BYTES: usize = 64 << 20;

/// How the columns of an upload become those of [`input::schema`].
pub struct SentColumns {
    /// Of each column of the input schema, its place in the upload.
    places: Vec<Option<usize>>,
    /// The place of what an alias links its user to, which becomes one of the identifiers.
    previous: Option<usize>,
}

impl SentColumns {
    /// # Errors
    /// `InvalidInput` for a column that events do not have, one that is there twice, or one of a type that does not fit; and
    /// where there are no times, without which no row is an event.
    pub fn of(schema: &Schema) -> Result<Self> {
        let wanted = input::schema();
        let mut places = vec![None; wanted.fields().len()];
        let mut previous = None;
        let twice = |field: &Field| Error::invalid(format!("column {} is there twice", shown(field.name())));
        for (at, field) in schema.fields().iter().enumerate() {
            if is_previous_id(field.name()) {
                check_type(field, &Field::new(field.name(), DataType::Utf8, true))?;
                if previous.replace(at).is_some() {
                    return Err(twice(field));
                }
                continue;
            }
            let place = wanted.index_of(field.name()).ok().filter(|_| !OWN.contains(&field.name().as_str()));
            let place = place.ok_or_else(|| unknown(field.name()))?;
            check_type(field, wanted.field(place))?;
            if places[place].replace(at).is_some() {
                return Err(twice(field));
            }
        }
        if wanted.index_of(TIME).is_ok_and(|place| places[place].is_none()) {
            return Err(Error::invalid(format!(
                "events need a column '{TIME}', a timestamp with a zone: when each of them happened"
            )));
        }
        Ok(Self { places, previous })
    }

    /// A batch of [`input::schema`]; what was not sent is NULL, and a row with a value that its column cannot hold is
    /// rejected.
    ///
    /// # Errors
    /// `InvalidInput` for a batch that is too large.
    pub fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        check_row_count(batch.num_rows())?;
        check_bytes(batch)?;
        let wanted = input::schema();
        let mut rejects = Rejects::default();
        let places = self.places.iter().zip(wanted.fields());
        let columns = places.filter(|(_, field)| !OF_REJECTED.contains(&field.name().as_str()));
        let columns = columns.map(|(place, field)| {
            let sent = place.map(|at| batch.column(at)).filter(|column| *column.data_type() != DataType::Null);
            match sent {
                sent if field.name() == IDENTIFIERS && (sent.is_some() || self.previous.is_some()) => {
                    self.identifiers(sent, batch, &mut rejects)
                }
                Some(sent) => convert(sent, field, &mut rejects),
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            }
        });
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        rejects.finish(columns, batch)
    }

    /// Those of a list, if one was sent, and what aliases link their users to.
    fn identifiers(&self, list: Option<&ArrayRef>, batch: &RecordBatch, rejects: &mut Rejects) -> Result<ArrayRef> {
        let list = list.map(|list| cast(IDENTIFIERS, list, &pairs_of_texts(list.data_type()))).transpose()?;
        let [name, _] = PREVIOUS_ID;
        let previous = self.previous.map(|at| cast(name, batch.column(at), &DataType::Utf8)).transpose()?;
        let columns = IdentifierColumns {
            list: list.as_ref().map(|list| (IDENTIFIERS, list)),
            singles: Vec::new(),
            previous: previous.as_ref().map(|previous| (name, previous)),
        };
        let kinds = match self.places[input::schema().index_of(KIND)?] {
            Some(at) if previous.is_some() => cast(KIND, batch.column(at), &DataType::Utf8)?.as_string::<i32>().clone(),
            // The types of the events are asked for where there is a previous identifier.
            _ => StringArray::new_null(batch.num_rows()),
        };
        identifier_array(&columns, &kinds, rejects)
    }
}

/// # Errors
/// `InvalidInput` for more rows than a batch may have.
pub(super) fn check_row_count(rows: usize) -> Result<()> {
    match rows > MOST_EVENTS {
        true => Err(Error::invalid(format!("a batch of {rows} rows: send at most {MOST_EVENTS} in one"))),
        false => Ok(()),
    }
}

/// Before anything is made of the columns: a message of a megabyte may stand for many gigabytes.
fn check_bytes(batch: &RecordBatch) -> Result<()> {
    let bytes = expanded_bytes(batch);
    match bytes > MOST_BYTES {
        true => Err(Error::invalid(format!(
            "a batch of {bytes} bytes without dictionaries and views: send at most {MOST_BYTES} in one, in fewer rows"
        ))),
        false => Ok(()),
    }
}

fn convert(column: &ArrayRef, field: &Field, rejects: &mut Rejects) -> Result<ArrayRef> {
    let name = field.name().as_str();
    match name {
        // A column of times has a zone: they are instants, and the parser's own zone is not asked for.
        "ts" => time_array(name, column, false, &TimeParser::new(Tz::UTC, None)?, rejects),
        "revenue" | "cost" => decimal_array(name, column, &AMOUNTS, rejects),
        "quantity" => decimal_array(name, column, &QUANTITIES, rejects),
        "category" => category_array(&[(name, &cast(name, column, field.data_type())?)], column.len()),
        _ => cast(name, column, field.data_type()),
    }
}

fn cast(name: &str, column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, wanted, &strict).map_err(|error| Error::invalid(format!("column '{name}': {error}")))
}

/// Lists like these of (type, value) structs, with plain texts in the order that they have. Elements may lack their type
/// or their value, as where a program has a customer without an e-mail.
fn pairs_of_texts(sent: &DataType) -> DataType {
    let sent = element(sent);
    let fields = match sent.as_deref().map(Field::data_type) {
        Some(DataType::Struct(fields)) => fields.clone(),
        _ => input::identifier_fields(),
    };
    let fields: Fields = fields.iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect();
    DataType::List(Arc::new(Field::new("element", DataType::Struct(fields), true)))
}

fn unknown(name: &str) -> Error {
    let wanted = input::schema();
    let names = wanted.fields().iter().map(|field| field.name().as_str()).filter(|name| !OWN.contains(name));
    let [previous, _] = PREVIOUS_ID;
    let names: Vec<&str> = names.chain([previous]).collect();
    Error::invalid(format!(
        "events have no column {}: their columns are {}; what else is to be kept goes into properties as JSON",
        shown(name),
        names.join(", ")
    ))
}

fn check_type(sent: &Field, wanted: &Field) -> Result<()> {
    let fits = match (sent.data_type(), wanted.data_type()) {
        (DataType::Null, _) => true,
        (DataType::Dictionary(_, values), DataType::Utf8) => is_text(values),
        (sent, DataType::Utf8) => is_text(sent),
        (DataType::Timestamp(_, None), DataType::Timestamp(..)) => {
            return Err(Error::invalid(format!(
                "column '{}' has times without a zone: give them one, such as UTC",
                sent.name()
            )));
        }
        (DataType::Timestamp(..), DataType::Timestamp(..)) => true,
        (sent, DataType::Decimal128(..)) => sent.is_numeric(),
        (sent, wanted) => sent.equals_datatype(wanted) || is_list_like(sent, wanted),
    };
    if fits {
        return Ok(());
    }
    Err(Error::invalid(format!("column '{}' has type {}: send {}", sent.name(), sent.data_type(), wanted.data_type())))
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// What the elements of a list are; `None` for what is none.
fn element(list: &DataType) -> Option<FieldRef> {
    match list {
        DataType::List(field) | DataType::LargeList(field) => Some(Arc::clone(field)),
        _ => None,
    }
}

/// Whether both are lists whose elements are texts, or identifiers of two texts.
fn is_list_like(sent: &DataType, wanted: &DataType) -> bool {
    let (Some(sent), Some(wanted)) = (element(sent), element(wanted)) else { return false };
    match (sent.data_type(), wanted.data_type()) {
        (DataType::Struct(sent), DataType::Struct(wanted)) => {
            sent.len() == wanted.len()
                && identifier_places(sent).is_some()
                && sent.iter().all(|part| is_text(part.data_type()))
        }
        (sent, wanted) => is_text(sent) && is_text(wanted),
    }
}

#[cfg(test)]
mod tests;
