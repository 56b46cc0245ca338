//! Takes keys from plans that do not have them.
//!
//! DataFusion 55.2 notes in the schema of a plan which columns are unique, and which others a column tells (its functional
//! dependencies). By these DISTINCT, joins, keys of GROUP BY and of ORDER BY fall away. Three of them are false:
//! - Groups by a column that was unique before a join, and by another one, are held for unique by the first alone.
//! - `unnest` makes several rows of one, and its input's keys stay.
//! - What a column tells in a lateral table, it tells for one row of the other side only.
//!
//! All that the planner and the optimizer conclude from schemas goes through here: tables of FROM (`derived_keys`), what
//! the analyzer leaves, and the rules that read keys (`optimizer::true_keys`). Schemas are computed anew again and again,
//! so what is taken away once comes back.
//!
//! Can go when `aggregate_functional_dependencies`, `Unnest` and lateral joins tell the truth: `tests/slt/unique_keys.slt`
//! then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion, TreeNodeRewriter};
use datafusion::common::{DFSchemaRef, Dependency, FunctionalDependence, FunctionalDependencies, Result as DfResult};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, LogicalPlan};

use crate::query::walk::WalkPlan;

/// The plan with no key that is false. Most plans have none, and are only looked at.
pub(in crate::query) fn without_false_keys(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    match may_have_false_key(&plan)? {
        true => Ok(plan.rewrite_with_subqueries(&mut TakeFalseKeys { path: Vec::new() })?.data),
        false => Ok(plan),
    }
}

/// Whether a key of the plan, or of a plan below it, may be false.
pub(in crate::query) fn may_have_false_key(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.look_at_nodes(&mut |node| {
        found |= makes_false_key(node);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Takes all keys of the plan's rows away; those of the plans below it stay.
pub(in crate::query) fn take_all_keys(plan: &mut LogicalPlan) -> DfResult<()> {
    match plan {
        // These show the columns of their input.
        LogicalPlan::Filter(filter) => take_all_keys(Arc::make_mut(&mut filter.input)),
        LogicalPlan::Sort(sort) => take_all_keys(Arc::make_mut(&mut sort.input)),
        LogicalPlan::Limit(limit) => take_all_keys(Arc::make_mut(&mut limit.input)),
        LogicalPlan::Distinct(Distinct::All(input)) => take_all_keys(Arc::make_mut(input)),
        LogicalPlan::Aggregate(aggregate) => set_keys(&mut aggregate.schema, FunctionalDependencies::empty()),
        LogicalPlan::TableScan(scan) => set_keys(&mut scan.projected_schema, FunctionalDependencies::empty()),
        other => take_inherited_keys(other),
    }
}

/// Whether the node is one of those that make a false key of true ones.
fn makes_false_key(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            let keys = aggregate.schema.functional_dependencies();
            keys.iter().any(|key| !tells_all_groups(aggregate, &key.source_indices))
        }
        LogicalPlan::Unnest(unnest) => !unnest.schema.functional_dependencies().is_empty(),
        LogicalPlan::Join(join) => is_lateral(&join.right) && !join.schema.functional_dependencies().is_empty(),
        _ => false,
    }
}

/// Whether some of the groups tell the others: they hold a key of the input that tells the columns of all.
fn tells_all_groups(aggregate: &Aggregate, some: &[usize]) -> bool {
    let groups = &aggregate.group_expr;
    if some.len() >= groups.len() {
        return true;
    }
    let input = aggregate.input.schema();
    let place = |group: &Expr| match group {
        Expr::Column(column) => input.maybe_index_of_column(column),
        _ => None,
    };
    let places: Vec<Option<usize>> = groups.iter().map(place).collect();
    let is_held = |source: &usize| some.iter().any(|group| places.get(*group) == Some(&Some(*source)));
    input.functional_dependencies().iter().any(|key| {
        let tells = |place: &Option<usize>| place.is_some_and(|place| key.target_indices.contains(&place));
        key.source_indices.iter().all(is_held) && (key.mode == Dependency::Single || places.iter().all(tells))
    })
}

/// Whether the table names columns of the other side of its join.
fn is_lateral(table: &LogicalPlan) -> bool {
    match table {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(named) => matches!(named.input.as_ref(), LogicalPlan::Subquery(_)),
        _ => false,
    }
}

struct TakeFalseKeys {
    /// Of each node from the root down to here, whether a node below it made a false key.
    path: Vec<bool>,
}

impl TreeNodeRewriter for TakeFalseKeys {
    type Node = LogicalPlan;

    fn f_down(&mut self, node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        self.path.push(false);
        Ok(Transformed::no(node))
    }

    fn f_up(&mut self, mut node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        let is_above_one = self.path.pop().unwrap_or(false);
        if !is_above_one && !makes_false_key(&node) {
            return Ok(Transformed::no(node));
        }
        // Also above groups, whose own key is true: the optimizer leaves schemas that were computed of another input.
        take_inherited_keys(&mut node)?;
        if let Some(above) = self.path.last_mut() {
            *above = true;
        }
        Ok(Transformed::yes(node))
    }
}

/// Takes the keys away that the node has from its inputs.
fn take_inherited_keys(node: &mut LogicalPlan) -> DfResult<()> {
    let none = FunctionalDependencies::empty();
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            let keys = keys_of_groups(aggregate);
            set_keys(&mut aggregate.schema, keys)
        }
        LogicalPlan::Projection(projection) => set_keys(&mut projection.schema, none),
        LogicalPlan::SubqueryAlias(named) => set_keys(&mut named.schema, none),
        LogicalPlan::Join(join) => set_keys(&mut join.schema, none),
        LogicalPlan::Window(window) => set_keys(&mut window.schema, none),
        LogicalPlan::Unnest(unnest) => set_keys(&mut unnest.schema, none),
        // The others show the columns of their input, or have no keys.
        _ => Ok(()),
    }
}

/// All keys of the groups together are unique; not those of ROLLUP and its like, nor where all rows are one group.
fn keys_of_groups(aggregate: &Aggregate) -> FunctionalDependencies {
    if matches!(aggregate.group_expr.as_slice(), [] | [Expr::GroupingSet(_)]) {
        return FunctionalDependencies::empty();
    }
    let fields = aggregate.schema.fields();
    let groups = aggregate.group_expr.len();
    let may_be_null = fields.iter().take(groups).any(|field| field.is_nullable());
    let key = FunctionalDependence::new((0..groups).collect(), (0..fields.len()).collect(), may_be_null);
    FunctionalDependencies::new(vec![key.with_mode(Dependency::Single)])
}

fn set_keys(schema: &mut DFSchemaRef, keys: FunctionalDependencies) -> DfResult<()> {
    if *schema.functional_dependencies() != keys {
        *schema = Arc::new(schema.as_ref().clone().with_functional_dependencies(keys)?);
    }
    Ok(())
}
