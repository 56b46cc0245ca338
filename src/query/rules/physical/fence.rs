//! A node that passes rows up as they are; conditions, or an order that is asked for, down only where it is told to; and
//! of what is known of the rows, only that up which it is told to.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs,
};

use super::knowledge::Knowledge;
use crate::query::walk::WalkExecution;

/// What conditions may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passage {
    None,
    /// Those that read only the columns at these places.
    Columns(HashSet<usize>),
    /// All; but only this of what is known of the rows goes up.
    Conditions(Knowledge),
}

#[derive(Debug)]
pub(super) struct FenceExec {
    input: Arc<dyn ExecutionPlan>,
    passage: Passage,
    /// What goes up.
    properties: Arc<PlanProperties>,
}

impl FenceExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, passage: Passage) -> DfResult<Self> {
        let properties = match passage {
            Passage::None | Passage::Columns(_) => Arc::clone(input.properties()),
            Passage::Conditions(knowledge) => knowledge.of(input.properties())?,
        };
        Ok(Self { input, passage, properties })
    }

    pub(super) fn passage(&self) -> &Passage {
        &self.passage
    }

    /// Whether all goes up that is known of the rows.
    pub(super) fn lets_all_up(&self) -> bool {
        Arc::ptr_eq(&self.properties, self.input.properties())
    }
}

/// The plan without the fences that are meant.
pub(super) fn remove(
    plan: Arc<dyn ExecutionPlan>,
    is_removable: impl Fn(&FenceExec) -> bool,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.change_nodes(&mut |node| match node.downcast_ref::<FenceExec>() {
        Some(fence) if is_removable(fence) => Ok(Transformed::yes(Arc::clone(&fence.input))),
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
        &self.properties
    }

    /// Where no condition may pass, no order that is asked for may: the input has the order that it has. Nor may it where
    /// the input knows more than goes up: an order by a constant is there without a sort, and still not known above.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![matches!(self.passage, Passage::Columns(_))]
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
        let Some(input) = children.first().cloned() else { return Ok(self) };
        let passage = self.passage.clone();
        if !Arc::ptr_eq(input.properties(), self.input.properties()) {
            return Ok(Arc::new(Self::new(input, passage)?));
        }
        // The very same properties: else nodes above make theirs anew, and a sort would let go of the conditions that it
        // has handed down.
        Ok(Arc::new(Self { input, passage, properties: Arc::clone(&self.properties) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _args: &StatisticsArgs) -> DfResult<Arc<Statistics>> {
        Ok(match inputs.first() {
            Some(input) => Arc::clone(input),
            None => Arc::new(Statistics::new_unknown(&self.schema())),
        })
    }

    /// A projection goes into the input only where nothing but knowledge is held back.
    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
        if !matches!(self.passage, Passage::Conditions(_)) {
            return Ok(None);
        }
        // Of the input, not of the fence: what an input has no use for it gives back, and that goes on below the fence.
        let (columns, input) = (projection.expr().to_vec(), Arc::clone(&self.input));
        let below = ProjectionExec::try_new_with_schema_metadata(columns, input, &projection.schema())?;
        match self.input.try_swapping_with_projection(&below)? {
            Some(input) => Ok(Some(Arc::new(Self::new(input, self.passage.clone())?))),
            None => Ok(None),
        }
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
            Passage::Conditions(_) => ChildFilterDescription::from_child(&conditions, &self.input)?,
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
