//! `nth_value(x, n)` with an n below one: DataFusion 55.2 counts from the end of the frame without a word. PostgreSQL refuses
//! it.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::Expr;

use super::RuleContext;
use crate::error::Error;

/// # Errors
/// `InvalidInput` with what to write for the last rows.
pub(super) fn refuse(expression: Expr, _: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Expr::WindowFunction(call) = &expression
        && call.fun.name() == "nth_value"
        && call.params.args.get(1).is_some_and(is_below_one)
    {
        return Err(Error::invalid(
            "nth_value counts from 1: write nth_value(x, n) OVER (ORDER BY y DESC ...) to count from the end",
        )
        .into());
    }
    Ok(Transformed::no(expression))
}

fn is_below_one(number: &Expr) -> bool {
    match number {
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => *number < 1,
        Expr::Negative(_) => true,
        _ => false,
    }
}
