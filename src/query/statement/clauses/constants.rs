//! Constants in ORDER BY, GROUP BY and DISTINCT ON.
//!
//! The planner sorts and groups by them, which is by nothing; who writes one means a column: a name in single quotes, a
//! position with a sign. PostgreSQL refuses them, and leaves NULL. In a window it takes them; a text is a slip there, too.

use datafusion::sql::sqlparser::ast::{DataType, Expr, OrderByExpr, UnaryOperator, Value};

use super::refuse;
use crate::error::Result;

const NAME: &str = "write the column without quotes, or in double quotes";
const POSITION: &str = "name the column, or write its number in the SELECT list, such as 1";
const NOTHING: &str = "it is the same for all rows, leave it out or name a column";

/// The ORDER BY of a query, in which a number that stands alone is a position.
pub(super) fn check_sort(sort: &OrderByExpr) -> Result<()> {
    check_other(&sort.expr, "ORDER BY")?;
    refuse(is_number(&sort.expr) && !is_position(&sort.expr), "a number in ORDER BY that is no position", POSITION)
}

/// The ORDER BY of a window or of an aggregate, where a number is no position.
pub(super) fn check_inner_sort(sort: &OrderByExpr) -> Result<()> {
    refuse(is_text(&sort.expr), "a text in ORDER BY", NAME)
}

/// A key of GROUP BY, in which the planner takes every whole number for a position.
pub(super) fn check_group(key: &Expr) -> Result<()> {
    check_other(key, "GROUP BY")?;
    refuse(is_fraction(key), "a fraction in GROUP BY", POSITION)
}

/// A key of DISTINCT ON, where the planner takes each number for a constant.
pub(super) fn check_distinct(key: &Expr) -> Result<()> {
    check_other(key, "DISTINCT ON")?;
    refuse(is_number(key), "a column's number in DISTINCT ON", "name the column")
}

fn check_other(key: &Expr, clause: &str) -> Result<()> {
    refuse(is_text(key), &format!("a text in {clause}"), NAME)?;
    refuse(is_truth(key), &format!("a constant in {clause}"), NOTHING)
}

fn is_text(key: &Expr) -> bool {
    value_of(key).is_some_and(|value| {
        !matches!(value, Value::Number(..) | Value::Boolean(_) | Value::Null | Value::Placeholder(_))
    })
}

fn is_truth(key: &Expr) -> bool {
    value_of(key).is_some_and(|value| matches!(value, Value::Boolean(_)))
}

/// Whether the key is a number, with a sign or not, or one that `literals` has written as a DOUBLE.
fn is_number(key: &Expr) -> bool {
    match key {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => {
            is_number(inner)
        }
        Expr::Cast { expr, data_type: DataType::DoublePrecision, .. } => is_text(expr),
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        _ => false,
    }
}

fn is_position(key: &Expr) -> bool {
    matches!(key, Expr::Value(_)) && is_number(key) && !is_fraction(key)
}

fn is_fraction(key: &Expr) -> bool {
    match value_of(key) {
        Some(Value::Number(digits, _)) => digits.parse::<u64>().is_err(),
        Some(_) => false,
        None => matches!(key, Expr::Cast { .. }) && is_number(key),
    }
}

fn value_of(key: &Expr) -> Option<&Value> {
    match key {
        Expr::Nested(inner) => value_of(inner),
        Expr::Value(value) => Some(&value.value),
        _ => None,
    }
}
