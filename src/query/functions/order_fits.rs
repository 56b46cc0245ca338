//! `order_fits(value, order_key)`: what was made of an order; an error that names the order where its amounts do not fit.
//!
//! The aggregates do not know whose events they add up: they give NULL, and this function says of which order.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::error::Error;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OrderFits {
    signature: Signature,
}

impl OrderFits {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for OrderFits {
    fn name(&self) -> &str {
        "order_fits"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DfResult<DataType> {
        Ok(arguments[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let values = &columns[0];
        let Some(row) = (0..values.len()).find(|row| values.null_count() > 0 && values.is_null(*row)) else {
            return Ok(ColumnarValue::Array(values.clone()));
        };
        let key = columns[1].as_string_opt::<i32>().filter(|keys| keys.is_valid(row)).map(|keys| keys.value(row));
        let (order, others) = match key {
            Some(key) => (format!("order '{key}'"), format!("order_key <> '{}'", key.replace('\'', "''"))),
            None => ("an order without a key".to_owned(), "order_key IS NOT NULL".to_owned()),
        };
        Err(Error::invalid(format!(
            "the amounts of {order} do not fit DECIMAL(18,4), 14 digits before the point, when they are added up or taken to \
             the base currency: look at its events and at the rates of their currencies in fx_rates; WHERE {others} leaves \
             the order out"
        ))
        .into())
    }
}

#[cfg(test)]
mod tests;
