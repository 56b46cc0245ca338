//! WITH tables that `unnest`, as derived tables: of these the planner asks us, and `rules::logical::unnest_key` takes the
//! keys away that they no longer have.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Query, SelectItem, SetExpr, TableAlias, TableFactor, Visit, Visitor, VisitorMut,
    WildcardAdditionalOptions,
};

use super::compose::{no_rows, query_of, select_of};
use super::walk::{visit, visit_mut};

pub(super) fn derive(statement: &mut DfStatement) {
    match statement {
        // It breaks off nowhere.
        DfStatement::Statement(inner) => drop(visit_mut(inner, &mut Derive)),
        DfStatement::Explain(explain) => derive(&mut explain.statement),
        _ => {}
    }
}

struct Derive;

impl VisitorMut for Derive {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(with) = &mut query.with {
            // The branches of a recursive table stand at the top of its query.
            let is_meant =
                |table: &&mut Cte| shows_unnest(&table.query) && !(with.recursive && is_union(&table.query.body));
            with.cte_tables.iter_mut().filter(is_meant).for_each(derive_table);
        }
        ControlFlow::Continue(())
    }
}

fn is_union(body: &SetExpr) -> bool {
    matches!(body, SetExpr::SetOperation { .. })
}

fn derive_table(table: &mut Cte) {
    let nothing = Box::new(query_of(SetExpr::Values(no_rows())));
    let derived = TableFactor::Derived {
        lateral: false,
        subquery: std::mem::replace(&mut table.query, nothing),
        alias: Some(TableAlias { explicit: true, name: table.alias.name.clone(), columns: Vec::new(), at: None }),
        sample: None,
    };
    *table.query = select_of(SelectItem::Wildcard(WildcardAdditionalOptions::default()), derived);
}

/// Whether a SELECT list of the query makes several rows of one.
pub(in crate::query) fn shows_unnest(query: &Query) -> bool {
    body_shows_unnest(&query.body) || query.pipe_operators.iter().any(calls_unnest)
}

fn body_shows_unnest(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.projection.iter().any(calls_unnest),
        SetExpr::SetOperation { left, right, .. } => body_shows_unnest(left) || body_shows_unnest(right),
        SetExpr::Query(query) => shows_unnest(query),
        _ => false,
    }
}

fn calls_unnest(part: &impl Visit) -> bool {
    struct Calls;
    impl Visitor for Calls {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("unnest") => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    visit(part, &mut Calls).is_break()
}
