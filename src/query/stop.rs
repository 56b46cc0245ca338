//! Makes joins without an equality stop when their statement does.
//!
//! A join by nested loops whose filter rejects everything computes on without giving way, so aborting its task does
//! nothing. Here its inputs end with an error once the statement is over.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::walk::WalkExecution;

/// Joins that compare every pair of rows.
const PAIRWISE_JOINS: [&str; 2] = ["NestedLoopJoinExec", "CrossJoinExec"];

/// Set when a statement is over, however it ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stops a statement when it is dropped.
pub(super) struct StopOnDrop(pub(super) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The plan with the inputs of its pairwise joins watching `stop`.
pub(super) fn stoppable(plan: Arc<dyn ExecutionPlan>, stop: &Stop) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.change_nodes(&mut |node| {
        if !PAIRWISE_JOINS.contains(&node.name()) {
            return Ok(Transformed::no(node));
        }
        let recompute = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let watched = node.children().into_iter().map(|input| StopExec::watch(input, stop)).collect();
        Ok(Transformed::yes(node.replace_children(watched, recompute)?))
    })
    .data()
}

/// Passes its input on until the statement stops.
#[derive(Debug)]
struct StopExec {
    input: Arc<dyn ExecutionPlan>,
    stop: Stop,
}

impl StopExec {
    fn watch(input: &Arc<dyn ExecutionPlan>, stop: &Stop) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input: Arc::clone(input), stop: stop.clone() })
    }
}

impl DisplayAs for StopExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopExec")
    }
}

impl ExecutionPlan for StopExec {
    fn name(&self) -> &str {
        "StopExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
            Some(input) => Ok(Self::watch(input, &self.stop)),
            None => Ok(self),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let stop = self.stop.clone();
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let watched = input.map(move |batch| {
            if stop.is_set() {
                return Err(DataFusionError::Execution("the statement was stopped".to_owned()));
            }
            batch
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, watched)))
    }
}
