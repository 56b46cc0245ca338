//! The number of elements of a list, and the places of one.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};

use super::{as_bigint, as_unsigned};
use crate::query::functions::variation::Variation;

/// A function of a list that gives BIGINT UNSIGNED.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NumberOfElements {
    pub(super) original: Arc<ScalarUDF>,
}

impl Variation for NumberOfElements {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let given = Field::new(self.original.name(), self.original.return_type(types)?, true);
        Ok(as_bigint(&Arc::new(given)).data_type().clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(as_bigint(&self.original.return_field_from_args(arguments)?))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let promised = arguments.return_field.data_type().clone();
        let arguments = ScalarFunctionArgs { return_field: as_unsigned(&arguments.return_field), ..arguments };
        self.original.invoke_with_args(arguments)?.cast_to(&promised, None)
    }
}
