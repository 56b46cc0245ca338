//! Typed access to the columns of an input batch that are looked into row by row. Must not know what the values mean.

use arrow::array::{
    Array, AsArray, Decimal128Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};

use super::input;
use crate::error::{Error, Result};

pub(super) struct InputColumns<'a> {
    pub(super) batch: &'a RecordBatch,
    pub(super) ts: &'a TimestampMicrosecondArray,
    pub(super) revenue: &'a Decimal128Array,
    pub(super) quantity: &'a Decimal128Array,
    pub(super) message_id: Texts<'a>,
    pub(super) kind: Texts<'a>,
    pub(super) event: Texts<'a>,
    pub(super) anonymous_id: Texts<'a>,
    pub(super) user_id: Texts<'a>,
    pub(super) brand: Texts<'a>,
    pub(super) store_id: Texts<'a>,
    pub(super) order_id: Texts<'a>,
    pub(super) currency: Texts<'a>,
    pub(super) product_id: Texts<'a>,
    pub(super) properties: Texts<'a>,
    pub(super) context: Texts<'a>,
    pub(super) reject_reason: Texts<'a>,
    pub(super) raw: Texts<'a>,
    row: &'a Int64Array,
    identifiers: &'a ListArray,
    identifier_types: Texts<'a>,
    identifier_values: Texts<'a>,
    first_row: i64,
}

/// A column of texts.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a>(pub(super) &'a StringArray);

impl<'a> Texts<'a> {
    pub(super) fn at(self, row: usize) -> Option<&'a str> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

impl<'a> InputColumns<'a> {
    /// `first_row` is the number in the stream of the batch's first row.
    ///
    /// # Errors
    /// `InvalidInput` for a batch that is not of [`input::schema`].
    pub(super) fn of(batch: &'a RecordBatch, first_row: i64) -> Result<Self> {
        let refused = || Error::invalid("the batch does not have the columns of an ingest stream");
        if batch.schema() != input::schema() {
            return Err(refused());
        }
        let column = |name: &str| batch.column_by_name(name).ok_or_else(refused);
        let texts =
            |name: &str| -> Result<Texts<'a>> { Ok(Texts(column(name)?.as_string_opt::<i32>().ok_or_else(refused)?)) };
        let decimals = |name: &str| column(name)?.as_primitive_opt::<Decimal128Type>().ok_or_else(refused);
        let identifiers = column("identifiers")?.as_list_opt::<i32>().ok_or_else(refused)?;
        let elements = identifiers.values().as_struct_opt().ok_or_else(refused)?;
        let part = |at: usize| elements.column(at).as_string_opt::<i32>().map(Texts).ok_or_else(refused);
        Ok(Self {
            batch,
            ts: column("ts")?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(refused)?,
            revenue: decimals("revenue")?,
            quantity: decimals("quantity")?,
            message_id: texts("message_id")?,
            kind: texts("type")?,
            event: texts("event")?,
            anonymous_id: texts("anonymous_id")?,
            user_id: texts("user_id")?,
            brand: texts("brand")?,
            store_id: texts("store_id")?,
            order_id: texts("order_id")?,
            currency: texts("currency")?,
            product_id: texts("product_id")?,
            properties: texts("properties")?,
            context: texts("context")?,
            reject_reason: texts("reject_reason")?,
            raw: texts("raw")?,
            row: column("row")?.as_primitive_opt::<Int64Type>().ok_or_else(refused)?,
            identifiers,
            identifier_types: part(0)?,
            identifier_values: part(1)?,
            first_row,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The row's number in its source, or else in the stream.
    pub(super) fn row_number(&self, row: usize) -> i64 {
        if self.row.is_null(row) { self.first_row + row as i64 } else { self.row.value(row) }
    }

    /// Type and value of what the list of identifiers has.
    pub(super) fn identifiers_of(&self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let (kinds, values) = (self.identifier_types, self.identifier_values);
        let range = if self.identifiers.is_null(row) {
            0..0
        } else {
            let offsets = self.identifiers.value_offsets();
            offsets[row] as usize..offsets[row + 1] as usize
        };
        range.filter_map(move |at| kinds.at(at).zip(values.at(at)))
    }
}
