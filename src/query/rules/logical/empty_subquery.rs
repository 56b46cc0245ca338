//! A scalar subquery without a row is NULL. DataFusion 55.2 holds it for never NULL where its column is so, and answers
//! `(SELECT x FROM t WHERE false) IS NULL` by false before it looks.
//!
//! Can go when `Expr::nullable` says that any scalar subquery may be NULL: `tests/slt/empty_subquery.slt` then passes
//! without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::RuleContext;
use super::correlated_subquery::is_one_row;
use crate::query::functions::{maybe_null, value_within};

/// The subquery as a value that may be NULL, but where it has a row for sure.
pub(super) fn allow_null(expression: Expr, _: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    Ok(match expression {
        Expr::ScalarSubquery(subquery) if is_never_null(&subquery.subquery) && !is_one_row(&subquery.subquery) => {
            Transformed::yes(maybe_null(Expr::ScalarSubquery(subquery)))
        }
        Expr::InList(list) => restore_rows(list),
        other => Transformed::no(other),
    })
}

fn is_never_null(plan: &LogicalPlan) -> bool {
    plan.schema().fields().first().is_some_and(|column| !column.is_nullable())
}

/// `IN ((SELECT ...))` asks for any of the rows: DataFusion looks for a subquery that stands alone in the list.
fn restore_rows(mut list: InList) -> Transformed<Expr> {
    if let [only] = list.list.as_mut_slice()
        && let Some(subquery) = value_within(only).cloned()
    {
        *only = subquery;
        return Transformed::yes(Expr::InList(list));
    }
    Transformed::no(Expr::InList(list))
}
