//! What stands around a SELECT: WITH, ORDER BY, LIMIT, set operations, pipe operators.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Cte, CteAsMaterialized, Expr, Function, LimitClause, Offset, OrderBy, OrderByExpr, OrderByKind, PipeOperator,
    Query, SetExpr, SetOperator, SetQuantifier, TableAlias, TableAliasColumnDef, WindowType, With,
};

use super::{constants, refuse};
use crate::error::Result;
use crate::query::statement::walk::visit_expressions;

pub(super) fn check(query: &Query) -> Result<()> {
    let Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } =
        query;
    if let Some(with) = with {
        check_with(with)?;
    }
    check_body(body)?;
    if let Some(order_by) = order_by {
        check_order_by(order_by, matches!(body.as_ref(), SetExpr::Select(_)))?;
    }
    match limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
            limit.iter().try_for_each(check_count)?;
            if let Some(Offset { value, rows: _ }) = offset {
                check_count(value)?;
            }
            let remedy = "number the rows with row_number() OVER (PARTITION BY ...) and keep the first with QUALIFY";
            refuse(!limit_by.is_empty(), "LIMIT ... BY", remedy)?;
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            [offset, limit].into_iter().try_for_each(check_count)?
        }
        None => {}
    }
    let remedy = "write FETCH FIRST n ROWS ONLY or LIMIT n; ties are kept by rank() with QUALIFY";
    refuse(fetch.is_some(), "FETCH with TIES, PERCENT or a LIMIT", remedy)?;
    refuse(!locks.is_empty(), "FOR UPDATE and FOR SHARE", "a statement reads one state, leave the lock out")?;
    refuse(for_clause.is_some(), "FOR XML, FOR JSON and FOR BROWSE", "results are Arrow, leave it out")?;
    refuse(settings.is_some(), "SETTINGS", "leave it out")?;
    refuse(format_clause.is_some(), "FORMAT", "results are Arrow, leave it out; the client writes files")?;
    pipe_operators.iter().try_for_each(check_pipe_operator)
}

/// The number of rows behind LIMIT or OFFSET.
fn check_count(rows: &Expr) -> Result<()> {
    let remedy = "write the number, or a parameter, or number the rows: QUALIFY row_number() OVER (ORDER BY x) <= \
                  (SELECT ...)";
    refuse(holds_subquery(rows), "a subquery in LIMIT or OFFSET", remedy)
}

fn holds_subquery(expression: &Expr) -> bool {
    visit_expressions(expression, |part: &Expr| match part {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

fn check_with(with: &With) -> Result<()> {
    let With { with_token: _, recursive: _, cte_tables } = with;
    for table in cte_tables {
        let Cte { alias, query: _, from, materialized, closing_paren_token: _ } = table;
        check_alias(alias)?;
        refuse(from.is_some(), "FROM behind a WITH table", "leave it out")?;
        let is_stored = matches!(materialized, Some(CteAsMaterialized::Materialized));
        refuse(is_stored, "AS MATERIALIZED", "leave it out, or store the rows with CREATE TABLE ... AS")?;
    }
    Ok(())
}

/// The name of a relation, with names of columns.
pub(super) fn check_alias(alias: &TableAlias) -> Result<()> {
    let TableAlias { explicit: _, name: _, columns, at } = alias;
    for column in columns {
        let TableAliasColumnDef { name: _, data_type } = column;
        refuse(data_type.is_some(), "a type in the column list of an alias", "CAST the column in SELECT")?;
    }
    refuse(at.is_some(), "AT behind an alias", "leave it out")
}

fn check_body(body: &SetExpr) -> Result<()> {
    match body {
        SetExpr::SetOperation { left, op, set_quantifier, right } => {
            let by_name = matches!(
                set_quantifier,
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
            );
            let remedy = "name the columns in the same order on both sides";
            refuse(by_name && *op != SetOperator::Union, "BY NAME behind INTERSECT or EXCEPT", remedy)?;
            check_body(left)?;
            check_body(right)
        }
        // Visited on their own.
        SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
        // The planner has no place to compute one before the rows.
        SetExpr::Values(values) => {
            let subquery = values.rows.iter().flat_map(|row| &row.content).any(holds_subquery);
            refuse(subquery, "a subquery in VALUES", "write SELECT (SELECT ...), of several rows with UNION ALL")
        }
        SetExpr::Table(_) => refuse(true, "TABLE t", "write SELECT * FROM t"),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            refuse(true, "a change inside a query", "run it as a statement of its own")
        }
    }
}

fn check_order_by(order_by: &OrderBy, of_select: bool) -> Result<()> {
    let OrderBy { kind, interpolate } = order_by;
    refuse(interpolate.is_some(), "INTERPOLATE", "join a table of all keys, such as generate_series or dates")?;
    match kind {
        // Of anything but a SELECT, DataFusion sorts by nothing.
        OrderByKind::All(_) => refuse(!of_select, "ORDER BY ALL behind a set operation", "name the columns"),
        OrderByKind::Expressions(expressions) => {
            expressions.iter().try_for_each(check_order_by_expression)?;
            expressions.iter().try_for_each(constants::check_sort)?;
            let all = expressions.iter().any(|sort| is_all(&sort.expr));
            refuse(all, "ORDER BY ALL", "name the columns, or their numbers: ORDER BY 1, 2")?;
            expressions.iter().try_for_each(|sort| check_no_named_window(&sort.expr, "ORDER BY"))
        }
    }
}

/// The word ALL, which the parser takes for a name there.
fn is_all(expression: &Expr) -> bool {
    matches!(expression, Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all"))
}

pub(super) fn check_order_by_expression(sort: &OrderByExpr) -> Result<()> {
    let OrderByExpr { expr: _, options: _, with_fill } = sort;
    refuse(with_fill.is_some(), "WITH FILL", "join a table of all keys, such as generate_series or dates")
}

/// DataFusion knows the names of windows in the SELECT list only; elsewhere it forgets the whole OVER.
pub(super) fn check_no_named_window(expression: &Expr, clause: &str) -> Result<()> {
    let named = visit_expressions(expression, |part: &Expr| match part {
        Expr::Function(Function { over: Some(WindowType::NamedWindow(_)), .. }) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let place = format!("the name of a window in {clause}");
    refuse(named.is_break(), &place, "write the window in parentheses: OVER (PARTITION BY ... ORDER BY ...)")
}

fn check_pipe_operator(operator: &PipeOperator) -> Result<()> {
    match operator {
        PipeOperator::Where { .. }
        | PipeOperator::Limit { .. }
        | PipeOperator::Select { .. }
        | PipeOperator::Extend { .. }
        | PipeOperator::As { .. }
        | PipeOperator::Union { .. }
        | PipeOperator::Intersect { .. }
        | PipeOperator::Except { .. } => Ok(()),
        PipeOperator::OrderBy { exprs } => {
            exprs.iter().try_for_each(check_order_by_expression)?;
            exprs.iter().try_for_each(constants::check_sort)
        }
        PipeOperator::Join(join) => super::relation::check_join(join),
        PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
            let sorts = full_table_exprs
                .iter()
                .chain(group_by_expr)
                .any(|part| part.order_by.asc.is_some() || part.order_by.nulls_first.is_some());
            refuse(sorts, "ASC and DESC inside |> AGGREGATE", "add |> ORDER BY behind it")
        }
        other => refuse(true, &format!("|> {}", first_word(&other.to_string())), "write it as SELECT ... FROM"),
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
