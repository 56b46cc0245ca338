//! Keeps the order of rows of which the first are left out: `SELECT ... ORDER BY x OFFSET 3` within another query.
//!
//! DataFusion 55.2 hands the order that the outer query asks for down through OFFSET where there is no LIMIT (its
//! `sort_pushdown` asks for `fetch`, which such a node has not), so that other rows are left out. A fence above the node
//! keeps the outer sort above; it is gone from the plan that runs.
//!
//! Can go when it asks for `skip`, too: `tests/slt/offsets.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::fence::{FenceExec, Passage};
use crate::query::walk::WalkExecution;

/// Puts fences in, before DataFusion's rules; `volatile_column` takes them out.
#[derive(Debug)]
pub(super) struct Fence;

impl PhysicalOptimizerRule for Fence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        fence_below_top(plan)
    }

    fn name(&self) -> &str {
        "fence_offsets"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The order of the whole result is looked for from the top: nothing stands in its way.
fn fence_below_top(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    if plan.is::<ProjectionExec>() {
        return plan.map_children(|input| fence_below_top(input).map(Transformed::yes)).data();
    }
    if leaves_first_rows_out(plan.as_ref()) {
        return plan.map_children(|input| fence_all(input).map(Transformed::yes)).data();
    }
    fence_all(plan)
}

fn fence_all(plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.change_nodes(&mut |node| {
        if !leaves_first_rows_out(node.as_ref()) {
            return Ok(Transformed::no(node));
        }
        let fence: Arc<dyn ExecutionPlan> = Arc::new(FenceExec::new(node, Passage::None)?);
        Ok(Transformed::yes(fence))
    })
    .data()
}

fn leaves_first_rows_out(node: &dyn ExecutionPlan) -> bool {
    node.downcast_ref::<GlobalLimitExec>().is_some_and(|limit| limit.skip() > 0 && limit.fetch().is_none())
}
