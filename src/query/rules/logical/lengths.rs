//! Lengths of time: an interval beside a DATE, differences of instants beside intervals, and the parts that `extract` gives.
//! The session's zone has no say here.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, TryCast, cast};

use super::RuleContext;
use super::expressions::cast_parts;
use crate::error::Error;
use crate::query::functions::numbers::{
    check_whole_days, days_and_time, has_length, is_whole_days, length_part, whole_days,
};

/// The interval beside a DATE, and whether a check was put around it.
pub(super) fn without_hours(interval: Expr) -> DfResult<(Expr, bool)> {
    match &interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(length), _) => {
            length.as_ref().map_or(Ok(()), check_whole_days)?;
            Ok((interval, false))
        }
        checked if is_whole_days(checked) => Ok((interval, false)),
        _ => Ok((whole_days(interval), true)),
    }
}

/// Differences of instants beside intervals in the results of a CASE, as intervals: DataFusion 55.2 takes the first one's
/// type until types are settled. Whether a cast was put in place.
pub(super) fn unify(all: &mut [&mut Expr], types: &[Option<DataType>]) -> bool {
    if !types.iter().flatten().any(|given| matches!(given, DataType::Interval(_))) {
        return false;
    }
    let mut changed = false;
    for (each, given) in all.iter_mut().zip(types) {
        if matches!(given, Some(DataType::Duration(_))) {
            **each = cast(std::mem::take(*each), DataType::Interval(IntervalUnit::MonthDayNano));
            changed = true;
        }
    }
    changed
}

/// The type of a column of UNION with lengths of both kinds and nothing else; `None` for another one.
pub(super) fn column_type<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let has_interval = types.clone().any(|given| matches!(given, DataType::Interval(_)));
    let has_duration = types.clone().any(|given| matches!(given, DataType::Duration(_)));
    let is_length = |given: &DataType| given.is_null() || has_length(given);
    (has_interval && has_duration && types.clone().all(is_length))
        .then_some(DataType::Interval(IntervalUnit::MonthDayNano))
}

/// # Errors
/// `InvalidInput` for the cast of a length of time to a number, which DataFusion 55.2 makes its microseconds.
pub(super) fn refuse_numbers(
    expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    if let Some((given, target)) = cast_parts(&expression)
        && target.is_numeric()
        && given.get_type(schema).is_ok_and(|given| has_length(&given))
    {
        return Err(Error::invalid(
            "a length of time is no number until its unit is named: write extract(epoch FROM a - b) for its seconds, and \
             extract(epoch FROM a - b) / 86400 for days",
        )
        .into());
    }
    Ok(Transformed::no(expression))
}

/// The cast of a difference of instants to an INTERVAL, wherever it came from, as days and time.
pub(super) fn split_days(
    expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let is_interval = |target: &DataType| *target == DataType::Interval(IntervalUnit::MonthDayNano);
    let difference = match expression {
        Expr::Cast(Cast { expr, field }) if is_interval(field.data_type()) => match expr.get_type(schema)? {
            DataType::Duration(_) => expr,
            _ => return Ok(Transformed::no(Expr::Cast(Cast { expr, field }))),
        },
        Expr::TryCast(TryCast { expr, field }) if is_interval(field.data_type()) => match expr.get_type(schema)? {
            DataType::Duration(_) => expr,
            _ => return Ok(Transformed::no(Expr::TryCast(TryCast { expr, field }))),
        },
        other => return Ok(Transformed::no(other)),
    };
    Ok(Transformed::yes(days_and_time(*difference)))
}

/// `extract` of a length of time as the engine's own function; `None` for every other call.
///
/// # Errors
/// `InvalidInput` for a part that lengths do not have.
pub(super) fn part_of(call: &ScalarFunction, schema: &DFSchema) -> DfResult<Option<Expr>> {
    let ("date_part", [Expr::Literal(part, _), length]) = (call.func.name(), call.args.as_slice()) else {
        return Ok(None);
    };
    match part.try_as_str().flatten() {
        Some(part) if has_length(&length.get_type(schema)?) => length_part(part, length.clone()).map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
