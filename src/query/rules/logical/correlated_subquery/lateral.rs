//! LATERAL: the side of a join that reads the other one.
//!
//! DataFusion 55.2 makes a join of both by the conditions of the subquery, and of the join that stood there it keeps what ON
//! says: the keys of USING and NATURAL are lost. Of a row without input it knows what aggregates give, but not that a
//! constant beside them is the same as ever. And a column that is compared with the outer row becomes one of the keys of
//! DISTINCT and GROUP BY: other than by `=`, a row comes once for each of its values.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Join, JoinConstraint, LogicalPlan, Operator, Subquery};

use super::{check_value, is_one_row};
use crate::error::Error;
use crate::query::walk::WalkPlan;

/// A join of such a side with its keys as a condition.
///
/// # Errors
/// `InvalidInput` for a side that DataFusion would answer wrongly.
pub(super) fn prepare(node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Join(join) if reads_other_side(&join)? && !join.on.is_empty() => {
            Ok(Transformed::yes(LogicalPlan::Join(keys_to_conditions(join))))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn reads_other_side(join: &Join) -> DfResult<bool> {
    let mut found = false;
    for lateral in [&join.left, &join.right].into_iter().filter_map(|side| lateral_of(side)) {
        check_value(&lateral.subquery)?;
        check_keys(&lateral.subquery)?;
        if is_one_row(&lateral.subquery) {
            check_constants(&lateral.subquery)?;
        }
        found = true;
    }
    Ok(found)
}

/// Refuses DISTINCT and GROUP BY above comparisons with the outer row that leave several values of a column.
fn check_keys(plan: &LogicalPlan) -> DfResult<()> {
    plan.look_at_own_nodes(&mut |node| {
        let has_keys = match node {
            LogicalPlan::Distinct(_) => true,
            LogicalPlan::Aggregate(aggregate) => !aggregate.group_expr.is_empty(),
            _ => false,
        };
        if has_keys && node.has_own_node(&mut compares_otherwise)? {
            return Err(Error::invalid(
                "DISTINCT and GROUP BY in LATERAL above a comparison with the outer row other than column = value are not \
                 supported: write SELECT DISTINCT, or GROUP BY, outside of LATERAL",
            )
            .into());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(drop)
}

/// Whether the node compares with the outer row other than a column of its own by `=`.
fn compares_otherwise(node: &LogicalPlan) -> bool {
    let is_key = |condition: &Expr| match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let fixes = |column: &Expr, value: &Expr| matches!(column, Expr::Column(_)) && !value.any_column_refs();
            fixes(left, right) || fixes(right, left) || !condition.contains_outer()
        }
        other => !other.contains_outer(),
    };
    match node {
        LogicalPlan::Filter(filter) => !split_conjunction(&filter.predicate).into_iter().all(is_key),
        LogicalPlan::Join(join) => join.filter.as_ref().is_some_and(Expr::contains_outer),
        _ => false,
    }
}

fn lateral_of(side: &LogicalPlan) -> Option<&Subquery> {
    match side {
        LogicalPlan::Subquery(subquery) => Some(subquery).filter(|subquery| !subquery.outer_ref_columns.is_empty()),
        LogicalPlan::SubqueryAlias(alias) => lateral_of(&alias.input),
        LogicalPlan::Projection(projection) => lateral_of(&projection.input),
        _ => None,
    }
}

/// The columns above the aggregate that makes one row.
fn check_constants(plan: &LogicalPlan) -> DfResult<()> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => check_constants(&alias.input),
        LogicalPlan::Projection(projection) if projection.expr.iter().all(|column| column.any_column_refs()) => {
            check_constants(&projection.input)
        }
        LogicalPlan::Projection(_) => Err(Error::invalid(
            "a constant beside aggregates in LATERAL is not supported: write it in the SELECT list outside of LATERAL",
        )
        .into()),
        _ => Ok(()),
    }
}

fn keys_to_conditions(mut join: Join) -> Join {
    let keys = std::mem::take(&mut join.on).into_iter().map(|(left, right)| left.eq(right));
    join.filter = conjunction(keys.chain(join.filter.take()));
    join.join_constraint = JoinConstraint::On;
    join
}
