//! Keys of an order that repeat an earlier key say nothing, and DataFusion 55.2 fails on them in aggregates: DISTINCT
//! ON with a panic, which is `first_value` there, `array_agg` for its columns.
//!
//! Can go when aggregates take them: `tests/slt/cast_names.slt` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

use super::RuleContext;

/// DISTINCT ON without them.
pub(super) fn of_distinct_on(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Distinct(Distinct::On(mut on)) = node else { return Ok(Transformed::no(node)) };
    let changed = on.sort_expr.as_mut().is_some_and(drop_repeated);
    Ok(Transformed::new_transformed(LogicalPlan::Distinct(Distinct::On(on)), changed))
}

/// An aggregate without them.
pub(super) fn of_aggregate(
    mut expression: Expr,
    _schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let changed = match &mut expression {
        Expr::AggregateFunction(call) => drop_repeated(&mut call.params.order_by),
        _ => false,
    };
    Ok(Transformed::new_transformed(expression, changed))
}

fn drop_repeated(keys: &mut Vec<Sort>) -> bool {
    let all = keys.len();
    if all > 1 {
        let mut kept: Vec<Sort> = Vec::with_capacity(all);
        for key in keys.drain(..) {
            if !kept.iter().any(|earlier| value_of(&earlier.expr) == value_of(&key.expr)) {
                kept.push(key);
            }
        }
        *keys = kept;
    }
    keys.len() < all
}

/// What a key is sorted by, whatever it is called.
pub(super) fn value_of(key: &Expr) -> &Expr {
    match key {
        Expr::Alias(alias) => value_of(&alias.expr),
        other => other,
    }
}
