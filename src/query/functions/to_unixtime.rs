//! `to_unixtime` as DataFusion has it, but for the whole second at or before each time: DataFusion 55.2 cuts towards 1970,
//! so that the last second before it has the number of the first one after it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions::datetime::to_timestamp_micros;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

use super::variation::Variation;
use crate::query::zone::per_second;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToUnixtime {
    original: Arc<ScalarUDF>,
}

impl ToUnixtime {
    pub(super) fn new(original: Arc<ScalarUDF>) -> Self {
        Self { original }
    }
}

impl Variation for ToUnixtime {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match arguments.args.as_slice() {
            [time] if matches!(time.data_type(), DataType::Timestamp(..)) => seconds_of(time),
            [seconds] if seconds.data_type().is_floating() => whole_seconds(seconds),
            [text, ..] if text.data_type().is_string() => {
                let read = to_timestamp_micros(&arguments.config_options);
                seconds_of(&read.inner().invoke_with_args(arguments)?)
            }
            _ => self.original.invoke_with_args(arguments),
        }
    }
}

fn seconds_of(times: &ColumnarValue) -> Result<ColumnarValue> {
    let DataType::Timestamp(unit, _) = times.data_type() else { return internal_err!("to_unixtime without a time") };
    let counts = cast(&times.to_array(1)?, &DataType::Int64)?;
    let seconds = counts.as_primitive::<Int64Type>().unary::<_, Int64Type>(|count| count.div_euclid(per_second(unit)));
    like(times, Arc::new(seconds))
}

fn whole_seconds(seconds: &ColumnarValue) -> Result<ColumnarValue> {
    let doubles = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    let whole = doubles.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::floor);
    like(seconds, Arc::new(whole))?.cast_to(&DataType::Int64, None)
}

/// The values as a column, or a constant where they come of one.
pub(super) fn like(given: &ColumnarValue, values: ArrayRef) -> Result<ColumnarValue> {
    Ok(match given {
        ColumnarValue::Array(_) => ColumnarValue::Array(values),
        ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
    })
}
