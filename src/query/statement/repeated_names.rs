//! Results may repeat a column's name, as in `SELECT 1, 1` or `SELECT *, net FROM orders`; plans may not.
//!
//! A statement that does not plan as it stands is planned once more with a mark behind the name of each column, which
//! is taken away from what the client sees. It then has no names that clash with each other or with those of the
//! tables, as in `SELECT sum(net) AS net ... ORDER BY sum(net)`.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, Ident, OrderByKind, Query, SelectItem, SetExpr, SetQuantifier, Statement};

use super::normalize;
use crate::query::walk::WalkPlan;

/// Stands between a column's name and its place. No name of a table has it.
const MARK: char = '\u{1}';

/// The statement with its columns marked; `None` where that would be the same.
pub(in crate::query) fn mark(statement: &DfStatement) -> Option<DfStatement> {
    let mut statement = statement.clone();
    let DfStatement::Statement(inner) = &mut statement else { return None };
    let query = match inner.as_mut() {
        Statement::Query(query) => query,
        // Its columns go into the table by their place.
        Statement::Insert(insert) => insert.source.as_mut()?,
        _ => return None,
    };
    let Query { body, order_by, .. } = query.as_mut();
    let names = mark_body(body)?;
    if let Some(order_by) = order_by
        && let OrderByKind::Expressions(sorts) = &mut order_by.kind
    {
        for sort in sorts {
            if let Expr::Identifier(name) = &sort.expr
                && let Some((_, marked)) = names.iter().find(|(shown, _)| *shown == normalize(name))
            {
                sort.expr = Expr::Identifier(marked.clone());
            }
        }
    }
    Some(statement)
}

/// Names as they are shown, with what stands for them.
type Marked = Vec<(String, Ident)>;

fn mark_body(body: &mut SetExpr) -> Option<Marked> {
    match body {
        SetExpr::Select(select) => Some(mark_items(&mut select.projection)),
        SetExpr::SetOperation { left, right, set_quantifier, op: _ } => {
            let by_place = !matches!(
                set_quantifier,
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
            );
            // The names are those of the first SELECT.
            let names = if by_place { mark_body(left)? } else { return None };
            mark_body(right);
            Some(names)
        }
        SetExpr::Query(query) if query.order_by.is_none() => mark_body(&mut query.body),
        _ => None,
    }
}

fn mark_items(items: &mut [SelectItem]) -> Marked {
    let mut names = Vec::new();
    for (place, item) in items.iter_mut().enumerate() {
        let (expr, shown) = match item {
            SelectItem::ExprWithAlias { expr, alias } => (expr, normalize(alias)),
            SelectItem::UnnamedExpr(expr) => {
                let shown = match &*expr {
                    Expr::Identifier(name) => normalize(name),
                    Expr::CompoundIdentifier(parts) => parts.last().map(normalize).unwrap_or_default(),
                    _ => String::new(),
                };
                (expr, shown)
            }
            _ => continue,
        };
        let alias = Ident::with_quote('"', format!("{shown}{MARK}{place}"));
        if !shown.is_empty() {
            names.push((shown, alias.clone()));
        }
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
    names
}

/// Whether the name is one that nobody may see.
pub(in crate::query) fn is_marked(name: &str) -> bool {
    name.contains(MARK)
}

/// The name of a column of `plan` as it is shown.
pub(in crate::query) fn shown_name(name: &str, plan: &LogicalPlan) -> String {
    match name.split_once(MARK) {
        None => name.to_owned(),
        Some(("", _)) => name_of_expression(name, plan).unwrap_or_default(),
        Some((shown, _)) => shown.to_owned(),
    }
}

/// What the column would be called without a name: its expression.
fn name_of_expression(name: &str, plan: &LogicalPlan) -> Option<String> {
    let mut found = None;
    let searched = plan.look_at_own_nodes(&mut |node| {
        node.look_at_expressions(&mut |expression| {
            if let PlanExpr::Alias(alias) = expression
                && alias.name == name
            {
                found = Some(match alias.expr.as_ref() {
                    PlanExpr::Column(column) => column.name.clone(),
                    other => other.schema_name().to_string(),
                });
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    searched.ok().and(found)
}
