//! Identifiers and order numbers that a file holds as floats: a data frame makes floats of a column of integers that has a
//! gap. Where those have no digits for each of the integers, what is read is the number of another.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::super::coerce::{Reason, trimmed};
use super::rejects::Rejects;
use super::typed::text_array;
use crate::error::Result;

/// A column of identifiers as text; rows whose number has lost digits are rejected.
pub fn id_array(name: &str, column: &ArrayRef, rejects: &mut Rejects) -> Result<StringArray> {
    if let Some(floats) = FloatIds::of(column)? {
        for row in 0..column.len() {
            floats.check(row, row, name, rejects);
        }
    }
    text_array(name, column, trimmed)
}

/// The floats of a column of identifiers.
pub struct FloatIds {
    numbers: Float64Array,
    /// Binary digits that a float of the column's type has.
    digits: i32,
}

impl FloatIds {
    /// `None` for a column of another type.
    pub fn of(column: &ArrayRef) -> Result<Option<Self>> {
        let digits = match column.data_type() {
            DataType::Float16 => 11,
            DataType::Float32 => 24,
            DataType::Float64 => 53,
            _ => return Ok(None),
        };
        let widened = cast(column, &DataType::Float64)?;
        Ok(Some(Self { numbers: widened.as_primitive::<Float64Type>().clone(), digits }))
    }

    /// Rejects `row` when the value at `at`, which is its identifier in the column, may be that of another number.
    pub fn check(&self, at: usize, row: usize, name: &str, rejects: &mut Rejects) {
        if let Some(reason) = self.fault(at) {
            let _ = rejects.keep::<()>(row, name, Err(reason));
        }
    }

    fn fault(&self, at: usize) -> Option<Reason> {
        let number = self.numbers.is_valid(at).then(|| self.numbers.value(at))?;
        // The integer behind this bound has the bound for its float.
        let is_exact = number.is_nan() || number.abs() < 2_f64.powi(self.digits);
        (!is_exact).then(|| {
            format!(
                "{number} is a float, which holds whole numbers below 2^{} exactly and no larger ones: write the column as \
                 text or BIGINT (pandas: astype(\"Int64\") or astype(\"string\") before the column is one of floats)",
                self.digits
            )
        })
    }
}
