//! `nth_value(x, n)` with an n below one: DataFusion 55.2 counts from the end of the frame, and from 0 gives NULL,
//! without a word. PostgreSQL refuses it. What is no literal yet, such as a parameter or `1 - 2`, is checked when
//! constants are folded.
//!
//! Can go when `NthValue` refuses it: `tests/slt/advice.slt` and `tests/it/engine.rs` then pass without it, but for the
//! words.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::Expr;

use super::RuleContext;
use crate::error::Error;

/// # Errors
/// `InvalidInput` with what to write for the last rows.
pub(super) fn refuse(expression: Expr, _: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    check_nth_value(&expression)?;
    Ok(Transformed::no(expression))
}

/// # Errors
/// As [`refuse`].
pub(in crate::query) fn check_nth_value(part: &Expr) -> DfResult<()> {
    if let Expr::WindowFunction(call) = part
        && call.fun.name() == "nth_value"
        && call.params.args.get(1).is_some_and(is_below_one)
    {
        return Err(Error::invalid(
            "nth_value counts from 1: write nth_value(x, n) OVER (ORDER BY y DESC ...) to count from the end",
        )
        .into());
    }
    Ok(())
}

fn is_below_one(number: &Expr) -> bool {
    match number {
        // Clients bind integers of any width.
        Expr::Literal(number, _) if number.data_type().is_integer() => {
            matches!(number.cast_to(&DataType::Int64), Ok(ScalarValue::Int64(Some(number))) if number < 1)
        }
        Expr::Negative(_) => true,
        _ => false,
    }
}
