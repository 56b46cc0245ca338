//! Rules over plans while they are optimized: those that stand in for one of DataFusion's, and two behind all of them.
//! Each file names the fault upstream.

mod folded_constants;
mod guard_filters;
mod held_conditions;
mod literal_sides;
mod null_equality;
mod single_distinct;
mod true_keys;

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use self::folded_constants::CheckFolded;
use self::guard_filters::GuardFilters;
use self::literal_sides::LiteralsRight;
use self::null_equality::{ExtractKeys, FlattenJoins};
use self::single_distinct::SingleDistinct;
use self::true_keys::TrueKeys;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// All optimizer rules, DataFusion's included, in their order.
pub(in crate::query) fn rules() -> Vec<Rule> {
    let ours: [Rule; 4] = [
        Arc::new(ExtractKeys::new()),
        Arc::new(FlattenJoins::new()),
        Arc::new(LiteralsRight::new()),
        Arc::new(SingleDistinct::new()),
    ];
    let stand_in = |rule: Rule| ours.iter().find(|own| own.name() == rule.name()).cloned().unwrap_or(rule);
    let mut rules: Vec<Rule> = Optimizer::new().rules.into_iter().map(stand_in).map(TrueKeys::under).collect();
    rules.push(Arc::new(CheckFolded));
    rules.push(Arc::new(GuardFilters));
    rules
}
