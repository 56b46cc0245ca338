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
use super::keyed_tables::shows_unnest;
use super::normalize;
use super::walk::visit_mut;

/// The statement with such queries sorted outside; `None` where it has none.
pub(in crate::query) fn sort_outside(statement: &DfStatement) -> Option<DfStatement> {
    let mut statement = statement.clone();
    let DfStatement::Statement(inner) = &mut statement else { return None };
    let mut outside = Outside { changed: false };
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit_mut(inner, &mut outside);
    outside.changed.then_some(statement)
}

struct Outside {
    changed: bool,
}

impl VisitorMut for Outside {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.changed |= carry_sorts(query);
        ControlFlow::Continue(())
    }
}

/// Whether a query that unnests sorts by what it does not show; it is another query then.
fn carry_sorts(query: &mut Query) -> bool {
    let Query { body, order_by, .. } = query;
    let SetExpr::Select(select) = body.as_mut() else { return false };
    let Some(OrderByKind::Expressions(sorts)) = order_by.as_mut().map(|order_by| &mut order_by.kind) else {
        return false;
    };
    if select.distinct.is_some() || !shows_unnest(select) {
        return false;
    }
    let mut carried: Vec<Ident> = Vec::new();
    let shown = select.projection.len();
    for sort in sorts {
        if is_shown(&sort.expr, &select.projection[..shown]) {
            continue;
        }
        let name = Ident::with_quote('"', format!("\u{1}sort{}", carried.len()));
        let expr = std::mem::replace(&mut sort.expr, Expr::Identifier(name.clone()));
        select.projection.push(SelectItem::ExprWithAlias { expr, alias: name.clone() });
        carried.push(name);
    }
    if carried.is_empty() {
        return false;
    }
    let inner = std::mem::replace(body.as_mut(), SetExpr::Values(no_rows()));
    *body = around(inner, carried).body;
    true
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

/// Whether the SELECT list shows what is sorted by: a name of it, or a place.
fn is_shown(sort: &Expr, projection: &[SelectItem]) -> bool {
    let name = match sort {
        Expr::Value(_) => return true,
        Expr::Identifier(name) => normalize(name),
        _ => return false,
    };
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
