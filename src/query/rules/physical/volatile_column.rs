//! Keeps a column that changes with each call, such as `random() AS r`, computed once.
//!
//! DataFusion 55.2 hands a condition on `r` through the projection that computes it down to the scan, with `random()` in
//! place of `r`: the rows that pass are chosen by other numbers than those shown (of the kind of datafusion#24678; its
//! `ProjectionExec::gather_filters_for_pushdown` and `FileScanConfig::try_pushdown_filters` do not ask). Conditions come
//! from WHERE and, while a statement runs, from joins, top-k sorts, MIN and MAX. A fence above such a projection lets no
//! condition through; it is gone from the plan that runs.
//!
//! Can go when both ask: `tests/slt/volatile.slt` then passes without it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// Puts fences in, before DataFusion's rules.
#[derive(Debug)]
pub(super) struct Fence;

impl PhysicalOptimizerRule for Fence {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(Transformed::no(node)) };
            if !projection.expr().iter().any(|column| is_volatile(&column.expr)) {
                return Ok(Transformed::no(node));
            }
            Ok(Transformed::yes(Arc::new(FenceExec { input: node }) as Arc<dyn ExecutionPlan>))
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
        plan.transform_up(|node| match node.downcast_ref::<FenceExec>() {
            Some(fence) => Ok(Transformed::yes(Arc::clone(&fence.input))),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "unfence_volatile_columns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Passes rows up as they are, and no condition down.
#[derive(Debug)]
struct FenceExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for FenceExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FenceExec")
    }
}

impl ExecutionPlan for FenceExec {
    fn name(&self) -> &str {
        "FenceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        match children.first() {
            Some(input) => Ok(Arc::new(Self { input: Arc::clone(input) })),
            None => Ok(self),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
