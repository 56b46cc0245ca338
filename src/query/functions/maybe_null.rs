//! `maybe_null(x)`: x itself, of which nothing says that it is never NULL. For plans, not for users: a value of which the
//! plan would hold too much for sure stands in it. Must know no plan.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// The function's name.
const NAME: &str = "maybe_null";

/// The value, which may be NULL from here on.
pub(in crate::query) fn maybe_null(value: Expr) -> Expr {
    let function = MaybeNull { signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::from(function).call(vec![value])
}

/// The value of a call of [`maybe_null`]; `None` for another expression.
pub(in crate::query) fn value_within(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::ScalarFunction(call) if call.func.inner().is::<MaybeNull>() => call.args.first(),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MaybeNull {
    signature: Signature,
}

fn missing() -> Error {
    Error::internal("maybe_null without its value")
}

impl ScalarUDFImpl for MaybeNull {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        Ok(arguments.first().map_or_else(|| NAME.to_owned(), |value| value.schema_name().to_string()))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().ok_or_else(missing)?)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let value = arguments.arg_fields.first().ok_or_else(missing)?;
        Ok(Arc::new(Field::clone(value).with_nullable(true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(arguments.args.into_iter().next().ok_or_else(missing)?)
    }
}
