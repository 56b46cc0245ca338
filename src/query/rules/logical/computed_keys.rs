//! Keys of windows, and of orders within aggregates, that hold a CASE or a call in an operator become columns below.
//! DataFusion 55.2 asks such a part for its bounds to tell how rows are sorted, gets none or some without a type, and fails
//! with a dump of its plan: `ORDER BY coalesce(g, 1) > 2`.
//!
//! Can go when CASE and every function have bounds: `tests/slt/operators.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, Window};

use super::RuleContext;
use super::expressions::has_part;
use crate::query::walk::WalkExpression;

/// The node over a projection that holds such keys.
pub(super) fn compute_first(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Window(window) => compute_for_window(window),
        LogicalPlan::Aggregate(_) if !has_part(&node, is_sorted)? => Ok(Transformed::no(node)),
        LogicalPlan::Aggregate(aggregate) => compute_for_aggregate(aggregate),
        other => Ok(Transformed::no(other)),
    }
}

fn is_sorted(part: &Expr) -> bool {
    matches!(part, Expr::AggregateFunction(call) if !call.params.order_by.is_empty())
}

fn compute_for_window(window: Window) -> DfResult<Transformed<LogicalPlan>> {
    let mut keys = Vec::new();
    let window_expr = take_all_keys(&window.window_expr, &mut keys)?;
    if keys.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let shown: Vec<Expr> = window.schema.iter().map(|(qualifier, field)| Expr::from((qualifier, field))).collect();
    let window = Window::try_new(window_expr, Arc::new(with_keys(window.input, keys)?))?;
    LogicalPlanBuilder::from(LogicalPlan::Window(window)).project(shown)?.build().map(Transformed::yes)
}

fn compute_for_aggregate(aggregate: Aggregate) -> DfResult<Transformed<LogicalPlan>> {
    let mut keys = Vec::new();
    let aggr_expr = take_all_keys(&aggregate.aggr_expr, &mut keys)?;
    if keys.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let input = Arc::new(with_keys(aggregate.input, keys)?);
    Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(input, aggregate.group_expr, aggr_expr)?)))
}

/// The calls under their names, with columns for the keys.
fn take_all_keys(calls: &[Expr], keys: &mut Vec<Expr>) -> DfResult<Vec<Expr>> {
    let names = NamePreserver::new_for_projection();
    let take = |call: &Expr| {
        let name = names.save(call);
        let done = call.clone().change_parts(&mut |part| take_keys(part, keys))?;
        Ok(name.restore(done.data))
    };
    calls.iter().map(take).collect()
}

fn take_keys(mut part: Expr, keys: &mut Vec<Expr>) -> DfResult<Transformed<Expr>> {
    let mut changed = false;
    match &mut part {
        Expr::WindowFunction(call) => {
            let params = &mut call.params;
            let order = params.order_by.iter_mut().map(|sort| &mut sort.expr);
            for key in params.partition_by.iter_mut().chain(order) {
                changed |= take_key(key, keys)?;
            }
        }
        // What stands WITHIN GROUP is the argument, and an order of distinct values is that of the argument itself.
        Expr::AggregateFunction(call) if !call.func.supports_within_group_clause() && !call.params.distinct => {
            for sort in &mut call.params.order_by {
                changed |= take_key(&mut sort.expr, keys)?;
            }
        }
        _ => {}
    }
    Ok(Transformed::new_transformed(part, changed))
}

/// Whether the key became a column.
fn take_key(key: &mut Expr, keys: &mut Vec<Expr>) -> DfResult<bool> {
    if key.contains_outer() || !lacks_bounds(key)? {
        return Ok(false);
    }
    let place = keys.iter().position(|earlier| *earlier == *key).unwrap_or(keys.len());
    let taken = std::mem::replace(key, Expr::Column(Column::new_unqualified(name_of(place))));
    if place == keys.len() {
        keys.push(taken);
    }
    Ok(true)
}

fn name_of(place: usize) -> String {
    format!("__key_{place}")
}

/// Whether a part of the key, within an operator or a call, may have no bounds.
fn lacks_bounds(key: &Expr) -> DfResult<bool> {
    for child in key.children()? {
        if child.has_part(&mut |part| Ok(!has_bounds(part)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_bounds(part: &Expr) -> bool {
    matches!(
        part,
        Expr::Column(_)
            | Expr::Literal(..)
            | Expr::Cast(_)
            | Expr::Alias(_)
            | Expr::BinaryExpr(_)
            | Expr::Negative(_)
            | Expr::Not(_)
    )
}

fn with_keys(input: Arc<LogicalPlan>, keys: Vec<Expr>) -> DfResult<LogicalPlan> {
    let mut columns: Vec<Expr> =
        input.schema().iter().map(|(qualifier, field)| Expr::from((qualifier, field))).collect();
    columns.extend(keys.into_iter().enumerate().map(|(place, key)| key.alias(name_of(place))));
    LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(columns)?.build()
}
