//! `VALUES (1.5), ('2.25')`: a text in quotes beside numbers is a number with all of its digits, as in PostgreSQL.
//!
//! DataFusion 55.2 casts the text to the type of the number, DECIMAL(2,1), which rounds it without a word. So the text
//! becomes the literal that it holds. The rows of an INSERT have the types of its columns and stay as they are, as do
//! columns without a decimal: beside a whole number a text with a fraction is refused, and a DOUBLE takes every number.
//!
//! Can go when the planner keeps the digits: `tests/slt/texts_and_numbers.slt` then passes without it, but for what it
//! refuses.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, Query, SetExpr, Statement, UnaryOperator, Value, Values, VisitorMut};

use super::inner_mut;
use super::literals::is_double;
use super::walk::visit_mut;
use crate::error::{Error, Result};

/// # Errors
/// `InvalidInput` for a text that is no number and stands among decimals.
pub(super) fn rewrite(statement: &mut DfStatement) -> Result<()> {
    let Some(inner) = inner_mut(statement) else { return Ok(()) };
    if let Statement::Insert(insert) = &*inner
        && insert.source.as_ref().is_some_and(|source| matches!(source.body.as_ref(), SetExpr::Values(_)))
    {
        return Ok(());
    }
    match visit_mut(inner, &mut Texts) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Texts;

impl VisitorMut for Texts {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        of_body(&mut query.body).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

fn of_body(body: &mut SetExpr) -> Result<()> {
    match body {
        SetExpr::Values(values) => of_rows(values),
        SetExpr::SetOperation { left, right, .. } => {
            of_body(left)?;
            of_body(right)
        }
        _ => Ok(()),
    }
}

fn of_rows(values: &mut Values) -> Result<()> {
    let width = values.rows.first().map_or(0, |row| row.content.len());
    for place in 0..width {
        let mut cells: Vec<&mut Expr> = values.rows.iter_mut().filter_map(|row| row.content.get_mut(place)).collect();
        let kinds: Vec<Kind> = cells.iter().map(|cell| Kind::of(cell)).collect();
        if !kinds.contains(&Kind::Decimal) {
            continue;
        }
        // Of a column with anything else, such as a DOUBLE, the type is not known here, and 'NaN' may be right.
        let is_decimal = !kinds.contains(&Kind::Other);
        for (cell, _) in cells.iter_mut().zip(&kinds).filter(|(_, kind)| **kind == Kind::Text) {
            of_cell(cell, is_decimal)?;
        }
    }
    Ok(())
}

/// What stands in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Decimal,
    Whole,
    Text,
    Null,
    Other,
}

impl Kind {
    fn of(cell: &Expr) -> Self {
        match cell {
            Expr::Nested(inner) => Self::of(inner),
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => match Self::of(expr) {
                number @ (Self::Decimal | Self::Whole) => number,
                _ => Self::Other,
            },
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) if is_double(digits) => Self::Other,
                Value::Number(digits, _) if digits.contains('.') => Self::Decimal,
                Value::Number(..) => Self::Whole,
                Value::SingleQuotedString(_) => Self::Text,
                Value::Null => Self::Null,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

fn of_cell(cell: &mut Expr, is_decimal: bool) -> Result<()> {
    match cell {
        Expr::Nested(inner) => of_cell(inner, is_decimal),
        Expr::Value(value) => {
            let Value::SingleQuotedString(text) = &value.value else { return Ok(()) };
            match number_of(text) {
                Some(number) => *cell = number,
                None if is_decimal => return Err(no_number(text)),
                None => {}
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The number that the text holds, in digits and with a sign or without; blanks around it are none of it.
fn number_of(text: &str) -> Option<Expr> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let digits = digits.strip_suffix('.').unwrap_or(digits).to_owned();
    let number = Expr::Value(Value::Number(digits, false).into());
    Some(match is_negative {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) },
        false => number,
    })
}

fn no_number(text: &str) -> Error {
    Error::invalid(format!(
        "the text '{text}' and numbers stand in one column of VALUES: write it in digits, as 2.25, or all of them as \
         texts, '1.5'"
    ))
}
