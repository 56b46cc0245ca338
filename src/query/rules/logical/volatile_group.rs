//! Computes what an aggregate groups by first, where each call gives another value, such as
//! `GROUP BY floor(random() * 3)`.
//!
//! DataFusion 55.2 moves a condition on such a group below the aggregate, where it is computed anew for the condition:
//! groups are lost and their counts wrong (of the kind of datafusion#24678).
//!
//! Can go when `PushDownFilter` keeps conditions on volatile groups above the aggregate:
//! `tests/clients/python/test_guards.py` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};

use super::RuleContext;

/// The aggregate over columns that hold its volatile groups.
pub(super) fn compute_first(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
    if !aggregate.group_expr.iter().any(|group| group.is_volatile() && !matches!(group, Expr::GroupingSet(_))) {
        return Ok(Transformed::no(node));
    }
    let mut columns: Vec<Expr> = aggregate.input.schema().columns().into_iter().map(Expr::Column).collect();
    let mut groups = Vec::new();
    for (index, group) in aggregate.group_expr.iter().enumerate() {
        if !group.is_volatile() {
            groups.push(group.clone());
            continue;
        }
        let name = format!("__group_{index}");
        columns.push(group.clone().unalias().alias(&name));
        // The name that the nodes above know.
        let (qualifier, field) = aggregate.schema.qualified_field(index);
        groups.push(Expr::Column(Column::new_unqualified(name)).alias_qualified(qualifier.cloned(), field.name()));
    }
    let input = LogicalPlanBuilder::from(aggregate.input.as_ref().clone()).project(columns)?.build()?;
    let aggregate = Aggregate::try_new(input.into(), groups, aggregate.aggr_expr.clone())?;
    Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
}
