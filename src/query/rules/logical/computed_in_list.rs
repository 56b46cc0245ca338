//! Takes what is no constant out of `IN (...)` lists, with the same meaning: `a IN (1, b)` is `a IN (1) OR a = b`.
//!
//! DataFusion 55.2 joins two lists on one value as if expressions that are written differently were different values:
//! `a IN (b) AND a IN (c)` was never true, and `a IN (1, 2) AND a NOT IN (b)` forgot `b`.
//!
//! Can go when `inlist_intersection` and `inlist_except` take literals only: `tests/slt/in_lists.slt` then passes without
//! it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{Expr, lit};

use super::RuleContext;

/// The list with constants alone, and comparisons with what else was in it.
pub(super) fn split(expression: Expr, _schema: &DFSchema, _context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let Expr::InList(InList { expr, list, negated }) = expression else { return Ok(Transformed::no(expression)) };
    let is_subquery = matches!(list.as_slice(), [Expr::ScalarSubquery(_)]);
    // What is volatile has one value only where it stands once; `IN ((SELECT ..))` asks for any of the rows.
    if is_subquery || expr.is_volatile() {
        return Ok(Transformed::no(Expr::InList(InList { expr, list, negated })));
    }
    let (constants, computed): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(is_constant);
    if computed.is_empty() {
        return Ok(Transformed::no(Expr::InList(InList { expr, list: constants, negated })));
    }
    let compare = |value: Expr| {
        let compared = expr.as_ref().clone();
        if negated { compared.not_eq(value) } else { compared.eq(value) }
    };
    let mut parts: Vec<Expr> = computed.into_iter().map(compare).collect();
    if !constants.is_empty() {
        parts.insert(0, Expr::InList(InList { expr, list: constants, negated }));
    }
    // There is one part at least.
    let joined = if negated { conjunction(parts) } else { disjunction(parts) };
    Ok(Transformed::yes(joined.unwrap_or_else(|| lit(negated))))
}

/// Whether the expression has one value in all rows.
pub(super) fn is_constant(value: &Expr) -> bool {
    !(value.any_column_refs() || value.contains_outer() || value.contains_scalar_subquery() || value.is_volatile())
}
