//! A cast that rounds, and the call that makes zeros one, have the name of what they hold, as DataFusion names its own
//! casts. A condition may become a key of a join, which DataFusion 55.2 puts beside the columns under its name; it
//! gives casts another one there, but no calls.
//!
//! Can go when `wrap_projection_for_join_if_necessary` names calls, too: `tests/slt/casts.slt` then passes without it.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::RuleContext;
use super::expressions::has_part;
use crate::query::functions::numbers::{as_key, one_zero_key};
use crate::query::walk::{WalkExpression, WalkPlan};

/// The conditions with calls that have names of their own.
pub(super) fn name_calls(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let is_call = |part: &Expr| matches!(part, Expr::ScalarFunction(_));
    if !matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Join(_)) || !has_part(&node, is_call)? {
        return Ok(Transformed::no(node));
    }
    node.change_expressions(&mut |expression| {
        expression.change_parts(&mut |part| {
            let key = match &part {
                Expr::ScalarFunction(call) => as_key(call).or_else(|| one_zero_key(call)),
                _ => None,
            };
            Ok(key.map_or_else(|| Transformed::no(part), Transformed::yes))
        })
    })
}
