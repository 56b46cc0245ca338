//! Sorts, windows and DISTINCT ON by a DOUBLE take -0 and 0 for one number, as comparisons and groups do:
//! `functions/numbers/one_zero` has why.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan};

use super::RuleContext;
use crate::query::functions::numbers::{has_two_zeros, is_one_zero, one_zero};

/// The window or the aggregate with such keys.
pub(super) fn unify_in_call(
    mut expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let changed = match &mut expression {
        Expr::WindowFunction(call) => {
            let mut changed = unify_keys(&mut call.params.order_by, schema);
            for part in &mut call.params.partition_by {
                changed |= unify(part, schema);
            }
            changed
        }
        // What stands WITHIN GROUP is the argument, and an order of distinct values is that of the argument itself.
        Expr::AggregateFunction(call) if !call.func.supports_within_group_clause() && !call.params.distinct => {
            unify_keys(&mut call.params.order_by, schema)
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(expression, changed))
}

/// The node, sorting by such keys.
pub(super) fn unify_in_sort(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Sort(mut sort) = node else { return Ok(Transformed::no(node)) };
    let changed = unify_keys(&mut sort.expr, sort.input.schema());
    Ok(Transformed::new_transformed(LogicalPlan::Sort(sort), changed))
}

/// DISTINCT ON with such keys: its groups are right, but the order within them says which row is kept. The first keys of
/// the order are those of ON, and DataFusion 55.2 wants them to be the same.
pub(super) fn unify_in_distinct_on(
    node: LogicalPlan,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Distinct(Distinct::On(mut on)) = node else { return Ok(Transformed::no(node)) };
    let schema = Arc::clone(on.input.schema());
    let mut changed = false;
    if let Some(order) = &mut on.sort_expr {
        changed |= unify_keys(order, &schema);
        for key in &mut on.on_expr {
            changed |= unify(key, &schema);
        }
    }
    Ok(Transformed::new_transformed(LogicalPlan::Distinct(Distinct::On(on)), changed))
}

fn unify_keys(keys: &mut [Sort], schema: &DFSchema) -> bool {
    let mut changed = false;
    for key in keys {
        changed |= unify(&mut key.expr, schema);
    }
    changed
}

fn unify(key: &mut Expr, schema: &DFSchema) -> bool {
    let is_meant = !is_one_zero(key) && key.get_type(schema).is_ok_and(|given| has_two_zeros(&given));
    if is_meant {
        *key = one_zero(std::mem::take(key));
    }
    is_meant
}
