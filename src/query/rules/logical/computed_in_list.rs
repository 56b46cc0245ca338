//! Takes what is no constant out of `IN (...)` lists, with the same meaning: `a IN (1, b)` is `a IN (1) OR a = b`.
//!
//! DataFusion 55.2 joins two lists on one value as if expressions that are written differently were different values:
//! `a IN (b) AND a IN (c)` was never true, and `a IN (1, 2) AND a NOT IN (b)` forgot `b`. Of constants the two zeros of a
//! DOUBLE are written differently, too.
//!
//! Can go when `inlist_intersection` and `inlist_except` take literals only: `tests/slt/in_lists.slt` then passes without
//! it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{Expr, ExprSchemable, lit};

use super::RuleContext;
use crate::query::functions::numbers::{has_two_zeros, one_zero, unsign_zero};

/// The list with constants alone, and comparisons with what else was in it.
pub(super) fn split(expression: Expr, schema: &DFSchema, _context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let Expr::InList(InList { expr, list, negated }) = expression else { return Ok(Transformed::no(expression)) };
    let is_subquery = matches!(list.as_slice(), [Expr::ScalarSubquery(_)]);
    // What is volatile has one value only where it stands once; `IN ((SELECT ..))` asks for any of the rows.
    if is_subquery || expr.is_volatile() {
        return Ok(Transformed::no(Expr::InList(InList { expr, list, negated })));
    }
    let (mut constants, computed): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(is_constant);
    let mut has_zero = false;
    for constant in &mut constants {
        has_zero |= unify_zero(constant, schema);
    }
    if computed.is_empty() {
        let list = Expr::InList(InList { expr, list: constants, negated });
        return Ok(Transformed::new_transformed(list, has_zero));
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

/// The constant as the other zero where it is the negative one, or may become it when signs are computed.
fn unify_zero(constant: &mut Expr, schema: &DFSchema) -> bool {
    if let Expr::Literal(value, _) = constant {
        return unsign_zero(value);
    }
    let is_signed = matches!(constant, Expr::Negative(_));
    let may_be_zero = is_signed && constant.get_type(schema).is_ok_and(|given| has_two_zeros(&given));
    if may_be_zero {
        *constant = one_zero(std::mem::take(constant));
    }
    may_be_zero
}
