//! The columns of a batch as a client has them, to those of events on the way in: by name, in any order, some or all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};

use super::input;
use crate::error::{Error, Result, shown};

/// Columns that only our own readers fill.
const OWN: [&str; 3] = ["row", "reject_reason", "raw"];

/// How the columns of an upload become those of [`input::schema`].
pub struct SentColumns {
    /// Of each column of the input schema, its place in the upload.
    places: Vec<Option<usize>>,
}

impl SentColumns {
    /// # Errors
    /// `InvalidInput` for a column that events do not have, one that is there twice, or one of a type that does not fit.
    pub fn of(schema: &Schema) -> Result<Self> {
        let wanted = input::schema();
        let mut places = vec![None; wanted.fields().len()];
        for (at, field) in schema.fields().iter().enumerate() {
            let place = wanted.index_of(field.name()).ok().filter(|_| !OWN.contains(&field.name().as_str()));
            let place = place.ok_or_else(|| unknown(field.name()))?;
            check_type(field, wanted.field(place))?;
            if places[place].replace(at).is_some() {
                return Err(Error::invalid(format!("column {} is there twice", shown(field.name()))));
            }
        }
        Ok(Self { places })
    }

    /// A batch of [`input::schema`]; what was not sent is NULL.
    ///
    /// # Errors
    /// `InvalidInput` for a value that the column cannot hold.
    pub fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let wanted = input::schema();
        let columns = self.places.iter().zip(wanted.fields()).map(|(place, field)| match place {
            Some(place) => convert(batch.column(*place), field),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
        Ok(RecordBatch::try_new(Arc::clone(&wanted), columns.collect::<Result<_>>()?)?)
    }
}

fn convert(column: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, field.data_type(), &strict)
        .map_err(|error| Error::invalid(format!("column '{}': {error}", field.name())))
}

fn unknown(name: &str) -> Error {
    let wanted = input::schema();
    let names = wanted.fields().iter().map(|field| field.name().as_str()).filter(|name| !OWN.contains(name));
    let names: Vec<&str> = names.collect();
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

/// Whether both are lists whose elements, and the parts of these by their place, are texts or the like.
fn is_list_like(sent: &DataType, wanted: &DataType) -> bool {
    let element = |kind: &DataType| match kind {
        DataType::List(field) | DataType::LargeList(field) => Some(Arc::clone(field)),
        _ => None,
    };
    let (Some(sent), Some(wanted)) = (element(sent), element(wanted)) else { return false };
    match (sent.data_type(), wanted.data_type()) {
        (DataType::Struct(sent), DataType::Struct(wanted)) => {
            sent.len() == wanted.len()
                && sent.iter().zip(wanted).all(|(sent, wanted)| {
                    sent.name() == wanted.name() && is_text(sent.data_type()) && is_text(wanted.data_type())
                })
        }
        (sent, wanted) => is_text(sent) && is_text(wanted),
    }
}

#[cfg(test)]
mod tests;
