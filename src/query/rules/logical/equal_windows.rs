//! Two windows that are the same once their types are settled, such as those of `RANGE INTERVAL '7 days' PRECEDING` and
//! `INTERVAL '1 week'`: DataFusion 55.2 moves what is common out of the node that computes windows, where nothing can
//! compute it, and fails. It is computed once, and shown under both names.
//!
//! Can go when `CommonSubexprEliminate` leaves whole windows where they are: `tests/slt/sliding_frames.slt` then passes
//! without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Window};

use super::RuleContext;

/// The node with each window once, below its columns as they were.
pub(super) fn compute_once(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Window(window) = &node else { return Ok(Transformed::no(node)) };
    let mut kept: Vec<Expr> = Vec::new();
    // Of each window the place among those that are kept.
    let mut places: Vec<usize> = Vec::new();
    for expression in &window.window_expr {
        let same = |other: &Expr| bare(other) == bare(expression) && !expression.is_volatile();
        places.push(kept.iter().position(same).unwrap_or(kept.len()));
        if places.last() == Some(&kept.len()) {
            kept.push(expression.clone());
        }
    }
    if kept.len() == window.window_expr.len() {
        return Ok(Transformed::no(node));
    }
    let of_input = window.input.schema().fields().len();
    let once = LogicalPlan::Window(Window::try_new(kept, Arc::clone(&window.input))?);
    let mut columns: Vec<Expr> = once.schema().iter().take(of_input).map(Expr::from).collect();
    for (place, (qualifier, field)) in places.iter().zip(window.schema.iter().skip(of_input)) {
        let column = Expr::from(once.schema().qualified_field(of_input + place));
        columns.push(column.alias_qualified(qualifier.cloned(), field.name()));
    }
    Ok(Transformed::yes(LogicalPlanBuilder::from(once).project(columns)?.build()?))
}

fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Alias(alias) => bare(&alias.expr),
        other => other,
    }
}
