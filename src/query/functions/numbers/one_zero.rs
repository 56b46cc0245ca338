//! `one_zero(x)`: a DOUBLE or REAL with 0 in place of -0 and one NaN in place of all. A rule puts it around what may
//! make others; the operators of this folder do it themselves.
//!
//! DataFusion 55.2 compares and hashes bit patterns, in which -0 is not 0: in sorts, windows, lists of IN, `nullif`,
//! filters of joins, nested keys. So neither comes into being, and nobody who compares has to know.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::doubles;
use crate::error::Error;

/// The number, in which both zeros are one.
pub(in crate::query) fn one_zero(number: Expr) -> Expr {
    function().call(vec![number])
}

/// The value, or those in it, as the engine holds them.
///
/// # Errors
/// None that a value can bring about.
pub(in crate::query) fn one_zero_value(value: &ScalarValue) -> DfResult<ScalarValue> {
    match value {
        // A frame that slides, and a running sum, ask this of each row: no column is made for one number.
        ScalarValue::Float64(number) => Ok(ScalarValue::Float64(number.map(doubles::one_zero_double))),
        other if doubles::holds_doubles(&other.data_type()) => {
            ScalarValue::try_from_array(&doubles::one_zero(&other.to_array()?)?, 0)
        }
        other => Ok(other.clone()),
    }
}

/// The call as a part of a condition, where its name tells it from the column within: `rules/logical/join_keys` has
/// why.
pub(in crate::query) fn one_zero_key(call: &ScalarFunction) -> Option<Expr> {
    let is_meant = call.func.inner().downcast_ref::<OneZero>().is_some_and(|function| !function.is_key);
    is_meant.then(|| key_function().call(call.args.clone()))
}

pub(in crate::query) fn is_one_zero(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func.inner().is::<OneZero>())
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(OneZero::new(false))));
    Arc::clone(&FUNCTION)
}

fn key_function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(OneZero::new(true))));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OneZero {
    is_key: bool,
    signature: Signature,
}

impl OneZero {
    fn new(is_key: bool) -> Self {
        Self { is_key, signature: Signature::any(1, Volatility::Immutable) }
    }
}

fn missing() -> Error {
    Error::internal("one_zero of nothing")
}

impl ScalarUDFImpl for OneZero {
    fn name(&self) -> &str {
        "one_zero"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// That of the number: a column is named by what the user wrote.
    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let name = arguments.first().ok_or_else(missing)?.schema_name().to_string();
        Ok(if self.is_key { format!("one_zero({name})") } else { name })
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [number] if doubles::holds_doubles(number) => Ok(number.clone()),
            _ => Err(Error::invalid("one_zero(x) takes a DOUBLE").into()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let field = arguments.arg_fields.first().ok_or_else(missing)?;
        self.return_type(&[field.data_type().clone()])?;
        Ok(Arc::clone(field))
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// What is one already stays what it is.
    fn simplify(&self, mut arguments: Vec<Expr>, _info: &SimplifyContext) -> DfResult<ExprSimplifyResult> {
        match arguments.first().is_some_and(is_one_zero) {
            true => Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(0))),
            false => Ok(ExprSimplifyResult::Original(arguments)),
        }
    }

    /// Rows that are sorted by the number are sorted by this, too.
    fn output_ordering(&self, inputs: &[ExprProperties]) -> DfResult<SortProperties> {
        Ok(inputs.first().map_or(SortProperties::Unordered, |number| number.sort_properties))
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&inputs.first().ok_or_else(missing)?.data_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        Ok(match arguments.args.first().ok_or_else(missing)? {
            ColumnarValue::Array(numbers) => ColumnarValue::Array(doubles::one_zero(numbers)?),
            ColumnarValue::Scalar(number) => ColumnarValue::Scalar(one_zero_value(number)?),
        })
    }
}
