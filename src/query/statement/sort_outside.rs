//! ORDER BY a column that is not shown, where the SELECT list makes several rows of one: `SELECT unnest(a) FROM t ORDER BY
//! b`. DataFusion 55.2 looks for `b` among the columns behind `unnest`. The SELECT is read as a derived table here that
//! shows `b`, too, and the query around sorts, and leaves it out.
//!
//! Can go when DataFusion takes such columns through `unnest`: `tests/slt/statements.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, OrderByKind, Query, SelectItem, SetExpr, TableFactor, VisitorMut,
    WildcardAdditionalOptions,
};

use super::compose::{no_rows, query_of, select_of};
use super::inner_mut;
use super::keyed_tables::shows_unnest;
use super::normalize;
use super::walk::{visit_expressions, visit_mut};

/// Lets such queries be sorted outside.
pub(super) fn sort_outside(statement: &mut DfStatement) {
    // It breaks off nowhere.
    let _: Option<ControlFlow<()>> = inner_mut(statement).map(|inner| visit_mut(inner, &mut Outside));
}

struct Outside;

impl VisitorMut for Outside {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        carry_sorts(query);
        ControlFlow::Continue(())
    }
}

/// Makes another query of one that unnests and sorts by what it does not show.
fn carry_sorts(query: &mut Query) {
    let Query { body, order_by, .. } = query;
    let SetExpr::Select(select) = body.as_mut() else { return };
    let Some(OrderByKind::Expressions(sorts)) = order_by.as_mut().map(|order_by| &mut order_by.kind) else {
        return;
    };
    if select.distinct.is_some() || !shows_unnest(select) {
        return;
    }
    let mut carried: Vec<Ident> = Vec::new();
    let shown = select.projection.len();
    for sort in sorts {
        if uses_shown(&sort.expr, &select.projection[..shown]) {
            continue;
        }
        let name = Ident::with_quote('"', format!("\u{1}sort{}", carried.len()));
        let expr = std::mem::replace(&mut sort.expr, Expr::Identifier(name.clone()));
        select.projection.push(SelectItem::ExprWithAlias { expr, alias: name.clone() });
        carried.push(name);
    }
    if carried.is_empty() {
        return;
    }
    let inner = std::mem::replace(body.as_mut(), SetExpr::Values(no_rows()));
    *body = around(inner, carried).body;
}

/// `SELECT * EXCLUDE (carried) FROM (inner)`.
fn around(inner: SetExpr, carried: Vec<Ident>) -> Query {
    let names = carried.into_iter().map(ObjectName::from).collect();
    let all = WildcardAdditionalOptions {
        opt_exclude: Some(ExcludeSelectItem::Multiple(names)),
        ..WildcardAdditionalOptions::default()
    };
    let derived =
        TableFactor::Derived { lateral: false, subquery: Box::new(query_of(inner)), alias: None, sample: None };
    select_of(SelectItem::Wildcard(all), derived)
}

/// Whether something of what is sorted by is of the SELECT list: a name of it, a place, or word for word what is shown.
/// Only there it has a meaning.
fn uses_shown(sort: &Expr, projection: &[SelectItem]) -> bool {
    let is_whole = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(shown) | SelectItem::ExprWithAlias { expr: shown, .. } => shown == sort,
        _ => false,
    };
    let names_shown = |expression: &Expr| match expression {
        Expr::Identifier(name) if is_shown(name, projection) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    matches!(sort, Expr::Value(_)) || projection.iter().any(is_whole) || visit_expressions(sort, names_shown).is_break()
}

fn is_shown(name: &Ident, projection: &[SelectItem]) -> bool {
    let name = normalize(name);
    projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { expr: _, alias } => normalize(alias) == name,
        SelectItem::UnnamedExpr(Expr::Identifier(shown)) => normalize(shown) == name,
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            parts.last().is_some_and(|shown| normalize(shown) == name)
        }
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        _ => false,
    })
}
