//! Aggregates over windows: `functions/sliding_frame` has what DataFusion 55.2 does wrongly where the frame slides. And
//! where two windows sort the same rows up and down, it evaluates one of them from the last row to the first, which
//! makes other frames slide, and turned the lists of `array_agg` round. Aggregates of DOUBLEs have their stand-in
//! already, from `zeros`; the others get the same.
//!
//! Can go when frames that slide are right, and `get_best_fitting_window` turns no aggregate round:
//! `tests/slt/sliding_frames.slt` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, WindowFunctionDefinition};

use super::RuleContext;
use crate::query::functions::numbers::{has_one_zero, one_zero_of_group};

/// The expression with an aggregate that no row has to be taken out of, and that reads rows in their order.
pub(super) fn replace(
    mut expression: Expr,
    _schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    if let Expr::WindowFunction(call) = &mut expression
        && let WindowFunctionDefinition::AggregateUDF(function) = &mut call.fun
        && !has_one_zero(function)
    {
        *function = one_zero_of_group(function);
        return Ok(Transformed::yes(expression));
    }
    Ok(Transformed::no(expression))
}
