//! Conditions that can fail, behind the others. Runs when DataFusion's optimizer rules have.
//!
//! Conditions that stand side by side are computed for all rows of a batch, and the optimizer brings conditions of
//! several levels together: `SELECT .. FROM (SELECT .. WHERE a <> 0) WHERE 10 / a > 1` divided by zero. Where a
//! condition can fail, it is computed for rows that pass the others. The others stay as they are, so that they still
//! skip files.
//!
//! Can go when what can fail is computed only for rows that pass the conditions beside it and below:
//! `tests/slt/numbers.slt` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::query::rules::logical::can_fail;

#[derive(Debug)]
pub(super) struct GuardFilters;

impl OptimizerRule for GuardFilters {
    fn name(&self) -> &str {
        "guard_filters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(mut filter) => {
                let conditions = split_conjunction_owned(filter.predicate.clone());
                let Some(guarded) = guard(conditions, filter.input.schema()) else {
                    return Ok(Transformed::no(LogicalPlan::Filter(filter)));
                };
                filter.predicate = conjunction(guarded).unwrap_or_else(|| lit(true));
                Ok(Transformed::yes(LogicalPlan::Filter(filter)))
            }
            LogicalPlan::TableScan(mut scan) if scan.filters.len() > 1 => {
                let schema = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
                match guard(scan.filters.clone(), &schema) {
                    None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
                    Some(guarded) => {
                        scan.filters = guarded;
                        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
                    }
                }
            }
            LogicalPlan::Join(mut join) => {
                let conditions = join.filter.clone().map(split_conjunction_owned).unwrap_or_default();
                let mut schema = join.left.schema().as_ref().clone();
                schema.merge(join.right.schema());
                match guard(conditions, &schema) {
                    None => Ok(Transformed::no(LogicalPlan::Join(join))),
                    Some(guarded) => {
                        join.filter = conjunction(guarded);
                        Ok(Transformed::yes(LogicalPlan::Join(join)))
                    }
                }
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

/// The conditions with those that can fail behind the others; `None` when they are so already.
fn guard(conditions: Vec<Expr>, schema: &DFSchema) -> Option<Vec<Expr>> {
    if conditions.len() < 2 {
        return None;
    }
    let (fallible, mut safe): (Vec<_>, Vec<_>) =
        conditions.into_iter().partition(|condition| can_fail(condition, schema));
    if fallible.is_empty() || fallible.len() == 1 && is_guarded_by(&fallible[0], &safe) {
        return None;
    }
    let mut bodies = Vec::new();
    for condition in fallible.into_iter().flat_map(conditions_within) {
        let list = if can_fail(&condition, schema) { &mut bodies } else { &mut safe };
        // The optimizer infers conditions anew in each of its passes.
        if condition.is_volatile() || !list.contains(&condition) {
            list.push(condition);
        }
    }
    let body = bodies.into_iter().rev().reduce(|behind, before| only_where(before, behind))?;
    let guards = conjunction(safe.iter().filter(|condition| !condition.is_volatile()).cloned());
    safe.push(match guards {
        Some(guards) => only_where(guards, body),
        None => body,
    });
    Some(safe)
}

/// `body` where the guard holds, else false: as a condition the same as both, in this order. A CASE of `true`, since the
/// optimizer makes AND of the other form.
fn only_where(guard: Expr, body: Expr) -> Expr {
    Expr::Case(Case {
        expr: Some(Box::new(lit(true))),
        when_then_expr: vec![(Box::new(guard), Box::new(body))],
        else_expr: Some(Box::new(lit(false))),
    })
}

/// The conditions that [`only_where`] joined, in their order; one that it did not make as it is.
fn conditions_within(condition: Expr) -> Vec<Expr> {
    match take_guarded(condition) {
        Ok((mut guards, body)) => {
            guards.extend(conditions_within(body));
            guards
        }
        Err(condition) => vec![condition],
    }
}

/// The guards and the body of what [`only_where`] made.
fn take_guarded(condition: Expr) -> Result<(Vec<Expr>, Expr), Expr> {
    match condition {
        Expr::Case(mut case)
            if case.expr.as_deref() == Some(&lit(true))
                && case.else_expr.as_deref() == Some(&lit(false))
                && case.when_then_expr.len() == 1 =>
        {
            match case.when_then_expr.pop() {
                Some((guard, body)) => Ok((split_conjunction_owned(*guard), *body)),
                None => Err(Expr::Case(case)),
            }
        }
        other => Err(other),
    }
}

fn is_guarded_by(condition: &Expr, safe: &[Expr]) -> bool {
    match take_guarded(condition.clone()) {
        Ok((guards, _)) => safe.iter().all(|condition| condition.is_volatile() || guards.contains(condition)),
        Err(_) => safe.is_empty(),
    }
}
