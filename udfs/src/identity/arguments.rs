//! The texts of a batch, row by row. A constant is held once, whatever the number of rows. Must not know: what is
//! computed.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

/// The arguments of one call for a batch, all of them texts.
#[derive(Debug)]
pub(super) struct Arguments {
    function: &'static str,
    columns: Vec<(ArrayRef, bool)>,
    pub(super) rows: usize,
}

impl Arguments {
    /// # Errors
    /// When a constant cannot be made a column.
    pub(super) fn new(function: &'static str, values: &[ColumnarValue], rows: usize) -> Result<Self> {
        let columns = values.iter().map(|value| match value {
            ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
            ColumnarValue::Scalar(value) => Ok((value.to_array()?, true)),
        });
        Ok(Self { function, columns: columns.collect::<Result<_>>()?, rows })
    }

    /// The argument at a place from 0.
    ///
    /// # Errors
    /// When there is no text at this place, which planning does not let through.
    pub(super) fn texts(&self, place: usize) -> Result<Texts<'_>> {
        let column = self.columns.get(place);
        match column.and_then(|(array, constant)| Some((array.as_string_opt::<i32>()?, *constant))) {
            Some((array, constant)) => Ok(Texts { array, constant }),
            None => exec_err!("{}: argument {} is no text", self.function, place + 1),
        }
    }

    /// What `make` makes of each text of the first argument; NULL stays NULL.
    ///
    /// # Errors
    /// As [`Arguments::texts`].
    pub(super) fn map(&self, make: impl Fn(&str) -> Option<Cow<'_, str>>) -> Result<ArrayRef> {
        let texts = self.texts(0)?;
        let mut results = StringBuilder::with_capacity(self.rows, texts.array.value_data().len());
        for row in 0..self.rows {
            results.append_option(texts.get(row).and_then(&make));
        }
        Ok(Arc::new(results.finish()))
    }
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    array: &'a StringArray,
    constant: bool,
}

impl<'a> Texts<'a> {
    /// The text of a row; none for NULL.
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let place = if self.constant { 0 } else { row };
        self.array.is_valid(place).then(|| self.array.value(place))
    }
}
