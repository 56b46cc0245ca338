//! `a AND b`, `a OR b` and CASE compute what can fail only for rows that need it.
//!
//! DataFusion 55.2 computes both sides of AND and OR for all rows of a batch: `a <> 0 AND 10 / a > 1` divided by zero.
//! Its optimizer makes AND and OR of a CASE with boolean results, and arguments of aggregates are computed for rows
//! that FILTER excludes. A CASE that compares with a value is left as it is, so that is what such expressions become.
//! Conditions of WHERE, HAVING and ON are not joined here, so that each can move to its table: `rules/optimizer` guards
//! them when they have.
//!
//! Can go when AND, OR, CASE and FILTER compute only for the rows that they leave open: `tests/slt/numbers.slt` then
//! passes without it.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, lit};

use super::expressions::{has_part, map_expressions};
use super::{RuleContext, can_fail, schema_of_inputs};
use crate::query::walk::WalkExpression;

/// Parts of a right side that stands twice afterwards; larger ones are left, since doubling adds up.
const MOST_PARTS: usize = 64;

/// The node with its expressions computed in order.
pub(super) fn evaluate_in_order(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    if !has_part(&node, is_lazy)? {
        return Ok(Transformed::no(node));
    }
    let schema = schema_of_inputs(&node);
    let conditions = matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Join(_));
    let done = map_expressions(node, |expression| match conditions {
        true => each_condition(expression, &schema),
        false => order_parts(expression, &schema),
    })?;
    match done.transformed {
        true => done.map_data(LogicalPlan::recompute_schema),
        false => Ok(done),
    }
}

fn is_lazy(part: &Expr) -> bool {
    match part {
        Expr::BinaryExpr(binary) => matches!(binary.op, Operator::And | Operator::Or),
        Expr::Case(_) => true,
        Expr::AggregateFunction(call) => call.params.filter.is_some(),
        _ => false,
    }
}

fn each_condition(expression: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    let mut changed = false;
    let mut conditions = Vec::new();
    for condition in split_conjunction_owned(expression) {
        let done = order_parts(condition, schema)?;
        changed |= done.transformed;
        conditions.push(done.data);
    }
    // There was one condition at least.
    let joined = conjunction(conditions).unwrap_or_else(|| lit(true));
    Ok(if changed { Transformed::yes(joined) } else { Transformed::no(joined) })
}

fn order_parts(expression: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    expression.change_parts(&mut |part| match part {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right })
            if can_fail(&right, schema) && !left.is_volatile() =>
        {
            Ok(in_order(*left, op, *right, schema))
        }
        Expr::Case(case) => Ok(keep_case(case, schema)),
        Expr::AggregateFunction(mut call) => {
            let Some(filter) = call.params.filter.clone() else {
                return Ok(Transformed::no(Expr::AggregateFunction(call)));
            };
            let mut changed = false;
            for argument in &mut call.params.args {
                if can_fail(argument, schema) {
                    *argument = only_where(filter.as_ref(), std::mem::take(argument));
                    changed = true;
                }
            }
            let call = Expr::AggregateFunction(call);
            Ok(if changed { Transformed::yes(call) } else { Transformed::no(call) })
        }
        other => Ok(Transformed::no(other)),
    })
}

/// `left op right`, where the right side is computed for rows that the left side does not decide.
fn in_order(left: Expr, op: Operator, right: Expr, schema: &DFSchema) -> Transformed<Expr> {
    // What the left side alone decides: false of AND, true of OR.
    let decided = op == Operator::Or;
    if !left.nullable(schema).unwrap_or(true) {
        return Transformed::yes(case(left, vec![(lit(decided), lit(decided))], right));
    }
    if parts(&right) > MOST_PARTS {
        let (left, right) = (Box::new(left), Box::new(right));
        return Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }));
    }
    // NULL decides nothing, and the right side alone does not either.
    let unknown = Expr::BinaryExpr(BinaryExpr {
        left: Box::new(right.clone()),
        op,
        right: Box::new(lit(ScalarValue::Boolean(None))),
    });
    Transformed::yes(case(left, vec![(lit(decided), lit(decided)), (lit(!decided), right)], unknown))
}

fn parts(expression: &Expr) -> usize {
    let mut count = 0;
    // Counting cannot fail.
    let _ = expression.look_at_parts(&mut |_| {
        count += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    count
}

fn case(of: Expr, branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    Expr::Case(Case {
        expr: Some(Box::new(of)),
        when_then_expr: branches.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect(),
        else_expr: Some(Box::new(otherwise)),
    })
}

/// `argument` for rows where the condition holds, else NULL.
fn only_where(condition: &Expr, argument: Expr) -> Expr {
    Expr::Case(Case {
        expr: Some(Box::new(lit(true))),
        when_then_expr: vec![(Box::new(condition.clone()), Box::new(argument))],
        else_expr: None,
    })
}

/// A CASE with boolean results as one that compares with `true`.
fn keep_case(mut case: Case, schema: &DFSchema) -> Transformed<Expr> {
    let is_boolean =
        case.when_then_expr.first().is_some_and(|(_, then)| matches!(then.get_type(schema), Ok(DataType::Boolean)));
    let results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
    let changed = case.expr.is_none() && is_boolean && results.into_iter().any(|result| can_fail(result, schema));
    if changed {
        case.expr = Some(Box::new(lit(true)));
    }
    Transformed::new_transformed(Expr::Case(case), changed)
}
