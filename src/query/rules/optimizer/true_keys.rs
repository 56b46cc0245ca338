//! DataFusion's rules that read which columns are unique, given plans that say nothing false about it.
//!
//! What is false, and why it comes back whenever a schema is computed anew: `logical::unique_keys`.
//!
//! Can go with `logical::unique_keys`.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Distinct, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::Rule;
use crate::query::rules::logical::{may_have_false_key, take_all_keys, without_false_keys};

/// The rules that ask a schema for its functional dependencies.
const READERS: [&str; 4] =
    ["replace_distinct_aggregate", "eliminate_join", "eliminate_duplicated_expr", "optimize_projections"];

#[derive(Debug)]
pub(super) struct TrueKeys {
    inner: Rule,
}

impl TrueKeys {
    /// The rule over true keys where it reads any; another rule as it is.
    pub(super) fn under(rule: Rule) -> Rule {
        let reads_keys = READERS.contains(&rule.name());
        if reads_keys { Arc::new(Self { inner: rule }) } else { rule }
    }

    /// One node rewritten as if its input had no keys. The input stays as it is: a plan of which a part has true keys hides
    /// that those above it are false.
    fn rewrite_without_keys(
        &self,
        node: LogicalPlan,
        input: Arc<LogicalPlan>,
        config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let mut keyless = input.as_ref().clone();
        take_all_keys(&mut keyless)?;
        let done = self.inner.rewrite(with_input(node, Arc::new(keyless)), config)?;
        Ok(done.update_data(|node| with_input(node, input)))
    }
}

impl OptimizerRule for TrueKeys {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        if self.inner.apply_order().is_none() {
            // It walks the whole plan by itself.
            return self.inner.rewrite(without_false_keys(plan)?, config);
        }
        match input_with_keys(&plan) {
            Some(input) if may_have_false_key(&input)? => self.rewrite_without_keys(plan, input, config),
            _ => self.inner.rewrite(plan, config),
        }
    }
}

/// The input of a node of which a rule reads the keys, if it has any.
fn input_with_keys(node: &LogicalPlan) -> Option<Arc<LogicalPlan>> {
    let input = match node {
        LogicalPlan::Sort(sort) => &sort.input,
        LogicalPlan::Distinct(Distinct::All(input)) => input,
        _ => return None,
    };
    (!input.schema().functional_dependencies().is_empty()).then(|| Arc::clone(input))
}

/// The node over another input. DISTINCT becomes groups, or a LIMIT where it has no columns.
fn with_input(mut node: LogicalPlan, input: Arc<LogicalPlan>) -> LogicalPlan {
    match &mut node {
        LogicalPlan::Sort(sort) => sort.input = input,
        LogicalPlan::Distinct(Distinct::All(distinct)) => *distinct = input,
        LogicalPlan::Aggregate(aggregate) => aggregate.input = input,
        LogicalPlan::Limit(limit) => limit.input = input,
        _ => {}
    }
    node
}
