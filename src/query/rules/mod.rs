//! What is changed in a plan, or refused, between SQL and execution: each rule a file, each list of rules in its order.
//!
//! Must know no protocol and no workspace: a rule sees a plan and the options of the session.

pub(super) mod logical;
mod null_equality;
pub(super) mod optimizer;
pub(super) mod physical;
mod single_distinct;

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use self::null_equality::{ExtractKeys, FlattenJoins};
use self::single_distinct::SingleDistinct;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// DataFusion's optimizer rules in their order, some of them within one of ours of the same name.
pub(super) fn optimizer_rules() -> Vec<Rule> {
    let ours: [Rule; 3] =
        [Arc::new(ExtractKeys::new()), Arc::new(FlattenJoins::new()), Arc::new(SingleDistinct::new())];
    let guard = |rule: Rule| ours.iter().find(|our| our.name() == rule.name()).cloned().unwrap_or(rule);
    Optimizer::new().rules.into_iter().map(guard).collect()
}
