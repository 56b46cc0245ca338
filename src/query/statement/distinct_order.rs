//! `SELECT DISTINCT f(a) ... ORDER BY f(a)` sorts by the column of the result, which has the rows that are left.
//!
//! DataFusion 55.2 looks for `a` there, and refuses. What ORDER BY has in common with the SELECT list, word for word, gets
//! the place of its column here.
//!
//! Can go when DataFusion compares whole expressions: `tests/slt/statements.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Distinct, Expr, OrderByKind, Query, SelectItem, SetExpr, Value, VisitorMut};

use super::inner_mut;
use super::walk::visit_mut;

pub(super) fn name_places(statement: &mut DfStatement) {
    // It breaks off nowhere.
    let _: Option<ControlFlow<()>> = inner_mut(statement).map(|inner| visit_mut(inner, &mut Places));
}

struct Places;

impl VisitorMut for Places {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Query { body, order_by, .. } = query;
        if let SetExpr::Select(select) = body.as_ref()
            && matches!(select.distinct, Some(Distinct::Distinct))
            && let Some(OrderByKind::Expressions(sorts)) = order_by.as_mut().map(|order_by| &mut order_by.kind)
        {
            for sort in sorts {
                if let Some(column) = column_of(&sort.expr, &select.projection) {
                    sort.expr = column;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// The column of the result that is computed by the same expression: its name, or else its place.
fn column_of(sort: &Expr, projection: &[SelectItem]) -> Option<Expr> {
    if matches!(bare(sort), Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) {
        return None;
    }
    // Behind a star nobody knows the places.
    let mut place = Some(0_usize);
    for item in projection {
        place = place.map(|place| place + 1);
        match item {
            SelectItem::ExprWithAlias { expr, alias } if bare(expr) == bare(sort) => {
                return Some(place.map_or_else(|| Expr::Identifier(alias.clone()), number));
            }
            SelectItem::UnnamedExpr(expr) if bare(expr) == bare(sort) => return place.map(number),
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => place = None,
            _ => {}
        }
    }
    None
}

fn bare(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

fn number(place: usize) -> Expr {
    Expr::Value(Value::Number(place.to_string(), false).into())
}
