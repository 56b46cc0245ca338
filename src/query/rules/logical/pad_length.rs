//! `lpad` and `rpad` to a length of a column that is below zero: DataFusion 55.2 takes such a number for one of 64 bits
//! without a sign and panics; of a constant it makes 0, as PostgreSQL does.
//!
//! Can go when columns do as constants: `tests/slt/advice.slt` then passes without it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::Expr;

use super::RuleContext;
use crate::query::functions::numbers;

/// The call with a length of 0 in place of one below.
pub(super) fn keep_above_zero(expression: Expr, _: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let Expr::ScalarFunction(mut call) = expression else { return Ok(Transformed::no(expression)) };
    let is_meant = matches!(call.func.name(), "lpad" | "rpad");
    match call.args.get_mut(1).filter(|length| is_meant && !matches!(length, Expr::Literal(..))) {
        Some(length) => {
            *length = numbers::pad_length(std::mem::take(length));
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        None => Ok(Transformed::no(Expr::ScalarFunction(call))),
    }
}
