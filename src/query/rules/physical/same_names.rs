//! Keeps conditions on columns of one name apart, such as those of `a JOIN b ON a.id = b.id`.
//!
//! DataFusion 55.2 hands conditions down to a scan, from WHERE and, while a statement runs, from joins, top-k sorts, MIN
//! and MAX. A node finds the column of a condition in its input by the name alone: where two columns there have the name
//! it takes the first, and rows are lost (datafusion#20213, #25262, #25263; `FilterRemapper::try_remap`). A semi join
//! hands a condition on its key to the side that it does not show, also by the name, although the key has another one
//! there. While conditions are handed down, a fence above such a node stops those that read a column whose name is not
//! its own.
//!
//! Can go when columns are found by their places: `tests/slt/same_names.slt` then passes without it.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{JoinType, Result as DfResult};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;

use super::fence::{self, FenceExec, Passage};
use crate::query::walk::WalkExecution;

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The rule, between fences if it hands conditions down.
pub(super) fn guard(rule: Rule) -> Rule {
    let pushdowns = [FilterPushdown::new(), FilterPushdown::new_post_optimization()];
    match pushdowns.iter().any(|pushdown| pushdown.name() == rule.name()) {
        true => Arc::new(BetweenFences { rule }),
        false => rule,
    }
}

#[derive(Debug)]
struct BetweenFences {
    rule: Rule,
}

impl PhysicalOptimizerRule for BetweenFences {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = plan.change_nodes(&mut |node| match safe_columns(node.as_ref()) {
            Some(columns) => {
                let fence: Arc<dyn ExecutionPlan> = Arc::new(FenceExec::new(node, Passage::Columns(columns))?);
                Ok(Transformed::yes(fence))
            }
            None => Ok(Transformed::no(node)),
        })?;
        let done = self.rule.optimize(plan.data, config)?;
        match plan.transformed {
            true => fence::remove(done, |fence| matches!(fence.passage(), Passage::Columns(_))),
            false => Ok(done),
        }
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }
}

/// The places of the columns that the node and its inputs know by their names; `None` if these are all.
fn safe_columns(node: &dyn ExecutionPlan) -> Option<HashSet<usize>> {
    let schema = node.schema();
    let mut unsafe_names = HashSet::new();
    add_repeated(&schema, &mut unsafe_names);
    for input in node.children() {
        add_repeated(&input.schema(), &mut unsafe_names);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        add_misleading_keys(join, &mut unsafe_names);
    }
    if unsafe_names.is_empty() {
        return None;
    }
    let names = schema.fields().iter().enumerate();
    let safe: HashSet<usize> =
        names.filter(|(_, field)| !unsafe_names.contains(field.name())).map(|(place, _)| place).collect();
    (safe.len() < schema.fields().len()).then_some(safe)
}

fn add_repeated(schema: &Schema, repeated: &mut HashSet<String>) {
    let mut seen = HashSet::with_capacity(schema.fields().len());
    repeated.extend(schema.fields().iter().map(|field| field.name()).filter(|name| !seen.insert(*name)).cloned());
}

/// Names of keys of a semi join that mean another column on the side that it does not show.
fn add_misleading_keys(join: &HashJoinExec, names: &mut HashSet<String>) {
    for (left, right) in join.on() {
        let (Some(left), Some(right)) = (left.downcast_ref::<Column>(), right.downcast_ref::<Column>()) else {
            continue;
        };
        let (shown, other, side) = match join.join_type() {
            JoinType::LeftSemi => (left, right, join.right()),
            JoinType::RightSemi => (right, left, join.left()),
            _ => continue,
        };
        if shown.name() != other.name() && side.schema().index_of(shown.name()).is_ok() {
            names.insert(shown.name().to_owned());
        }
    }
}
