//! A node that passes rows up as they are, and conditions, or an order that is asked for, down only where it is told to.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use crate::query::walk::WalkExecution;

/// What conditions may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passage {
    None,
    /// Those that read only the columns at these places.
    Columns(HashSet<usize>),
}

#[derive(Debug)]
pub(super) struct FenceExec {
    input: Arc<dyn ExecutionPlan>,
    passage: Passage,
}

impl FenceExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, passage: Passage) -> Self {
        Self { input, passage }
    }
}

/// The plan without the fences whose passage is as asked for.
pub(super) fn remove(
    plan: Arc<dyn ExecutionPlan>,
    is_removable: impl Fn(&Passage) -> bool,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.change_nodes(&mut |node| match node.downcast_ref::<FenceExec>() {
        Some(fence) if is_removable(&fence.passage) => Ok(Transformed::yes(Arc::clone(&fence.input))),
        _ => Ok(Transformed::no(node)),
    })
    .data()
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

    /// Where no condition may pass, no order that is asked for may: the input has the order that it has.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![self.passage != Passage::None]
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
            Some(input) => Ok(Arc::new(Self::new(Arc::clone(input), self.passage.clone()))),
            None => Ok(self),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        conditions: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> DfResult<FilterDescription> {
        let child = match &self.passage {
            Passage::None => ChildFilterDescription::all_unsupported(&conditions),
            Passage::Columns(places) => {
                ChildFilterDescription::from_child_with_allowed_indices(&conditions, places.clone(), &self.input)?
            }
        };
        Ok(FilterDescription::new().with_child(child))
    }

    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::if_all(result))
    }
}
