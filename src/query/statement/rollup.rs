//! `GROUP BY a, b WITH ROLLUP` and `WITH CUBE` as the standard writes them, since the planner passes over them.

use std::ops::ControlFlow;

use super::walk::visit_mut;
use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier, Select, VisitMut, VisitorMut};

/// Rewrites them wherever they stand in the statement.
pub(super) fn rewrite(statement: &mut impl VisitMut) {
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit_mut(statement, &mut Rewrite);
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let GroupByExpr::Expressions(columns, modifiers) = &mut select.group_by else {
            return ControlFlow::Continue(());
        };
        let sets = |columns: &mut Vec<Expr>| columns.drain(..).map(|column| vec![column]).collect();
        let grouped = match modifiers.as_slice() {
            [GroupByWithModifier::Rollup] => Expr::Rollup(sets(columns)),
            [GroupByWithModifier::Cube] => Expr::Cube(sets(columns)),
            _ => return ControlFlow::Continue(()),
        };
        modifiers.clear();
        columns.push(grouped);
        ControlFlow::Continue(())
    }
}
