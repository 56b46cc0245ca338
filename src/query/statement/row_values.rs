//! Rows in parentheses are compared column by column: `(a, b) = (c, d)` is `a = c AND b = d`, and NULL where that is.
//!
//! DataFusion 55.2 compares structs, of which NULL equals NULL, takes no expression into them, and knows no
//! `(a, b) IN (SELECT x, y ...)`. The comparisons are written out here (the standard's meaning, as in Postgres; DuckDB
//! compares structs as well). CASE (a, b) WHEN (c, d) stays one of structs: there NULL equals NULL in both. IN (subquery)
//! becomes that of structs, which `rules::logical::in_subquery` takes apart.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Parens, Query, SetExpr,
    UnaryOperator, Value, Values, VisitorMut,
};

use self::subquery::as_structs;
use super::clauses::FunctionKinds;
use super::compose::query_of;
use super::shared_values::calls_changing;
use super::walk::visit_mut;
use crate::error::{Error, Result};

mod subquery;

/// A list of more rows than these is joined, since each is a condition of its own.
const LONGEST_LIST: usize = 64;

/// # Errors
/// `InvalidInput` for rows of different length, and for comparisons that are not done.
pub(super) fn rewrite(statement: &mut DfStatement, kinds: &FunctionKinds<'_>) -> Result<()> {
    let inner = match statement {
        DfStatement::Statement(inner) => inner,
        DfStatement::Explain(explain) => return rewrite(&mut explain.statement, kinds),
        _ => return Ok(()),
    };
    match visit_mut(inner, &mut Rewrite { kinds }) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Rewrite<'a> {
    kinds: &'a FunctionKinds<'a>,
}

impl VisitorMut for Rewrite<'_> {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match self.written_out(expression) {
            Ok(Some(written)) => *expression = written,
            Ok(None) => {}
            Err(refusal) => return ControlFlow::Break(refusal),
        }
        ControlFlow::Continue(())
    }
}

impl Rewrite<'_> {
    /// The comparison column by column; `None` for what is none of rows.
    fn written_out(&self, expression: &mut Expr) -> Result<Option<Expr>> {
        Ok(match expression {
            Expr::BinaryOp { left, op, right } => match (columns(left), columns(right)) {
                (Some(_), Some(_)) => {
                    if is_order(op) {
                        self.check_repeated([&**left, &**right])?;
                    }
                    Some(compare(op, left, right)?)
                }
                (Some(_), None) => refuse_subquery(right)?,
                (None, Some(_)) => refuse_subquery(left)?,
                (None, None) => None,
            },
            Expr::IsDistinctFrom(left, right) => distinct(left, right)?,
            Expr::IsNotDistinctFrom(left, right) => distinct(left, right)?.map(not),
            Expr::IsNull(value) => columns(value).map(|columns| each(cloned(columns), Expr::IsNull)),
            Expr::IsNotNull(value) => columns(value).map(|columns| each(cloned(columns), Expr::IsNotNull)),
            Expr::Between { expr, negated, low, high } if are_rows([&**expr, &**low, &**high]) => {
                self.check_repeated([&**expr, &**low, &**high])?;
                let within =
                    and(compare(&BinaryOperator::GtEq, expr, low)?, compare(&BinaryOperator::LtEq, expr, high)?);
                Some(if *negated { not(within) } else { within })
            }
            Expr::InList { expr, list, negated } if are_rows(list.iter().chain([&**expr])) => {
                Some(self.in_list(expr, list, *negated)?)
            }
            _ => self.membership(expression)?,
        })
    }

    fn in_list(&self, row: &Expr, list: &mut Vec<Expr>, negated: bool) -> Result<Expr> {
        if let Some(other) = list.iter().find(|other| width(other) != width(row)) {
            return compare(&BinaryOperator::Eq, row, other);
        }
        if list.len() > LONGEST_LIST {
            let rows = values(list);
            let (expr, subquery) = as_structs(columns(row).map(cloned).unwrap_or_default(), rows)?;
            return Ok(Expr::InSubquery { expr: Box::new(expr), subquery: Box::new(subquery), negated });
        }
        if list.len() > 1 {
            self.check_repeated([row])?;
        }
        let equal: Vec<Expr> =
            list.iter().map(|other| compare(&BinaryOperator::Eq, row, other)).collect::<Result<_>>()?;
        let any = balanced(equal, &BinaryOperator::Or);
        Ok(if negated { not(any) } else { any })
    }

    /// `IN`, `= ANY` and `<> ALL` of a subquery.
    fn membership(&self, expression: &mut Expr) -> Result<Option<Expr>> {
        let (row, subquery, negated) = match expression {
            Expr::InSubquery { expr, subquery, negated } => (expr, subquery, *negated),
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match right.as_mut() {
                Expr::Subquery(subquery) => (left, subquery, false),
                _ => return Ok(None),
            },
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match right.as_mut() {
                Expr::Subquery(subquery) => (left, subquery, true),
                _ => return Ok(None),
            },
            Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } if columns(left).is_some() => {
                return Err(Error::invalid(
                    "of (a, b) beside ANY and ALL there are = ANY and <> ALL: write EXISTS (SELECT 1 FROM ... WHERE ...) \
                     with the comparison that is meant",
                ));
            }
            _ => return Ok(None),
        };
        let Some(columns) = columns(row).map(cloned) else { return Ok(None) };
        let query = std::mem::replace(subquery.as_mut(), values(&mut Vec::new()));
        let (expr, subquery) = as_structs(columns, query)?;
        Ok(Some(Expr::InSubquery { expr: Box::new(expr), subquery: Box::new(subquery), negated }))
    }

    /// Refuses rows that would be computed more than once and may not.
    fn check_repeated<'e>(&self, rows: impl IntoIterator<Item = &'e Expr>) -> Result<()> {
        match rows.into_iter().any(|row| calls_changing(row, self.kinds)) {
            true => Err(Error::invalid(
                "a row beside several others holds a value that changes with each call, such as random(): compute it in \
                 a derived table first, FROM (SELECT *, random() AS r FROM t) x",
            )),
            false => Ok(()),
        }
    }
}

