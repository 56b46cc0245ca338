//! Computes a value that changes with each call once where DataFusion 55.2 reads it twice: it makes `x BETWEEN a AND b`
//! into `x >= a AND x <= b`, and `coalesce(x, y)` into a CASE that asks and then takes `x`, so that `random() BETWEEN 0.4
//! AND 0.6` holds for 36 rows of 100 in place of 20. The value becomes a column below, which has one value a row.
//!
//! Can go when both are evaluated once: `tests/slt/volatile.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::expr::{Between, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::RuleContext;
use super::expressions::{has_part, map_expressions};
use crate::query::walk::WalkExpression;

/// Functions that become a CASE over their arguments.
const ASK_FIRST: [&str; 4] = ["coalesce", "nvl", "ifnull", "nvl2"];

/// The node over a projection that holds such values as columns.
pub(super) fn compute_first(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let (LogicalPlan::Filter(_) | LogicalPlan::Projection(_)) = &node else { return Ok(Transformed::no(node)) };
    if !has_part(&node, |part| operands(part).any(Expr::is_volatile))? {
        return Ok(Transformed::no(node));
    }
    let columns: Vec<Expr> = node.schema().columns().into_iter().map(Expr::Column).collect();
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let Some(input) = node.inputs().first().map(|input| (*input).clone()) else { return Ok(Transformed::no(node)) };
    let mut below: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let rewritten = map_expressions(node, |expression| {
        expression.change_parts(&mut |part| Ok(Transformed::yes(with_columns(part, &mut below))))
    })?;
    let input = LogicalPlanBuilder::from(input).project(below)?.build()?;
    let expressions = rewritten.data.expressions();
    let mut plan = rewritten.data.with_new_exprs(expressions, vec![input])?;
    if is_filter {
        plan = LogicalPlanBuilder::from(plan).project(columns)?.build()?;
    }
    Ok(Transformed::yes(plan))
}

/// What is read more than once.
fn operands(part: &Expr) -> impl Iterator<Item = &Expr> {
    let (first, rest): (Option<&Expr>, &[Expr]) = match part {
        Expr::Between(between) => (Some(between.expr.as_ref()), &[]),
        Expr::ScalarFunction(call) if ASK_FIRST.contains(&call.func.name()) => (None, call.args.as_slice()),
        _ => (None, &[]),
    };
    first.into_iter().chain(rest)
}

fn with_columns(part: Expr, below: &mut Vec<Expr>) -> Expr {
    let mut column = |operand: Expr| {
        if !operand.is_volatile() {
            return operand;
        }
        let name = format!("__once_{}", below.len());
        below.push(operand.alias(&name));
        Expr::Column(Column::new_unqualified(name))
    };
    match part {
        Expr::Between(between) => {
            let expr = Box::new(column(*between.expr));
            Expr::Between(Between { expr, ..between })
        }
        Expr::ScalarFunction(call) if ASK_FIRST.contains(&call.func.name()) => {
            let args = call.args.into_iter().map(column).collect();
            Expr::ScalarFunction(ScalarFunction { func: Arc::clone(&call.func), args })
        }
        other => other,
    }
}
