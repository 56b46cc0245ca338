//! Results may repeat a column's name, as in `SELECT 1, 1` or `SELECT *, net FROM orders`; plans may not.
//!
//! A statement that does not plan as it stands is planned once more with a mark behind the name of each column, which
//! is taken away from what the client sees. It then has no names that clash with each other or with those of the
//! tables, as in `SELECT sum(net) AS net ... ORDER BY sum(net)`.

use std::ops::ControlFlow;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, OrderByKind, Query, SelectItem, SetExpr, SetQuantifier, Statement, TableFactor, VisitorMut,
};

use super::normalize;
use super::walk::visit_mut;
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
    mark_query(query)?;
    Some(statement)
}

/// The statement with the columns marked of which nobody reads the names: those behind the first SELECT of a set operation,
/// and those of tables that name their columns themselves, as in `(SELECT x, x FROM t) AS q(a, b)`. `None` where it has
/// none.
pub(in crate::query) fn mark_unread(statement: &DfStatement) -> Option<DfStatement> {
    let mut statement = statement.clone();
    let DfStatement::Statement(inner) = &mut statement else { return None };
    let mut unread = Unread { found: false };
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit_mut(inner, &mut unread);
    unread.found.then_some(statement)
}

struct Unread {
    found: bool,
}

impl VisitorMut for Unread {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for table in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            if !table.alias.columns.is_empty() {
                self.found |= mark_query(&mut table.query).is_some();
            }
        }
        self.mark_behind_first(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, alias: Some(alias), .. } = table
            && !alias.columns.is_empty()
        {
            self.found |= mark_query(subquery).is_some();
        }
        ControlFlow::Continue(())
    }
}

impl Unread {
    fn mark_behind_first(&mut self, body: &mut SetExpr) {
        if let SetExpr::SetOperation { left, right, set_quantifier, op: _ } = body
            && is_by_place(*set_quantifier)
        {
            self.mark_behind_first(left);
            self.found |= mark_body(right).is_some();
        }
    }
}

/// Names as they are shown, with what stands for them.
type Marked = Vec<(String, Ident)>;

fn mark_query(query: &mut Query) -> Option<Marked> {
    let Query { body, order_by, .. } = query;
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
    Some(names)
}

fn mark_body(body: &mut SetExpr) -> Option<Marked> {
    match body {
        SetExpr::Select(select) => Some(mark_items(&mut select.projection)),
        SetExpr::SetOperation { left, right, set_quantifier, op: _ } => {
            // The names are those of the first SELECT.
            let names = if is_by_place(*set_quantifier) { mark_body(left)? } else { return None };
            mark_body(right);
            Some(names)
        }
        SetExpr::Query(query) => mark_query(query),
        _ => None,
    }
}

fn is_by_place(quantifier: SetQuantifier) -> bool {
    !matches!(quantifier, SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName)
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
