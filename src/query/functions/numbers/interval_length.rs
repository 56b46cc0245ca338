//! The length of an interval, by which intervals are compared and ordered: a month is 30 days, a day 24 hours, as in
//! Postgres. DataFusion 55.2 compares months first, then days, then the rest, and a difference of instants with neither.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, DurationMicrosecondArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::operands::sql_name;
use crate::error::Error;

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;
const DAYS_OF_A_MONTH: i64 = 30;
pub(super) const LENGTH: DataType = DataType::Duration(TimeUnit::Microsecond);

/// Whether values of the type are lengths of time.
pub(in crate::query) fn has_length(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// The length of an interval or a text that says one, a duration in microseconds.
pub(in crate::query) fn interval_length(operand: Expr) -> Expr {
    Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(function(), vec![operand]))
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(IntervalLength::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IntervalLength {
    signature: Signature,
}

impl IntervalLength {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IntervalLength {
    fn name(&self) -> &str {
        "interval_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        match types {
            [DataType::Duration(_)] => Ok(vec![LENGTH]),
            [DataType::Interval(_) | DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null] => {
                Ok(vec![DataType::Interval(IntervalUnit::MonthDayNano)])
            }
            other => {
                let given: Vec<String> = other.iter().map(sql_name).collect();
                Err(Error::invalid(format!("interval_length(interval) was given {}", given.join(", "))).into())
            }
        }
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(LENGTH)
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&LENGTH)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let operand = arguments.args.first().ok_or_else(|| Error::internal("a length of nothing"))?;
        let column = operand.to_array(1)?;
        let lengths = lengths(&column)?;
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(lengths),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&lengths, 0)?),
        })
    }
}

fn lengths(column: &ArrayRef) -> DfResult<ArrayRef> {
    let Some(intervals) = column.as_primitive_opt::<IntervalMonthDayNanoType>() else {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        return Ok(cast_with_options(column.as_ref(), &LENGTH, &strict)?);
    };
    let mut lengths = Vec::with_capacity(intervals.len());
    for interval in intervals {
        let Some(interval) = interval else {
            lengths.push(None);
            continue;
        };
        let days = i64::from(interval.months) * DAYS_OF_A_MONTH + i64::from(interval.days);
        let beyond = || Error::invalid("an interval is longer than 292,000 years");
        // What is shorter than a microsecond cannot be told from an instant.
        let length =
            days.checked_mul(MICROSECONDS_OF_A_DAY).and_then(|days| days.checked_add(interval.nanoseconds / 1_000));
        lengths.push(Some(length.ok_or_else(beyond)?));
    }
    Ok(Arc::new(DurationMicrosecondArray::from(lengths)))
}
