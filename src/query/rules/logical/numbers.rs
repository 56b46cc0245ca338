//! Operators and casts of numbers that the text of a statement did not tell: those of parameters, the sign of an integer,
//! and casts to fewer digits, which DataFusion 55.2 moves and cuts (apache/datafusion#22142). `functions/numbers` has why.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::RuleContext;
use crate::error::Error;
use crate::query::functions::numbers::{loses_digits, negate, plan_operation, round_cast};

/// The expression as a function of the engine, where it is one of numbers.
pub(super) fn rewrite(expression: Expr, schema: &DFSchema, _context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let changed = match &expression {
        Expr::BinaryExpr(binary) => plan_operation(&binary.left, binary.op, &binary.right, schema),
        Expr::Negative(operand) => match operand.get_type(schema) {
            Ok(data_type) if data_type.is_integer() => Some(negate(operand.as_ref().clone())),
            _ => None,
        },
        Expr::Cast(cast) => cast_of(&cast.expr, cast.field.data_type(), false, schema)?,
        Expr::TryCast(cast) => cast_of(&cast.expr, cast.field.data_type(), true, schema)?,
        _ => None,
    };
    Ok(changed.map_or_else(|| Transformed::no(expression), Transformed::yes))
}

fn cast_of(operand: &Expr, to: &DataType, or_null: bool, schema: &DFSchema) -> DfResult<Option<Expr>> {
    if let DataType::Decimal256(precision, scale) = to {
        return Err(Error::invalid(format!(
            "DECIMAL({precision},{scale}) has more than 38 digits: write DECIMAL(38,{}) or DOUBLE",
            scale.clamp(&0, &38)
        ))
        .into());
    }
    match operand.get_type(schema) {
        Ok(from) if loses_digits(&from, to) => round_cast(operand.clone(), to, or_null).map(Some),
        _ => Ok(None),
    }
}
