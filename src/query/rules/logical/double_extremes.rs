//! `min` and `max` of DOUBLEs by group: `functions/numbers/double_extreme` has what DataFusion 55.2 does wrongly with
//! NaN.
//!
//! Can go when `primitive_min_accumulator` and `primitive_max_accumulator` hold NaN for the largest:
//! `tests/slt/extremes.slt` then passes without it.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::RuleContext;
use crate::query::functions::numbers::extreme_of_doubles;

pub(super) fn replace(
    mut expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    if let Expr::AggregateFunction(call) = &mut expression
        && let Some(extreme) = extreme_of_doubles(&call.func)
        && let [value] = call.params.args.as_slice()
        && matches!(value.get_type(schema)?, DataType::Float32 | DataType::Float64)
    {
        call.func = extreme;
        return Ok(Transformed::yes(expression));
    }
    Ok(Transformed::no(expression))
}
