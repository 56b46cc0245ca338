//! `round_time(t, n)`: a time as the nearest multiple of n microseconds, half away from 1970, as casts of numbers round
//! half away from zero. Arrow's cast to seconds cuts the fraction towards 1970.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, FieldRef, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::{field, map_column};
use crate::error::Error;

/// The call; the time has microseconds.
pub(in crate::query) fn round_time(time: Expr, microseconds: i64) -> Expr {
    ScalarUDF::from(RoundTime::new()).call(vec![time, lit(microseconds)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RoundTime {
    signature: Signature,
}

impl RoundTime {
    fn new() -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable) }
    }
}

/// `None` where the result is beyond 64 bits.
fn round(time: i64, multiple: i64) -> Option<i64> {
    let rest = time % multiple;
    let below = time - rest;
    if rest.abs() >= multiple - rest.abs() { below.checked_add(multiple * rest.signum()) } else { Some(below) }
}

impl ScalarUDFImpl for RoundTime {
    fn name(&self) -> &str {
        "round_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        match arguments.arg_fields.first().map(|time| time.data_type().clone()) {
            Some(data_type) => Ok(field(self.name(), data_type, &arguments)),
            None => internal_err!("round_time without a time"),
        }
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        match inputs.first() {
            Some(time) => Interval::make_unbounded(&time.data_type()),
            None => internal_err!("round_time without a time"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times, multiple] = take_function_args(self.name(), &arguments.args)?;
        let ColumnarValue::Scalar(ScalarValue::Int64(Some(multiple))) = multiple else {
            return internal_err!("round_time without a number of microseconds");
        };
        map_column(times, |times| {
            let beyond = || Error::invalid("a time beyond the last year that microseconds hold cannot be rounded");
            let rounded = times
                .as_primitive::<TimestampMicrosecondType>()
                .try_unary::<_, TimestampMicrosecondType, Error>(|time| round(time, *multiple).ok_or_else(beyond))?;
            Ok(Arc::new(rounded.with_data_type(times.data_type().clone())))
        })
    }
}
