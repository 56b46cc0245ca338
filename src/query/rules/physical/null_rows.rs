//! Keeps what is known of a column below a node that makes it NULL in further rows from being believed above.
//!
//! DataFusion 55.2 believes more of the rows of a join, and of GROUPING SETS, than is true of them:
//! - a column that is constant on the side of an outer join that may be missing, by a filter or the ON condition, counts
//!   as constant above the join, where it is also NULL (`EquivalenceGroup::join`), and so does a constant key of ROLLUP
//!   above the totals (`AggregateExec::compute_properties`, which also keeps the order of the keys);
//! - the order of one side counts, behind that of the other, as an order of an inner join, although rows of the other
//!   side may be the same in all that they are ordered by (`join_equivalence_properties`);
//! - the order by a column that has one value a partition is asked for below a join that itself does not know the
//!   column as such (`EquivalenceClass::try_with_offset`), so that the plan is refused.
//!
//! Then ORDER BY drops a key, windows number and frame wrongly, and GROUP BY shows a group several times. A fence keeps
//! such knowledge down. Fences that keep nothing down are gone from the plan that runs; the others stay, as nodes compute
//! what they know anew.
//!
//! Can go when joins and grouping sets know what holds: `tests/slt/outer_constants.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{JoinType, Result as DfResult};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, PiecewiseMergeJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::fence::{self, FenceExec, Passage};
use super::knowledge::Knowledge;
use crate::query::walk::WalkExecution;

/// Puts fences in, when no rule swaps the sides of joins any more, but before sorts are planned.
#[derive(Debug)]
pub(super) struct Fence;

impl PhysicalOptimizerRule for Fence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.change_nodes(&mut |node| {
            if has_grouping_sets(node.as_ref()) {
                let fence: Arc<dyn ExecutionPlan> =
                    Arc::new(FenceExec::new(node, Passage::Conditions(Knowledge::Nothing))?);
                return Ok(Transformed::yes(fence));
            }
            match what_holds_of_sides(node.as_ref()) {
                Some(sides) => Ok(Transformed::yes(fence_join(node, sides)?)),
                None => Ok(Transformed::no(node)),
            }
        })
        .data()
    }

    fn name(&self) -> &str {
        "fence_null_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Takes out the fences that keep nothing down, after DataFusion's rules.
#[derive(Debug)]
pub(super) struct Unfence;

impl PhysicalOptimizerRule for Unfence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        fence::remove(plan, |fence| matches!(fence.passage(), Passage::Conditions(_)) && fence.lets_all_up())
    }

    fn name(&self) -> &str {
        "unfence_null_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn has_grouping_sets(node: &dyn ExecutionPlan) -> bool {
    node.downcast_ref::<AggregateExec>().is_some_and(|aggregate| aggregate.group_expr().has_grouping_set())
}

/// What holds above a join of its left and its right side, where it is less than what DataFusion believes.
type Sides = [Option<Knowledge>; 2];

fn what_holds_of_sides(node: &dyn ExecutionPlan) -> Option<Sides> {
    match join_type(node)? {
        JoinType::Left => Some([None, Some(Knowledge::SameColumns)]),
        JoinType::Right => Some([Some(Knowledge::SameColumns), Some(Knowledge::AllButPartitionConstants)]),
        JoinType::Full => Some([Some(Knowledge::SameColumns), Some(Knowledge::SameColumns)]),
        // A hash join keeps the order of its right side, a sorting one that of its left.
        JoinType::Inner if node.is::<HashJoinExec>() => {
            Some([Some(Knowledge::AllButOrder), Some(Knowledge::AllButPartitionConstants)])
        }
        JoinType::Inner if is_sorting_inner_join(node) => Some([None, Some(Knowledge::AllButOrder)]),
        _ => None,
    }
}

fn join_type(node: &dyn ExecutionPlan) -> Option<JoinType> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return Some(*join.join_type());
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return Some(*join.join_type());
    }
    if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
        return Some(join.join_type());
    }
    node.downcast_ref::<PiecewiseMergeJoinExec>().map(|join| join.join_type())
}

fn fence_join(node: Arc<dyn ExecutionPlan>, sides: Sides) -> DfResult<Arc<dyn ExecutionPlan>> {
    let is_sorting = is_sorting_inner_join(node.as_ref());
    let join = fence_sides(node, sides)?;
    if !is_sorting {
        return Ok(join);
    }
    // An order by columns of the right side is not had by sorting that side, as DataFusion believes.
    Ok(Arc::new(FenceExec::new(join, Passage::Conditions(Knowledge::All))?))
}

fn is_sorting_inner_join(node: &dyn ExecutionPlan) -> bool {
    node.downcast_ref::<SortMergeJoinExec>().is_some_and(|join| join.join_type() == JoinType::Inner)
}

fn fence_sides(join: Arc<dyn ExecutionPlan>, sides: Sides) -> DfResult<Arc<dyn ExecutionPlan>> {
    let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::with_capacity(sides.len());
    for (input, holds) in join.children().into_iter().zip(sides) {
        inputs.push(match holds {
            Some(holds) => fence_side(input, holds)?,
            None => Arc::clone(input),
        });
    }
    replace_children_if_necessary(join, inputs)
}

fn fence_side(input: &Arc<dyn ExecutionPlan>, holds: Knowledge) -> DfResult<Arc<dyn ExecutionPlan>> {
    let fence = FenceExec::new(Arc::clone(input), Passage::Conditions(holds))?;
    // All constants are known by now; an order may come to be known. A fence is in the way of sorts of the side whose
    // order the join keeps.
    if holds == Knowledge::AllButPartitionConstants && fence.lets_all_up() {
        return Ok(Arc::clone(input));
    }
    Ok(Arc::new(fence))
}
