//! Values of two kinds in one comparison, of which one is a number without quotes.
//!
//! A text column beside a number that is written in the statement is refused, as PostgreSQL does. DataFusion 55.2 reads the
//! texts as numbers, so that `order_id = 100001` works until one order number has a letter in it, and then fails at run.
//! A parameter is none of them: a number that is bound equals the text of its digits, and where an order is asked for it is
//! refused when it is bound.
//!
//! A time or a truth value beside a number DataFusion refuses itself, and does not say what to write.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable};

use super::RuleContext;
use super::meeting::is_comparison;
use crate::error::Error;

/// # Errors
/// `InvalidInput` for a comparison, an IN list or a BETWEEN of both, with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            check(left, [right.as_ref()], &op.to_string(), schema)?;
            check(right, [left.as_ref()], &op.swap().unwrap_or(*op).to_string(), schema)?;
        }
        Expr::InList(InList { expr, list, .. }) => check(expr, list, "=", schema)?,
        Expr::Between(Between { expr, low, high, .. }) => check(expr, [low.as_ref(), high.as_ref()], ">=", schema)?,
        _ => {}
    }
    Ok(Transformed::no(expression))
}

fn check<'e>(
    column: &Expr,
    others: impl IntoIterator<Item = &'e Expr> + Clone,
    operator: &str,
    schema: &DFSchema,
) -> DfResult<()> {
    let name = match column {
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => &column.name,
        _ => return Ok(()),
    };
    let Ok(given) = column.get_type(schema) else { return Ok(()) };
    let beside_number = || others.clone().into_iter().any(|other| is_number(other, schema));
    let refusal = match given {
        DataType::Timestamp(..) if beside_number() => format!(
            "{name} is a time, and beside it stands a number: write a time in quotes, {name} {operator} '2026-01-31' or \
             {name} {operator} TIMESTAMP '2026-01-31 13:45:00'; seconds since 1970 are to_timestamp_seconds(n)"
        ),
        DataType::Boolean if beside_number() => {
            format!("{name} is true or false, and beside it stands a number: write {name}, or NOT {name}")
        }
        given if given.is_string() => {
            let Some(number) = others.into_iter().find_map(literal_number) else { return Ok(()) };
            format!(
                "{name} is a text and {number} a number: write {name} {operator} '{number}', or CAST({name} AS DOUBLE) \
                 {operator} {number} where each of its texts is a number"
            )
        }
        _ => return Ok(()),
    };
    Err(Error::invalid(refusal).into())
}

fn is_number(expression: &Expr, schema: &DFSchema) -> bool {
    expression.get_type(schema).is_ok_and(|given| given.is_numeric())
}

fn literal_number(expression: &Expr) -> Option<&ScalarValue> {
    match expression {
        Expr::Literal(value, _) if value.data_type().is_numeric() && !value.is_null() => Some(value),
        _ => None,
    }
}
