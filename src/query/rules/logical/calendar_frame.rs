//! `ORDER BY ts RANGE INTERVAL '1 day' PRECEDING` outside UTC: DataFusion 55.2 moves the ends of the frame by days and
//! months of UTC, 24 hours where the clock of the zone changes. Refused, since no rewrite keeps the order of instants.
//!
//! Can go when `WindowFrameStateRange` counts days and months of the session's zone: what
//! `tests/slt/zones/Asia/Shanghai/a_month.slt` sees refused then has rows.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue, plan_err};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFrameBound, WindowFrameUnits};

use super::RuleContext;
use crate::query::zone::{UTC, is_instant};

/// The expression as it is, unless its frame is one of days or months over instants.
pub(super) fn check(expression: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Expr::WindowFunction(window) = &expression
        && context.zone != UTC
        && has_calendar_frame(window, schema)?
    {
        return plan_err!(
            "a RANGE of days or months over an instant is not counted in the zone {}: write INTERVAL '24 hours' for hours \
             that pass, or ORDER BY ts::TIMESTAMP for days of the wall clock",
            context.zone
        );
    }
    Ok(Transformed::no(expression))
}

fn has_calendar_frame(window: &WindowFunction, schema: &DFSchema) -> DfResult<bool> {
    let frame = &window.params.window_frame;
    let is_calendar = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(ScalarValue::IntervalMonthDayNano(Some(length)))
        | WindowFrameBound::Following(ScalarValue::IntervalMonthDayNano(Some(length))) => {
            length.months != 0 || length.days != 0
        }
        _ => false,
    };
    if frame.units != WindowFrameUnits::Range || !(is_calendar(&frame.start_bound) || is_calendar(&frame.end_bound)) {
        return Ok(false);
    }
    match window.params.order_by.first() {
        Some(key) => Ok(is_instant(&key.expr.get_type(schema)?)),
        None => Ok(false),
    }
}
