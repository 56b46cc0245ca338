//! Keeps the NULL of two lists on one value: `NOT (a IN (1, 2) AND a IN (3, 4))` is NULL where `a` is.
//!
//! DataFusion 55.2 joins the lists: where no constant is in both, `a IN (1, 2) AND a IN (3, 4)` became false and `a NOT IN
//! (1, 2) OR a NOT IN (3, 4)` true, also for a NULL. It makes a list of `a = 1 OR a = 2`, too. The two lists then stand
//! beside `a IS NULL AND NULL`, which gives the NULL back.
//!
//! A filter drops rows for false as for NULL, so that lists which it asks for together stay as they are, and skip files.
//!
//! Can go when `inlist_intersection` and `inlist_except` give NULL: `tests/slt/in_lists.slt` then passes without it.

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::utils::{split_binary, split_binary_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, binary_expr, lit};

use super::RuleContext;
use super::computed_in_list::is_constant;
use super::expressions::map_expressions;
use crate::query::walk::{WalkExpression, WalkPlan};

/// The node, of which such conditions are NULL where their value is.
pub(super) fn keep(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let mut found = false;
    node.look_at_expressions(&mut |expression| {
        found = found || has_two_lists(expression)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if !found {
        return Ok(Transformed::no(node));
    }
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let done = map_expressions(node, |expression| keep_null(expression, is_filter))?;
    match done.transformed {
        true => done.map_data(LogicalPlan::recompute_schema),
        false => Ok(done),
    }
}

/// Chains of AND and OR are long at times: each is walked once.
fn has_two_lists(expression: &Expr) -> DfResult<bool> {
    if let Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) = expression {
        let parts = split_binary(expression, *op);
        if !values_in_lists(&parts, *op).is_empty() {
            return Ok(true);
        }
        for part in parts {
            if has_two_lists(part)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    for child in expression.children()? {
        if has_two_lists(child)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `is_filter` where nobody tells NULL from false.
fn keep_null(expression: Expr, is_filter: bool) -> DfResult<Transformed<Expr>> {
    let op = match &expression {
        Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => *op,
        _ => return expression.change_children(&mut |child| keep_null(child, false)),
    };
    let mut changed = false;
    let mut parts = Vec::new();
    for part in split_binary_owned(expression, op) {
        let done = keep_null(part, is_filter)?;
        changed |= done.transformed;
        parts.push(done.data);
    }
    let values = match is_filter && op == Operator::And {
        true => Vec::new(),
        false => values_in_lists(&parts.iter().collect::<Vec<_>>(), op),
    };
    for value in values {
        let (lists, mut others): (Vec<Expr>, Vec<Expr>) =
            parts.into_iter().partition(|part| list_of(part).is_some_and(|(listed, _)| *listed == value));
        let lists = lists.into_iter().reduce(|left, right| binary_expr(left, op, right));
        others.extend(lists.map(|lists| with_null_of(value, lists, op)));
        parts = others;
        changed = true;
    }
    // AND and OR have parts.
    let joined = parts.into_iter().reduce(|left, right| binary_expr(left, op, right)).unwrap_or_else(|| lit(true));
    Ok(Transformed::new_transformed(joined, changed))
}

fn with_null_of(value: Expr, lists: Expr, op: Operator) -> Expr {
    let unknown = lit(ScalarValue::Boolean(None));
    match op {
        Operator::And => lists.or(value.is_null().and(unknown)),
        _ => lists.and(value.is_not_null().or(unknown)),
    }
}

/// The values that several of the conditions look up, of which the lists may be joined to what is never NULL: lists of
/// which one holds with AND, and lists of which one excludes with OR.
fn values_in_lists(conditions: &[&Expr], op: Operator) -> Vec<Expr> {
    let lists: Vec<(&Expr, bool)> = conditions.iter().filter_map(|condition| list_of(condition)).collect();
    let mut values: Vec<Expr> = Vec::new();
    for (value, is_negated) in &lists {
        let is_joined = *is_negated == (op == Operator::Or);
        let count = lists.iter().filter(|(other, _)| other == value).count();
        if is_joined && count > 1 && !values.contains(value) {
            values.push((*value).clone());
        }
    }
    values
}

/// The value that a condition looks up among constants, and whether it has to be none of them; `None` for what DataFusion
/// makes no list of.
fn list_of(condition: &Expr) -> Option<(&Expr, bool)> {
    match condition {
        Expr::Not(inner) => list_of(inner).map(|(value, is_negated)| (value, !is_negated)),
        Expr::InList(list) => {
            let is_list = !list.list.is_empty() && list.list.iter().all(is_constant) && !list.expr.is_volatile();
            is_list.then(|| (below_casts(&list.expr), list.negated))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let is_negated = *op == Operator::And;
            let value = compared(left, is_negated)?;
            (compared(right, is_negated)? == value).then_some((value, is_negated))
        }
        _ => None,
    }
}

/// The value that a condition compares with constants.
fn compared(condition: &Expr, is_negated: bool) -> Option<&Expr> {
    match condition {
        Expr::Not(inner) => compared(inner, !is_negated),
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Eq | Operator::NotEq), right }) => {
            let value = match (is_constant(left), is_constant(right)) {
                (false, true) => left,
                (true, false) => right,
                _ => return None,
            };
            ((*op == Operator::NotEq) == is_negated && !value.is_volatile()).then(|| below_casts(value))
        }
        other => list_of(other).filter(|(_, negated)| *negated == is_negated).map(|(value, _)| value),
    }
}

/// The value that was cast: it is NULL where the cast is, and DataFusion takes casts off that stand beside constants.
fn below_casts(value: &Expr) -> &Expr {
    match value {
        Expr::Cast(cast) => below_casts(&cast.expr),
        other => other,
    }
}
