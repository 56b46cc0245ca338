//! `named_cast('TYPE', CAST(x AS TYPE))`: its second argument, under a name that tells the type. DataFusion 55.2 names a
//! cast by what is cast alone; `query::statement::cast_names` puts the call where two columns would have one name.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// The function's name.
pub(in crate::query) const NAMED_CAST: &str = "named_cast";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NamedCast {
    signature: Signature,
}

impl NamedCast {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

fn missing() -> Error {
    Error::internal("a named cast without its cast")
}

impl ScalarUDFImpl for NamedCast {
    fn name(&self) -> &str {
        NAMED_CAST
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        Ok(match arguments {
            [Expr::Literal(text, _), cast] => {
                format!("CAST({} AS {})", cast.schema_name(), text.try_as_str().flatten().unwrap_or_default())
            }
            _ => NAMED_CAST.to_owned(),
        })
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.get(1).cloned().ok_or_else(missing)?)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(arguments.arg_fields.get(1).map(Arc::clone).ok_or_else(missing)?)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(arguments.args.into_iter().nth(1).ok_or_else(missing)?)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs.get(1).map_or(SortProperties::Unordered, |value| value.sort_properties))
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        Ok(inputs.get(1).copied().cloned().ok_or_else(missing)?)
    }
}
