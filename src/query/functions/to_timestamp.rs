//! `to_timestamp` as DataFusion has it, and a refusal of numbers beyond its nanoseconds, which end in 2262: DataFusion 55.2
//! gives the last one for every DOUBLE beyond it, and 1970 for NaN. The fraction of a DOUBLE is rounded to microseconds,
//! as PostgreSQL does: a DOUBLE of today's seconds knows no more, and its nanoseconds were noise.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

use super::to_unixtime::like;
use super::variation::{Variation, vary};
use crate::error::Error;

/// Seconds that 64 bits of nanoseconds hold, cut to whole ones.
const LAST_SECOND: f64 = 9_223_372_036.0;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToTimestamp {
    original: Arc<ScalarUDF>,
}

impl ToTimestamp {
    /// Around the function of the session, which knows its zone.
    pub(super) fn new(original: Arc<ScalarUDF>) -> Self {
        Self { original }
    }
}

/// # Errors
/// `InvalidInput` for a number that is no time in nanoseconds.
fn check(seconds: &ColumnarValue) -> Result<()> {
    if !seconds.data_type().is_numeric() {
        return Ok(());
    }
    let seconds = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    let beyond = |second: &f64| !(-LAST_SECOND..=LAST_SECOND).contains(second);
    match seconds.as_primitive::<Float64Type>().iter().flatten().find(beyond) {
        Some(second) => Err(Error::invalid(format!(
            "to_timestamp({second}) is beyond nanoseconds, which hold the years 1678 to 2261: write \
             to_timestamp_micros(CAST(x * 1e6 AS BIGINT))"
        ))
        .into()),
        None => Ok(()),
    }
}

/// DOUBLEs as times of a type, to the nearest microsecond.
fn of_doubles(seconds: &ColumnarValue, times: &DataType) -> Result<ColumnarValue> {
    let zone = match times {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let doubles = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    let micros = doubles
        .as_primitive::<Float64Type>()
        .unary::<_, TimestampMicrosecondType>(|second| (second * 1e6).round() as i64)
        .with_timezone_opt(zone);
    let micros: ArrayRef = Arc::new(micros);
    like(seconds, cast(&micros, times)?)
}

impl Variation for ToTimestamp {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let original = self.original.inner().with_updated_config(config)?;
        Some(vary(Self::new(Arc::new(original))))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        arguments.args.first().map_or(Ok(()), check)?;
        match arguments.args.as_slice() {
            [seconds] if seconds.data_type().is_floating() => of_doubles(seconds, arguments.return_field.data_type()),
            _ => self.original.invoke_with_args(arguments),
        }
    }
}
