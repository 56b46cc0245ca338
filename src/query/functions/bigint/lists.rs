//! The number of elements of a list, and the places of one.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::{as_bigint, as_unsigned};

/// A function of a list that gives BIGINT UNSIGNED.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NumberOfElements {
    pub(super) inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for NumberOfElements {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let given = Field::new(self.name(), self.inner.return_type(types)?, true);
        Ok(as_bigint(&Arc::new(given)).data_type().clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(as_bigint(&self.inner.return_field_from_args(arguments)?))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let promised = arguments.return_field.data_type().clone();
        let arguments = ScalarFunctionArgs { return_field: as_unsigned(&arguments.return_field), ..arguments };
        self.inner.invoke_with_args(arguments)?.cast_to(&promised, None)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
