//! Takes the NULLs out of `IN (...)` lists, with the same meaning.
//!
//! DataFusion 55.2 forgets a NULL when it joins two lists: `a NOT IN (6, NULL) AND a IN (4, 5)` kept the rows with 4
//! and 5, though the first condition is never true. `a IN (6) OR NULL`, and `a NOT IN (6) AND NULL`, are what is meant.
//!
//! Can go when `inlist_except` and `inlist_intersection` heed a NULL: `tests/slt/operators.slt` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Expr, lit};

use super::RuleContext;

/// The expression without a literal NULL in its list.
pub(super) fn split(expression: Expr, _schema: &DFSchema, _context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    Ok(split_list(expression))
}

fn split_list(expression: Expr) -> Transformed<Expr> {
    let Expr::InList(mut list) = expression else { return Transformed::no(expression) };
    let before = list.list.len();
    list.list.retain(|value| !is_null(value));
    if list.list.len() == before {
        return Transformed::no(Expr::InList(list));
    }
    let unknown = lit(ScalarValue::Boolean(None));
    if list.list.is_empty() {
        return Transformed::yes(unknown);
    }
    let negated = list.negated;
    let rest = Expr::InList(list);
    Transformed::yes(if negated { rest.and(unknown) } else { rest.or(unknown) })
}

fn is_null(value: &Expr) -> bool {
    match value {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        Expr::Alias(alias) => is_null(&alias.expr),
        _ => false,
    }
}
