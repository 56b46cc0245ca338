//! Distances of RANGE that do not fit what is sorted by. DataFusion 55.2 reads `ORDER BY day RANGE 7 PRECEDING` as
//! seven months, takes any number over texts, and says of `RANGE 1.5 PRECEDING` over whole numbers that it cannot cast
//! a string. PostgreSQL refuses all of them. Of hours over DATE it would make a time, where DataFusion cuts to days.
//!
//! Can go when `coerce_window_frame` refuses them: `tests/slt/advice.slt` then passes without it, but for the words.

use arrow::compute::kernels::cast_utils::{IntervalParseConfig, IntervalUnit, parse_interval_month_day_nano_config};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFrameBound, WindowFrameUnits};

use super::RuleContext;
use crate::error::Error;
use crate::query::zone::{is_instant, is_wall_time};

/// # Errors
/// `InvalidInput` for a distance that is none of what is sorted by, with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Expr::WindowFunction(window) = &expression
        && let Some(key) = window.params.order_by.first()
        && let Ok(sorted) = key.expr.get_type(schema)
        && let Some(refusal) = distances(window).find_map(|distance| refusal(distance, &sorted))
    {
        return Err(Error::invalid(refusal).into());
    }
    Ok(Transformed::no(expression))
}

/// What to write in place of a distance over values of a type; `None` where it fits.
fn refusal(distance: &str, sorted: &DataType) -> Option<String> {
    let is_number = distance.trim().parse::<f64>().is_ok();
    let is_time = is_instant(sorted) || is_wall_time(sorted);
    if is_time && is_number {
        return Some(format!(
            "a RANGE of {distance} over times has no unit: write it, as in RANGE INTERVAL '7 days' PRECEDING"
        ));
    }
    if is_day(sorted) && has_part_of_day(distance) {
        return Some(format!(
            "a RANGE of {distance} over DATE is no number of days: write days, as in RANGE INTERVAL '1 day' PRECEDING, or \
             ORDER BY CAST(day AS TIMESTAMP)"
        ));
    }
    if sorted.is_integer() && is_number && distance.trim().parse::<i64>().is_err() {
        return Some(format!(
            "a RANGE of {distance} over whole numbers: write the whole number below it, which reaches as far, or ORDER BY \
             CAST(x AS DOUBLE)"
        ));
    }
    // Lengths of time have a rule of their own.
    let is_length = matches!(sorted, DataType::Interval(_) | DataType::Duration(_));
    (!is_time && !is_length && !sorted.is_numeric() && !sorted.is_null()).then(|| {
        "RANGE with a distance asks for one number or one DATE or TIMESTAMP in ORDER BY: write ROWS for a distance in rows"
            .to_owned()
    })
}

fn is_day(sorted: &DataType) -> bool {
    matches!(sorted, DataType::Date32 | DataType::Date64)
}

/// Whether a length of time has hours or less. DataFusion cuts what it adds to a DATE to days.
fn has_part_of_day(length: &str) -> bool {
    const DAY_NANOSECONDS: i64 = 86_400_000_000_000;
    let seconds = IntervalParseConfig::new(IntervalUnit::Second);
    parse_interval_month_day_nano_config(length, seconds).is_ok_and(|length| length.nanoseconds % DAY_NANOSECONDS != 0)
}

/// The distances as they were written.
fn distances(window: &WindowFunction) -> impl Iterator<Item = &str> {
    let frame = &window.params.window_frame;
    let bounds = (frame.units == WindowFrameUnits::Range).then_some([&frame.start_bound, &frame.end_bound]);
    bounds.into_iter().flatten().filter_map(|bound| match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            distance.try_as_str().flatten()
        }
        WindowFrameBound::CurrentRow => None,
    })
}
