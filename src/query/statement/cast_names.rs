//! Names of columns that are casts, and of casts of one column to several types.
//!
//! DataFusion 55.2 names a cast by what is cast: `sum(m)` and `sum(m::DOUBLE)` are two columns of one name to it, which it
//! refuses, and so are `m` and `m::INT` in GROUP BY, whatever the SELECT list calls them. There such a cast is marked with
//! its type, by a call that gives back its value. A cast of a column that a table shows is named as the column, as in
//! Postgres; DataFusion names it `t.m`, dot and all.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    CastKind, Distinct, Expr, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Value, VisitorMut,
};

use super::compose::call_of;
use super::normalize;
use super::walk::visit_mut;
use crate::query::functions::NAMED_CAST;

/// The statement with all its casts marked; `None` where it has none.
pub(in crate::query) fn tell_apart(statement: &DfStatement) -> Option<DfStatement> {
    struct Queries {
        found: bool,
    }
    impl VisitorMut for Queries {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            self.found |= mark_casts(query);
            ControlFlow::Continue(())
        }
    }
    let mut statement = statement.clone();
    let mut queries = Queries { found: false };
    match &mut statement {
        // It breaks off nowhere.
        DfStatement::Statement(inner) => drop(visit_mut(inner, &mut queries)),
        _ => return None,
    }
    queries.found.then_some(statement)
}

/// Marks casts where a column and its cast, or two casts of it, are both keys of GROUP BY: it plans, and fails when it runs.
pub(super) fn tell_keys_apart(query: &mut Query) {
    if let SetExpr::Select(select) = query.body.as_ref()
        && has_key_twice(select)
    {
        mark_casts(query);
    }
}

/// Names the columns of a query that are casts of a column, where no other has the name and nothing reads it otherwise.
pub(super) fn name_columns(query: &mut Query) {
    let sorts_by_columns = match query.order_by.as_ref().map(|order_by| &order_by.kind) {
        Some(OrderByKind::Expressions(sorts)) => {
            sorts.iter().all(|sort| matches!(sort.expr, Expr::Identifier(_) | Expr::Value(_)))
        }
        _ => true,
    };
    if sorts_by_columns {
        name_columns_of(&mut query.body);
    }
}

fn name_columns_of(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        // The names are those of the first SELECT.
        SetExpr::SetOperation { left, .. } => return name_columns_of(left),
        _ => return,
    };
    if select.having.is_some() || select.qualify.is_some() || matches!(select.distinct, Some(Distinct::On(_))) {
        return;
    }
    if !select.projection.iter().any(is_cast_item) {
        return;
    }
    let names: Vec<Option<String>> = select.projection.iter().map(name_of).collect();
    if names.iter().any(Option::is_none) {
        return;
    }
    for (item, name) in select.projection.iter_mut().zip(&names) {
        if let SelectItem::UnnamedExpr(expr) = item
            && let Some(alias) = cast_column(expr).cloned()
            && names.iter().filter(|other| *other == name).count() == 1
        {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
        }
    }
}

fn is_cast_item(item: &SelectItem) -> bool {
    matches!(item, SelectItem::UnnamedExpr(expr) if cast_column(expr).is_some())
}

/// The name that an item gives, empty where it gives none; `None` where it may give any.
fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => Some(column_below(expr).map(normalize).unwrap_or_default()),
        SelectItem::ExprWithAlias { alias, .. } => Some(normalize(alias)),
        _ => None,
    }
}

/// The column of which the expression is a cast.
fn cast_column(expression: &Expr) -> Option<&Ident> {
    match expression {
        Expr::Nested(inner) => cast_column(inner),
        Expr::Cast { expr, .. } => column_below(expr),
        _ => None,
    }
}

/// The column that stands alone, or below casts.
fn column_below(expression: &Expr) -> Option<&Ident> {
    match base_of(expression) {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

/// What is cast, or the expression itself.
fn base_of(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => base_of(inner),
        Expr::Cast { expr, .. } => base_of(expr),
        other => other,
    }
}

fn has_key_twice(select: &Select) -> bool {
    if matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.len() < 2) {
        return false;
    }
    let keys: Vec<&Expr> = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys.iter().map(|key| item_of(key, select).unwrap_or(key)).collect(),
        GroupByExpr::All(_) => select.projection.iter().filter_map(expression_of).collect(),
    };
    let is_same = |one: &Expr, other: &Expr| match (column_below(one), column_below(other)) {
        (Some(one), Some(other)) => normalize(one) == normalize(other),
        _ => base_of(one) == base_of(other),
    };
    let is_cast = |key: &Expr| !std::ptr::eq(base_of(key), key);
    keys.iter().enumerate().any(|(place, key)| {
        is_cast(key) && keys.iter().enumerate().any(|(other, beside)| other != place && is_same(key, beside))
    })
}

fn expression_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The column of the SELECT list that a key names, by its number or its name.
fn item_of<'a>(key: &Expr, select: &'a Select) -> Option<&'a Expr> {
    match key {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => {
                let place = number.parse::<usize>().ok()?.checked_sub(1)?;
                expression_of(select.projection.get(place)?)
            }
            _ => None,
        },
        Expr::Identifier(name) => select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if normalize(alias) == normalize(name) => Some(expr),
            _ => None,
        }),
        _ => None,
    }
}

/// Marks the casts of a query but for those in FROM and WHERE, whose names nobody sees. Whether there is one.
fn mark_casts(query: &mut Query) -> bool {
    let mut mark = Mark { depth: 0, found: false };
    // None of them breaks off.
    if let SetExpr::Select(select) = query.body.as_mut() {
        let _ = visit_mut(&mut select.projection, &mut mark);
        let _ = visit_mut(&mut select.group_by, &mut mark);
        let _ = visit_mut(&mut select.having, &mut mark);
        let _ = visit_mut(&mut select.qualify, &mut mark);
        let _ = visit_mut(&mut select.named_window, &mut mark);
        let _ = visit_mut(&mut select.distinct, &mut mark);
        let _ = visit_mut(&mut query.order_by, &mut mark);
    }
    mark.found
}

struct Mark {
    /// Subqueries have their own turn.
    depth: usize,
    found: bool,
}

impl VisitorMut for Mark {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr, data_type, kind, .. } = expression
            && self.depth == 0
            && !matches!(base_of(expr), Expr::Value(_))
        {
            let or_null = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
            let shown = format!("{data_type}{}", if or_null { " OR NULL" } else { "" });
            let text = Expr::Value(Value::SingleQuotedString(shown).into());
            let cast = std::mem::replace(expression, Expr::Value(Value::Null.into()));
            *expression = call_of(NAMED_CAST, vec![text, cast]);
            self.found = true;
        }
        ControlFlow::Continue(())
    }
}
