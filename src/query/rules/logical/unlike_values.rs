//! Values of two kinds in one comparison, of which one is a number without quotes.
//!
//! A text column, or a computed text, beside a number that is written in the statement is refused, as PostgreSQL does.
//! DataFusion 55.2 reads the texts as numbers, so that `order_id = 100001` works until one order number has a letter in
//! it, and then fails at run. A parameter is none of them: a number that is bound equals the text of its digits, and
//! where an order is asked for it is refused when it is bound.
//!
//! What is of no common type DataFusion refuses itself, and does not say what to write; of a BETWEEN it says that this
//! is a fault in its code.
//!
//! Can go when `comparison_coercion` has no type for a text and a number: `tests/slt/advice.slt` and
//! `tests/slt/texts_and_numbers.slt` then pass without it, but for the words.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable};

use super::RuleContext;
use super::meeting::is_comparison;
use super::texts_and_decimals::is_constant;
use crate::error::Error;
use crate::query::functions::numbers::sql_name;

/// # Errors
/// `InvalidInput` for a comparison, an IN list or a BETWEEN of both, with what to write.
pub(super) fn refuse(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            check(left, [right.as_ref()], &op.to_string(), schema)?;
            check(right, [left.as_ref()], &op.swap().unwrap_or(*op).to_string(), schema)?;
            check_kinds(left, [right.as_ref()], schema)?;
        }
        Expr::InList(InList { expr, list, .. }) => {
            check(expr, list, "=", schema)?;
            check_kinds(expr, list, schema)?;
        }
        Expr::Between(Between { expr, low, high, .. }) => {
            check(expr, [low.as_ref(), high.as_ref()], ">=", schema)?;
            check_kinds(expr, [low.as_ref(), high.as_ref()], schema)?;
        }
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
        text if is_constant(text) => return Ok(()),
        _ => return check_text(column, others, schema),
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

/// # Errors
/// `InvalidInput` for a computed text beside a number.
fn check_text<'e>(text: &Expr, others: impl IntoIterator<Item = &'e Expr>, schema: &DFSchema) -> DfResult<()> {
    match others.into_iter().find_map(literal_number) {
        Some(number) if text.get_type(schema).is_ok_and(|given| given.is_string()) => Err(Error::invalid(format!(
            "a text and the number {number} stand side by side: write '{number}', or CAST(x AS DOUBLE) of the text where \
             each of its values is a number"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// # Errors
/// `InvalidInput` for values of which no type holds both. Lengths of time have a rule of their own.
fn check_kinds<'e>(one: &Expr, others: impl IntoIterator<Item = &'e Expr>, schema: &DFSchema) -> DfResult<()> {
    let type_of = |expression: &Expr| expression.get_type(schema).ok().filter(has_kind);
    let Some(given) = type_of(one) else { return Ok(()) };
    let unlike =
        |other: &DataType| !(given.is_nested() && other.is_nested()) && comparison_coercion(&given, other).is_none();
    let Some(other) = others.into_iter().filter_map(type_of).find(unlike) else { return Ok(()) };
    let is_time = |data_type: &DataType| matches!(data_type, DataType::Timestamp(..));
    let is_number = |data_type: &DataType| data_type.is_numeric();
    let remedy = if is_time(&given) && is_number(&other) || is_number(&given) && is_time(&other) {
        "write a time in quotes, TIMESTAMP '2026-01-31 13:45:00'; seconds since 1970 are to_timestamp(n)"
    } else {
        "compare values of one type, or CAST one of them"
    };
    let (one, other) = (sql_name(&given), sql_name(&other));
    Err(Error::invalid(format!("{one} and {other} are of two kinds, and are not compared: {remedy}")).into())
}

/// Whether the type says what may stand beside it.
fn has_kind(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::Null | DataType::Interval(_) | DataType::Duration(_) | DataType::Union(..))
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
