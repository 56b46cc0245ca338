//! Keys of ROLLUP, CUBE and GROUPING SETS that move a time become columns below: `GROUP BY ROLLUP (day + 1)`. Where
//! DataFusion 55.2 brings their operands to one type, it gives the changed sets one name, as if they were one column, and
//! finds the keys no more.
//!
//! Can go when keys of changed sets keep their names: `tests/slt/clauses.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator};

use super::RuleContext;
use crate::query::walk::WalkExpression;

/// A key, and the column that holds it.
type Key = (Expr, Column);

/// The aggregate over columns that hold such keys.
pub(super) fn compute_first(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
    let keys = moving_keys(aggregate)?;
    if keys.is_empty() {
        return Ok(Transformed::no(node));
    }
    let mut columns: Vec<Expr> = aggregate.input.schema().columns().into_iter().map(Expr::Column).collect();
    columns.extend(keys.iter().map(|(key, column)| key.clone().alias(&column.name)));
    let input = LogicalPlanBuilder::from(aggregate.input.as_ref().clone()).project(columns)?.build()?;
    let mut groups = Vec::new();
    for sets in &aggregate.group_expr {
        groups.push(sets.clone().change_children(&mut |key| Ok(with_column(key, &keys)))?.data);
    }
    let names = NamePreserver::new_for_projection();
    let mut calls = Vec::new();
    for call in &aggregate.aggr_expr {
        let name = names.save(call);
        calls.push(name.restore(call.clone().transform_down(|part| Ok(with_column(part, &keys)))?.data));
    }
    Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, calls)?)))
}

fn moving_keys(aggregate: &Aggregate) -> DfResult<Vec<Key>> {
    let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for key in sets.distinct_expr() {
        // The name that the nodes above know.
        let name = key.schema_name().to_string();
        if key.has_part(&mut |part| Ok(is_sum(part)))?
            && !aggregate.input.schema().has_column_with_unqualified_name(&name)
        {
            keys.push((key.clone().unalias(), Column::new_unqualified(name)));
        }
    }
    Ok(keys)
}

/// Sums of numbers are calls.
fn is_sum(part: &Expr) -> bool {
    matches!(part, Expr::BinaryExpr(BinaryExpr { op: Operator::Plus | Operator::Minus, .. }))
}

fn with_column(part: Expr, keys: &[Key]) -> Transformed<Expr> {
    let bare = match &part {
        Expr::Alias(alias) => alias.expr.as_ref(),
        other => other,
    };
    match keys.iter().find(|(key, _)| key == bare) {
        Some((_, column)) => Transformed::new(Expr::Column(column.clone()), true, TreeNodeRecursion::Jump),
        None => Transformed::no(part),
    }
}
