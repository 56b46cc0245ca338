//! Keeps a column that changes with each call, such as `random() AS r`, computed once.
//!
//! DataFusion 55.2 hands a condition on `r` through the projection that computes it down to the scan, with `random()` in
//! place of `r`: the rows that pass are chosen by other numbers than those shown (of the kind of datafusion#24678; its
//! `ProjectionExec::gather_filters_for_pushdown` and `FileScanConfig::try_pushdown_filters` do not ask). Conditions come
//! from WHERE and, while a statement runs, from joins, top-k sorts, MIN and MAX. A fence above such a projection lets no
//! condition through; it is gone from the plan that runs.
//!
//! Can go when both ask: `tests/slt/volatile.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;

use super::fence::{self, FenceExec, Passage};
use crate::query::walk::WalkExecution;

/// Puts fences in, before DataFusion's rules.
#[derive(Debug)]
pub(super) struct Fence;

impl PhysicalOptimizerRule for Fence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.change_nodes(&mut |node| {
            let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(Transformed::no(node)) };
            if !projection.expr().iter().any(|column| is_volatile(&column.expr)) {
                return Ok(Transformed::no(node));
            }
            let fence: Arc<dyn ExecutionPlan> = Arc::new(FenceExec::new(node, Passage::None)?);
            Ok(Transformed::yes(fence))
        })
        .data()
    }

    fn name(&self) -> &str {
        "fence_volatile_columns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Takes the fences out, after DataFusion's rules.
#[derive(Debug)]
pub(super) struct Unfence;

impl PhysicalOptimizerRule for Unfence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        fence::remove(plan, |fence| *fence.passage() == Passage::None)
    }

    fn name(&self) -> &str {
        "unfence_volatile_columns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
