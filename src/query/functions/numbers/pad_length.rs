//! `pad_length(n)`: n, or 0 where it is below. One call reads its argument once, which a CASE does not.

use std::sync::{Arc, LazyLock};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

pub(in crate::query) fn pad_length(length: Expr) -> Expr {
    function().call(vec![length])
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(PadLength::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PadLength {
    signature: Signature,
}

impl PadLength {
    fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for PadLength {
    fn name(&self) -> &str {
        "pad_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The name of the length: columns are named by what is written.
    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        Ok(arguments.first().map(|length| length.schema_name().to_string()).unwrap_or_default())
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
        match arguments.args.first() {
            Some(ColumnarValue::Array(lengths)) => {
                let lengths = lengths.as_primitive::<Int64Type>().unary::<_, Int64Type>(|length| length.max(0));
                Ok(ColumnarValue::Array(Arc::new(lengths)))
            }
            Some(ColumnarValue::Scalar(ScalarValue::Int64(length))) => {
                Ok(ColumnarValue::Scalar(ScalarValue::Int64(length.map(|length| length.max(0)))))
            }
            _ => Err(Error::internal("pad_length without an integer").into()),
        }
    }
}
