//! DataFusion's rule that moves filters, given conditions of one form: the column left, the constant right. Those that must
//! stay where they are (`held_conditions`) it does not see.
//!
//! DataFusion 55.2 drops conditions on one column that others imply (`simplify_predicates`), and errs where a constant
//! stands left. It takes `t = c AND c = t` for two values, so that no row passed, and of `t >= c AND c < t` it keeps the
//! first. Constants are folded between its rules, so that the form can only be given right before that one.
//!
//! Can go when `simplify_predicates` knows the sides: `tests/slt/conditions.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator};
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::held_conditions::hold_back;

#[derive(Debug)]
pub(super) struct LiteralsRight {
    inner: PushDownFilter,
}

impl LiteralsRight {
    pub(super) fn new() -> Self {
        Self { inner: PushDownFilter::new() }
    }
}

impl OptimizerRule for LiteralsRight {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        let Some(mut held) = hold_back(&plan)? else { return self.move_all(plan, config) };
        let Some(rest) = held.rest.take() else { return Ok(Transformed::no(plan)) };
        let done = self.move_all(rest, config)?;
        match done.transformed {
            true => Ok(Transformed::yes(held.above(done.data)?)),
            false => Ok(Transformed::no(plan)),
        }
    }
}

impl LiteralsRight {
    fn move_all(&self, mut plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        let changed = match &mut plan {
            LogicalPlan::Filter(filter) => turn_filters(filter),
            _ => false,
        };
        let mut done = self.inner.rewrite(plan, config)?;
        done.transformed |= changed;
        Ok(done)
    }
}

/// Filters one upon the other are joined by the rule before their conditions are compared.
fn turn_filters(filter: &mut Filter) -> bool {
    let mut changed = turn(&mut filter.predicate);
    if matches!(filter.input.as_ref(), LogicalPlan::Filter(_))
        && let LogicalPlan::Filter(below) = Arc::make_mut(&mut filter.input)
    {
        changed |= turn_filters(below);
    }
    changed
}

/// The conditions that hold together, each in the form; whether one was changed.
fn turn(condition: &mut Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return false };
    if *op == Operator::And {
        let changed = turn(left);
        return turn(right) || changed;
    }
    if !matches!(op, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq) {
        return false;
    }
    let is_mirrored = matches!((&**left, &**right), (Expr::Literal(..), Expr::Column(_)));
    let mirrored = op.swap().filter(|_| is_mirrored);
    if let Some(mirrored) = mirrored {
        std::mem::swap(left, right);
        *op = mirrored;
    }
    match (&**left, &mut **right) {
        (Expr::Column(_), Expr::Literal(_, metadata)) => {
            // What the metadata of a parameter says is no part of its value.
            metadata.take().is_some() || mirrored.is_some()
        }
        _ => mirrored.is_some(),
    }
}
