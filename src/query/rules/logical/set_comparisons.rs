//! `x >= ALL (SELECT x FROM t)` and its like, over the table that the outer row is of.
//!
//! DataFusion 55.2 (`rewrite_set_comparison`) writes the comparison into the subquery, where both sides have one name: each
//! row was compared with itself. Here the column of the subquery gets a name of its own.
//!
//! Can go when that rule names them: `tests/slt/membership.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::expr::SetComparison;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Subquery};

use super::RuleContext;
use super::expressions::{has_part, map_expressions};
use crate::query::walk::WalkExpression;

/// The column of the subquery.
const MEMBER: &str = "__member";

pub(super) fn name_members(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    if !has_part(&node, |part| matches!(part, Expr::SetComparison(_)))? {
        return Ok(Transformed::no(node));
    }
    map_expressions(node, |expression| {
        expression.change_parts(&mut |part| match part {
            Expr::SetComparison(comparison) if may_share_name(&comparison) => {
                Ok(Transformed::yes(Expr::SetComparison(with_name(comparison)?)))
            }
            other => Ok(Transformed::no(other)),
        })
    })
}

/// Whether the subquery reads no outer row: one that does names the outer row's table otherwise than its own.
fn may_share_name(comparison: &SetComparison) -> bool {
    comparison.subquery.outer_ref_columns.is_empty()
}

fn with_name(comparison: SetComparison) -> DfResult<SetComparison> {
    let rows = Arc::unwrap_or_clone(comparison.subquery.subquery);
    let member = Expr::from(rows.schema().qualified_field(0)).alias(MEMBER);
    let subquery = Arc::new(LogicalPlanBuilder::from(rows).project([member])?.build()?);
    Ok(SetComparison { subquery: Subquery { subquery, ..comparison.subquery }, ..comparison })
}