/// The columns of a row: `(a, b)` or `ROW(a, b)`.
fn columns(expression: &Expr) -> Option<Vec<&Expr>> {
    match expression {
        Expr::Tuple(columns) => Some(columns.iter().collect()),
        Expr::Nested(inner) => columns(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. }) => {
            let [part] = name.0.as_slice() else { return None };
            if !part.as_ident().is_some_and(|part| part.value.eq_ignore_ascii_case("row")) {
                return None;
            }
            let plain = list.args.iter().map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
                _ => None,
            });
            plain.collect()
        }
        _ => None,
    }
}

fn cloned(columns: Vec<&Expr>) -> Vec<Expr> {
    columns.into_iter().cloned().collect()
}

fn are_rows<'a>(all: impl IntoIterator<Item = &'a Expr>) -> bool {
    all.into_iter().all(|each| columns(each).is_some())
}

fn width(row: &Expr) -> usize {
    columns(row).map_or(0, |columns| columns.len())
}

fn is_order(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq)
}

/// One comparison, which is column by column where both sides are rows.
fn compare(op: &BinaryOperator, left: &Expr, right: &Expr) -> Result<Expr> {
    let (Some(lefts), Some(rights)) = (columns(left), columns(right)) else {
        return Ok(binary(left.clone(), op.clone(), right.clone()));
    };
    if lefts.len() != rights.len() || lefts.is_empty() {
        return Err(Error::invalid(format!(
            "a row of {} columns is compared with one of {}: give both the same columns",
            lefts.len(),
            rights.len()
        )));
    }
    let pairs = || lefts.iter().zip(&rights);
    let compare_all = |op: &BinaryOperator| {
        let parts = pairs().map(|(left, right)| compare(op, left, right));
        parts.collect::<Result<Vec<_>>>()
    };
    match op {
        BinaryOperator::Eq => Ok(balanced(compare_all(op)?, &BinaryOperator::And)),
        BinaryOperator::NotEq => Ok(balanced(compare_all(op)?, &BinaryOperator::Or)),
        op if is_order(op) => {
            let strict = match op {
                BinaryOperator::LtEq => &BinaryOperator::Lt,
                BinaryOperator::GtEq => &BinaryOperator::Gt,
                other => other,
            };
            let mut ordered: Option<Expr> = None;
            for (left, right) in pairs().rev() {
                ordered = Some(match ordered {
                    None => compare(op, left, right)?,
                    Some(rest) => {
                        let equal = compare(&BinaryOperator::Eq, left, right)?;
                        binary(compare(strict, left, right)?, BinaryOperator::Or, and(equal, rest))
                    }
                });
            }
            ordered.ok_or_else(|| Error::invalid("a row has no columns"))
        }
        other => Err(Error::invalid(format!("rows such as (a, b) are compared, and have no {other}"))),
    }
}

/// A subquery of one row that would be compared whole.
fn refuse_subquery(other: &Expr) -> Result<Option<Expr>> {
    match other {
        Expr::Subquery(_) => {
            Err(Error::invalid("(a, b) = (SELECT x, y ...) is not supported: write (a, b) IN (SELECT x, y ...)"))
        }
        Expr::Nested(inner) => refuse_subquery(inner),
        _ => Ok(None),
    }
}

fn distinct(left: &Expr, right: &Expr) -> Result<Option<Expr>> {
    let (Some(lefts), Some(rights)) = (columns(left), columns(right)) else { return Ok(None) };
    if lefts.len() != rights.len() {
        return compare(&BinaryOperator::Eq, left, right).map(Some);
    }
    let mut parts = Vec::new();
    for (left, right) in lefts.into_iter().zip(rights) {
        let inner = distinct(left, right)?;
        parts.push(inner.unwrap_or_else(|| Expr::IsDistinctFrom(Box::new(left.clone()), Box::new(right.clone()))));
    }
    Ok(Some(balanced(parts, &BinaryOperator::Or)))
}

/// A test that each column must pass.
fn each(columns: Vec<Expr>, test: fn(Box<Expr>) -> Expr) -> Expr {
    balanced(columns.into_iter().map(|column| test(Box::new(column))).collect(), &BinaryOperator::And)
}

/// A tree as shallow as can be: planning walks it by recursion.
fn balanced(mut parts: Vec<Expr>, op: &BinaryOperator) -> Expr {
    while parts.len() > 1 {
        let mut next = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                Some(right) => binary(left, op.clone(), right),
                None => left,
            });
        }
        parts = next;
    }
    parts.pop().unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }))
}

fn and(left: Expr, right: Expr) -> Expr {
    binary(left, BinaryOperator::And, right)
}

fn not(expression: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(expression))) }
}

/// `VALUES (...), ...`.
fn values(rows: &mut Vec<Expr>) -> Query {
    let rows = rows.drain(..).filter_map(|row| columns(&row).map(cloned)).map(Parens::with_empty_span).collect();
    query_of(SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows }))
}

fn ident(name: &str) -> Ident {
    Ident::with_quote('"', name)
}
