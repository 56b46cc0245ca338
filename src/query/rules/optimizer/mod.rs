//! Rules over plans while they are optimized: those that stand in for one of DataFusion's, and one behind all of them.
//! Each file names the fault upstream.

mod guard_filters;
mod literal_sides;
mod single_distinct;

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use self::guard_filters::GuardFilters;
use self::literal_sides::LiteralsRight;
use self::single_distinct::SingleDistinct;

/// All optimizer rules, DataFusion's included, in their order.
pub(in crate::query) fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let ours: [Arc<dyn OptimizerRule + Send + Sync>; 2] =
        [Arc::new(SingleDistinct::new()), Arc::new(LiteralsRight::new())];
    let mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = Vec::new();
    for rule in Optimizer::new().rules {
        let own = ours.iter().find(|own| own.name() == rule.name()).cloned();
        rules.push(own.unwrap_or(rule));
    }
    rules.push(Arc::new(GuardFilters));
    rules
}
