//! What a constant must not be, where it was no literal when the statement was planned: a parameter has its value now,
//! and `1 - 2` is folded.
//!
//! Can go with `logical::nth_value`.

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::query::rules::logical::check_nth_value;
use crate::query::walk::WalkExpression;

#[derive(Debug)]
pub(super) struct CheckFolded;

impl OptimizerRule for CheckFolded {
    fn name(&self) -> &str {
        "check_folded"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        if let LogicalPlan::Window(window) = &plan {
            for call in &window.window_expr {
                call.look_at_parts(&mut |part| check_nth_value(part).map(|()| TreeNodeRecursion::Continue))?;
            }
        }
        Ok(Transformed::no(plan))
    }
}
