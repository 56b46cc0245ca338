//! `CAST(t AS TIMESTAMP(0))`, and likewise `TIMESTAMP(3)` and both WITH TIME ZONE: the nearest second or millisecond, as
//! PostgreSQL and DuckDB have it. DataFusion 55.2 cuts the rest of the fraction, towards 1970, and the planner's type of
//! an instant to the second becomes one of microseconds here.
//!
//! Can go when casts of times round: `tests/slt/casts.slt` then passes without it, but for instants.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, TryCast, cast};

use super::RuleContext;
use crate::query::functions::local_time::round_time;
use crate::query::zone::UTC;

/// The cast to fewer digits of a second as a call around a cast to microseconds.
pub(super) fn round(expression: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let (operand, field) = match &expression {
        Expr::Cast(cast) => (&cast.expr, &cast.field),
        Expr::TryCast(cast) => (&cast.expr, &cast.field),
        _ => return Ok(Transformed::no(expression)),
    };
    let DataType::Timestamp(unit, zone) = field.data_type().clone() else { return Ok(Transformed::no(expression)) };
    let Some(microseconds) = microseconds_of(unit) else { return Ok(Transformed::no(expression)) };
    let is_instant = zone.is_some();
    if zone.is_some_and(|zone| zone.as_ref() != context.zone) {
        return Ok(Transformed::no(expression));
    }
    if operand.get_type(schema).is_ok_and(|given| is_as_coarse(&given, unit)) {
        return Ok(Transformed::no(expression));
    }
    let target = field.data_type().clone();
    let micros = DataType::Timestamp(TimeUnit::Microsecond, is_instant.then(|| UTC.into()));
    let rounded = round_time(retype(expression, micros), microseconds);
    // All instants have microseconds.
    Ok(Transformed::yes(if is_instant { rounded } else { cast(rounded, target) }))
}

/// Microseconds of the units that a cast may cut to.
fn microseconds_of(unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => Some(1_000_000),
        TimeUnit::Millisecond => Some(1_000),
        TimeUnit::Microsecond | TimeUnit::Nanosecond => None,
    }
}

/// Whether a value of the type has no digit beyond the unit.
fn is_as_coarse(given: &DataType, unit: TimeUnit) -> bool {
    match given {
        DataType::Null | DataType::Date32 | DataType::Timestamp(TimeUnit::Second, _) => true,
        DataType::Timestamp(TimeUnit::Millisecond, _) => unit == TimeUnit::Millisecond,
        _ => false,
    }
}

/// The cast with another type.
fn retype(expression: Expr, data_type: DataType) -> Expr {
    let with_type = |field: FieldRef| Arc::new(field.as_ref().clone().with_data_type(data_type));
    match expression {
        Expr::Cast(Cast { expr, field }) => Expr::Cast(Cast { expr, field: with_type(field) }),
        Expr::TryCast(TryCast { expr, field }) => Expr::TryCast(TryCast { expr, field: with_type(field) }),
        other => other,
    }
}
