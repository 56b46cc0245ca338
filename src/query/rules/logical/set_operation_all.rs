//! `INTERSECT ALL` and `EXCEPT ALL` count rows: the standard keeps min(m, n) and max(m - n, 0) copies of a row.
//!
//! DataFusion 55.2 plans a semi or anti join, which keeps all m copies or none (datafusion#12955, #12956). Here the
//! copies of a row are numbered on both sides, and the number is one more column to compare: a set then, joined rightly.
//!
//! Can go when those are closed: `tests/slt/set_operations.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder};

use super::RuleContext;
use super::meeting::is_set_operation;

/// The number of a copy among its equals.
const COPY: &str = "__copy";

/// The node, with the copies of its rows compared one by one.
pub(super) fn count_copies(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    match &node {
        LogicalPlan::Join(join) if is_set_operation_all(join) => rewrite(join).map(Transformed::yes),
        _ => Ok(Transformed::no(node)),
    }
}

/// Without ALL the left side is distinct.
fn is_set_operation_all(join: &Join) -> bool {
    is_set_operation(join) && !matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)))
}

fn rewrite(join: &Join) -> DfResult<LogicalPlan> {
    let (mut left, mut right): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
    let numbered_left = number_copies(&join.left, &left)?;
    let numbered_right = number_copies(&join.right, &right)?;
    left.push(Expr::Column(Column::new_unqualified(COPY)));
    right.push(Expr::Column(Column::new_unqualified(COPY)));
    let joined = Join::try_new(
        Arc::new(numbered_left),
        Arc::new(numbered_right),
        left.into_iter().zip(right).collect(),
        join.filter.clone(),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    let columns = join.left.schema().columns().into_iter().map(Expr::Column);
    LogicalPlanBuilder::from(LogicalPlan::Join(joined)).project(columns)?.build()
}

fn number_copies(side: &LogicalPlan, columns: &[Expr]) -> DfResult<LogicalPlan> {
    let number = row_number().partition_by(columns.to_vec()).build()?;
    let name = number.schema_name().to_string();
    let numbered = LogicalPlanBuilder::from(side.clone()).window([number])?;
    let with_number = side
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .chain([Expr::Column(Column::new_unqualified(name)).alias(COPY)]);
    numbered.project(with_number)?.build()
}
