//! `-x` of an integer: the smallest one has no opposite, and fails. DataFusion 55.2 gives it back as it was.

use std::sync::{Arc, LazyLock};

use arrow::compute::kernels::numeric;
use arrow::datatypes::DataType;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// `-x` of an integer of any width, a BIGINT.
pub(in crate::query) fn negate(operand: Expr) -> Expr {
    Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(function(), vec![operand]))
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Negate::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Negate {
    signature: Signature,
}

impl Negate {
    fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Negate {
    fn name(&self) -> &str {
        "negate"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        Ok(format!("(- {})", names.join(",")))
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Int64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let beyond = || Error::invalid("the result of - is beyond BIGINT: cast the operand to DECIMAL(38,0)");
        match arguments.args.first() {
            Some(ColumnarValue::Array(column)) => {
                Ok(ColumnarValue::Array(numeric::neg(column.as_ref()).map_err(|_| beyond())?))
            }
            Some(ColumnarValue::Scalar(ScalarValue::Int64(value))) => {
                let negated = value.map(|value| value.checked_neg().ok_or_else(beyond)).transpose()?;
                Ok(ColumnarValue::Scalar(ScalarValue::Int64(negated)))
            }
            _ => Err(Error::internal("negate without an integer").into()),
        }
    }
}
