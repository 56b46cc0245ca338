//! LATERAL: the side of a join that reads the other one.
//!
//! DataFusion 55.2 makes a join of both by the conditions of the subquery, and of the join that stood there it keeps what ON
//! says: the keys of USING and NATURAL are lost. And of a row without input it knows what aggregates give, but not that a
//! constant beside them is the same as ever.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Join, JoinConstraint, LogicalPlan, Subquery};

use super::{check_value, is_one_row};
use crate::error::Error;

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
        if is_one_row(&lateral.subquery) {
            check_constants(&lateral.subquery)?;
        }
        found = true;
    }
    Ok(found)
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
