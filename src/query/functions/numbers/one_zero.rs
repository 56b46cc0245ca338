//! `one_zero(x)`: a DOUBLE with 0 in place of -0, put around the keys of windows, of orders and of DISTINCT ON. DataFusion
//! 55.2 sorts and parts by the order of all bit patterns, in which -0 comes before 0: equal rows had other ranks and other
//! groups.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// Whether values of the type may be -0.
pub(in crate::query) fn has_two_zeros(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// The number, in which both zeros are one.
pub(in crate::query) fn one_zero(number: Expr) -> Expr {
    function().call(vec![number])
}

pub(in crate::query) fn is_one_zero(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func == function())
}

/// The negative zero as the other one, and whether it was that.
pub(in crate::query) fn unsign_zero(value: &mut ScalarValue) -> bool {
    match value {
        ScalarValue::Float64(Some(number)) if number.is_sign_negative() && *number == 0.0 => {
            *number = 0.0;
            true
        }
        ScalarValue::Float32(Some(number)) if number.is_sign_negative() && *number == 0.0 => {
            *number = 0.0;
            true
        }
        _ => false,
    }
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(OneZero::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OneZero {
    signature: Signature,
}

impl OneZero {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

fn missing() -> Error {
    Error::internal("one_zero of nothing")
}

/// -0 + 0 is 0; every other number stays what it is.
fn add_zero(column: &ArrayRef) -> DfResult<ArrayRef> {
    if let Some(doubles) = column.as_primitive_opt::<Float64Type>() {
        return Ok(Arc::new(doubles.unary::<_, Float64Type>(|value| value + 0.0)));
    }
    match column.as_primitive_opt::<Float32Type>() {
        Some(reals) => Ok(Arc::new(reals.unary::<_, Float32Type>(|value| value + 0.0))),
        None => Err(Error::internal("one_zero of what is no DOUBLE").into()),
    }
}

impl ScalarUDFImpl for OneZero {
    fn name(&self) -> &str {
        "one_zero"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [number] if has_two_zeros(number) => Ok(number.clone()),
            _ => Err(Error::invalid("one_zero(x) takes a DOUBLE").into()),
        }
    }

    fn is_strict(&self) -> bool {
        true
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
        let operand = arguments.args.first().ok_or_else(missing)?;
        let numbers = add_zero(&operand.to_array(1)?)?;
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(numbers),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&numbers, 0)?),
        })
    }
}
