//! `(a, b) IN (SELECT x, y ...)` as `struct(a, b) IN (SELECT struct(x, y) ...)`: one value each, as the planner wants it,
//! with every name where the user wrote it.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, ObjectName,
    Query, SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor,
};

use super::super::compose::select_of;
use super::{columns, ident};
use crate::error::{Error, Result};

/// The rows of a subquery that shows more than columns of its tables.
const ROWS: &str = "\u{1}rows";

/// The row and the rows.
pub(super) fn as_structs(row: Vec<Expr>, mut query: Query) -> Result<(Expr, Query)> {
    if row.iter().any(|column| columns(column).is_some()) {
        return Err(Error::invalid("a row within a row beside IN (subquery): write all columns in one row, (a, b, c)"));
    }
    let count = row.len();
    if let Some(shown) = plain_columns(&mut query) {
        if shown.len() != count {
            return Err(Error::invalid(format!(
                "the subquery has {} columns and the row beside IN has {count}: give both the same columns",
                shown.len()
            )));
        }
        let columns = std::mem::take(shown).into_iter().filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        });
        *shown = vec![SelectItem::UnnamedExpr(struct_of(columns.collect()))];
        return Ok((struct_of(row), query));
    }
    let names: Vec<String> = (0..count).map(|place| format!("\u{1}{place}")).collect();
    let column = |name: &String| TableAliasColumnDef { name: ident(name), data_type: None };
    let derived = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(TableAlias {
            explicit: true,
            name: ident(ROWS),
            columns: names.iter().map(column).collect(),
            at: None,
        }),
        sample: None,
    };
    let shown = struct_of(names.iter().map(|name| Expr::Identifier(ident(name))).collect());
    Ok((struct_of(row), select_of(SelectItem::UnnamedExpr(shown), derived)))
}

/// The SELECT list, where nothing else of the query names or counts its columns.
fn plain_columns(query: &mut Query) -> Option<&mut Vec<SelectItem>> {
    let is_whole = query.order_by.is_none() && query.limit_clause.is_none() && query.pipe_operators.is_empty();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(groups, _) if groups.is_empty());
    let is_plain =
        is_whole && !is_grouped && select.distinct.is_none() && select.having.is_none() && select.qualify.is_none();
    let is_listed = select
        .projection
        .iter()
        .all(|item| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }));
    (is_plain && is_listed).then_some(&mut select.projection)
}

fn struct_of(columns: Vec<Expr>) -> Expr {
    let arguments = columns.into_iter().map(|column| FunctionArg::Unnamed(FunctionArgExpr::Expr(column)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: arguments.collect(), clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![ident("struct")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
