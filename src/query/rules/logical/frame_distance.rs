//! `ORDER BY n RANGE 1.5 PRECEDING` of whole numbers: DataFusion 55.2 says that it cannot cast a string. PostgreSQL refuses
//! it, too.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFrameBound, WindowFrameUnits};

use super::RuleContext;
use crate::error::Error;

/// # Errors
/// `InvalidInput` for a fraction as the distance of whole numbers, with what to write.
pub(super) fn refuse_fraction(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Expr::WindowFunction(window) = &expression
        && let Some(distance) = fraction_of(window)
        && let Some(key) = window.params.order_by.first()
        && key.expr.get_type(schema).is_ok_and(|given| given.is_integer())
    {
        return Err(Error::invalid(format!(
            "a RANGE of {distance} over whole numbers: write the whole number below it, which reaches as far, or ORDER BY \
             CAST(x AS DOUBLE)"
        ))
        .into());
    }
    Ok(Transformed::no(expression))
}

/// The distance as it was written, where it is a number and no whole one.
fn fraction_of(window: &WindowFunction) -> Option<&str> {
    let frame = &window.params.window_frame;
    let is_fraction = |text: &&str| text.parse::<i64>().is_err() && text.parse::<f64>().is_ok();
    if frame.units != WindowFrameUnits::Range {
        return None;
    }
    [&frame.start_bound, &frame.end_bound].into_iter().filter_map(distance_of).find(is_fraction)
}

fn distance_of(bound: &WindowFrameBound) -> Option<&str> {
    match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            distance.try_as_str().flatten()
        }
        WindowFrameBound::CurrentRow => None,
    }
}
