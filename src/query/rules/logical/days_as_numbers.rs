//! A DATE beside a number, or a time cast to one, or from one. DataFusion 55.2 makes the number a day, counted from
//! 1970: who forgets the quotes in `day >= 2025-04-21` compares with 2000 days, and gets all rows. Of a number that is
//! cast to a TIMESTAMP its type says whether it is one of seconds or of microseconds. PostgreSQL and DuckDB refuse
//! both.
//!
//! The analyzer has put a cast wherever a day and a number meet: in joins, in UNION, in choices.
//!
//! Can go when `temporal_coercion` and casts keep the two apart: `tests/slt/days_and_numbers.slt` then passes without
//! it, but for the words.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::RuleContext;
use super::expressions::cast_parts;
use crate::error::Error;

/// # Errors
/// `InvalidInput` for a cast between the two, with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Some((value, target)) = cast_parts(&expression)
        && (target.is_numeric() || is_day(target) || is_time(target))
        && let Ok(given) = value.get_type(schema)
    {
        if is_day_and_number(&given, target) {
            return Err(refusal().into());
        }
        if let Some(refusal) = refusal_of_time(&given, target) {
            return Err(Error::invalid(refusal).into());
        }
    }
    Ok(Transformed::no(expression))
}

pub(super) fn is_day_and_number(one: &DataType, other: &DataType) -> bool {
    is_day(one) && other.is_numeric() || is_day(other) && one.is_numeric()
}

fn is_day(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

/// Whether values are instants, times without a zone or times of the day.
fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_))
}

pub(super) fn refusal() -> Error {
    Error::invalid(
        "a DATE and a number stand side by side: a day is written in quotes, DATE '2025-04-21'; the day n days behind one \
         is DATE '1970-01-01' + n, and the number of days between two is day - DATE '1970-01-01'",
    )
}

/// What to write for a cast between a time and a number.
fn refusal_of_time(given: &DataType, target: &DataType) -> Option<&'static str> {
    match (given, target) {
        (number, DataType::Timestamp(..)) if number.is_numeric() => Some(
            "a number that is cast to a time does not say what it counts: write to_timestamp(x) for seconds since 1970, or \
             to_timestamp_micros(x) for microseconds",
        ),
        (DataType::Timestamp(..), number) if number.is_numeric() => Some(
            "a time that is cast to a number does not say what is counted: write extract(epoch FROM ts) for seconds since \
             1970, or to_unixtime(ts) for whole ones",
        ),
        (number, time) if number.is_numeric() && is_time(time) => Some(
            "a number that is cast to a time of the day does not say what it counts: write \
             TIME '00:00:00' + x * INTERVAL '1 second'",
        ),
        (time, number) if is_time(time) && number.is_numeric() => Some(
            "a time of the day that is cast to a number does not say what is counted: write extract(epoch FROM t) for \
             seconds since midnight",
        ),
        _ => None,
    }
}
