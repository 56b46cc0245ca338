//! A DATE beside a whole number, or cast to one. DataFusion 55.2 makes the number a day, counted from 1970: who forgets the
//! quotes in `day >= 2025-04-21` compares with 2000 days, and gets all rows. PostgreSQL and DuckDB refuse both.
//!
//! The analyzer has put a cast wherever a day and a number meet: in joins, in UNION, in choices.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::RuleContext;
use super::expressions::cast_parts;
use crate::error::Error;

/// # Errors
/// `InvalidInput` for a cast between the two, with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    if let Some((value, target)) = cast_parts(&expression)
        && (is_day(target) || target.is_integer())
        && is_day_and_number(&value.get_type(schema)?, target)
    {
        return Err(refusal().into());
    }
    Ok(Transformed::no(expression))
}

pub(super) fn is_day_and_number(one: &DataType, other: &DataType) -> bool {
    is_day(one) && other.is_integer() || is_day(other) && one.is_integer()
}

fn is_day(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

pub(super) fn refusal() -> Error {
    Error::invalid(
        "a DATE and a number stand side by side: a day is written in quotes, DATE '2025-04-21'; the day n days behind one \
         is DATE '1970-01-01' + n, and the number of days between two is day - DATE '1970-01-01'",
    )
}
