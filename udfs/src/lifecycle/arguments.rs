//! Arguments of the family: types at planning, constants and lengths of time at execution. Messages name the function,
//! the argument's position (from 1) and its value.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, IntervalUnit, Schema, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::PhysicalExpr;

use crate::local_time::MICROS_A_SECOND;

const SECONDS_A_DAY: i64 = 86_400;

/// Microseconds in UTC: what every instant is cast to.
pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type that a time of an event is cast to: an instant, where a date is the midnight in UTC that begins it, or a
/// number of seconds.
///
/// # Errors
/// With the signature, for what is no time. `place` counts from 1.
pub(super) fn event_time(signature: &str, place: usize, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 | DataType::Null => Ok(instant()),
        integer if integer.is_integer() => Ok(DataType::Int64),
        other => {
            plan_err!("{signature}: argument {place} (ts) is {other}, not a timestamp, a date or a number of seconds")
        }
    }
}

/// The type that a length of time is cast to.
///
/// # Errors
/// With the signature, for what is no length of time.
pub(super) fn length_type(signature: &str, place: usize, argument: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Interval(_) => Ok(DataType::Interval(IntervalUnit::MonthDayNano)),
        DataType::Duration(_) => Ok(DataType::Duration(TimeUnit::Microsecond)),
        integer if integer.is_integer() || *integer == DataType::Null => Ok(DataType::Int64),
        other => {
            plan_err!("{signature}: argument {place} ({argument}) is {other}, not an INTERVAL or a number of seconds")
        }
    }
}

/// The types of conditions from position `first` (from 1) on, at least one.
///
/// # Errors
/// With the signature, for what is no condition.
pub(super) fn conditions(signature: &str, first: usize, given: &[DataType]) -> Result<Vec<DataType>> {
    if given.is_empty() {
        return plan_err!("{signature}: at least one condition is needed");
    }
    let each = given.iter().enumerate().map(|(offset, given)| match given {
        DataType::Boolean | DataType::Null => Ok(DataType::Boolean),
        other => plan_err!("{signature}: argument {} is {other}, not a condition", first + offset),
    });
    each.collect()
}

/// The value of an argument that is one constant for all rows.
///
/// # Errors
/// When it depends on the row.
pub(super) fn constant(
    function: &str,
    place: usize,
    argument: &str,
    expressions: &[Arc<dyn PhysicalExpr>],
) -> Result<ScalarValue> {
    let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expressions.get(place - 1).map(|expression| expression.evaluate(&empty)) {
        Some(Ok(ColumnarValue::Scalar(value))) => Ok(value),
        _ => exec_err!("{function}: argument {place} ({argument}) must be one constant for all rows"),
    }
}

/// A constant text.
///
/// # Errors
/// When it is NULL or depends on the row.
pub(super) fn constant_text(
    function: &str,
    place: usize,
    argument: &str,
    expressions: &[Arc<dyn PhysicalExpr>],
) -> Result<String> {
    let value = constant(function, place, argument, expressions)?;
    match value.try_as_str() {
        Some(Some(text)) => Ok(text.to_owned()),
        _ => exec_err!("{function}: argument {place} ({argument}) is {value}, not a text"),
    }
}

/// A constant length of time above 0, in the unit of the times it is held against: microseconds where those are
/// instants, seconds where they are numbers.
///
/// # Errors
/// When it is NULL, not above 0, of no fixed length or no constant.
pub(super) fn constant_length(
    function: &str,
    place: usize,
    argument: &str,
    expressions: &[Arc<dyn PhysicalExpr>],
    times: &DataType,
) -> Result<i64> {
    let value = constant(function, place, argument, expressions)?;
    let refused =
        |why: &str| -> Result<i64> { exec_err!("{function}: argument {place} ({argument}) is {value}: {why}") };
    let micros = match &value {
        ScalarValue::Int64(Some(seconds)) => seconds.saturating_mul(MICROS_A_SECOND),
        ScalarValue::DurationMicrosecond(Some(micros)) => *micros,
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months != 0 => {
            return refused("months differ in length; use days");
        }
        ScalarValue::IntervalMonthDayNano(Some(interval)) => {
            i64::from(interval.days) * SECONDS_A_DAY * MICROS_A_SECOND + interval.nanoseconds / 1_000
        }
        _ => return refused("it is an INTERVAL or a number of seconds"),
    };
    if micros <= 0 {
        return refused("it must be longer than 0");
    }
    if *times != DataType::Int64 {
        return Ok(micros);
    }
    match value {
        // Not by way of microseconds, which may not hold it.
        ScalarValue::Int64(Some(seconds)) => Ok(seconds),
        _ if micros % MICROS_A_SECOND == 0 => Ok(micros / MICROS_A_SECOND),
        _ => refused("times that are numbers count whole seconds"),
    }
}

/// A state that this function did not write.
pub(super) fn damaged(function: &str) -> DataFusionError {
    DataFusionError::Execution(format!("{function}: a state is damaged"))
}

/// The type of an argument; `place` counts from 1.
pub(super) fn type_of<'a>(function: &str, args: &AccumulatorArgs<'a>, place: usize) -> Result<&'a DataType> {
    match args.expr_fields.get(place - 1) {
        Some(field) => Ok(field.data_type()),
        None => exec_err!("{function}: argument {place} is missing"),
    }
}
