//! Rules over physical plans: guards against what DataFusion's own do wrongly. Each file names the fault upstream, and
//! when the rule can go.

mod fence;
mod knowledge;
mod null_rows;
mod offset_order;
mod same_names;
mod volatile_column;

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::join_selection::JoinSelection;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

/// All rules over physical plans, DataFusion's included, in their order.
pub(in crate::query) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> =
        vec![Arc::new(volatile_column::Fence), Arc::new(offset_order::Fence)];
    let swaps_sides = JoinSelection::new();
    for rule in PhysicalOptimizer::new().rules {
        let is_last_to_swap = rule.name() == swaps_sides.name();
        rules.push(same_names::guard(rule));
        if is_last_to_swap {
            rules.push(Arc::new(null_rows::Fence));
        }
    }
    rules.push(Arc::new(null_rows::Unfence));
    rules.push(Arc::new(volatile_column::Unfence));
    rules
}
