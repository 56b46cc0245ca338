//! WITH tables of which DataFusion may hold a column for unique that is not, as derived tables: of these the planner asks
//! us, and `rules::logical::derived_keys` takes the keys away that they do not have.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, PipeOperator, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    Visit, Visitor, VisitorMut, WildcardAdditionalOptions,
};

use super::compose::{no_rows, query_of, select_of};
use super::inner_mut;
use super::walk::{visit, visit_mut};

pub(super) fn derive(statement: &mut DfStatement) {
    // It breaks off nowhere.
    let _: Option<ControlFlow<()>> =
        inner_mut(statement).map(|inner| visit_mut(inner, &mut Derive { names: Vec::new() }));
}

struct Derive {
    /// Names of all WITH tables of queries above, and of some beside them: no harm but a derived table more.
    names: Vec<String>,
}

impl VisitorMut for Derive {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some(with) = &mut query.with else { return ControlFlow::Continue(()) };
        self.names.extend(with.cte_tables.iter().map(|table| table.alias.name.value.to_lowercase()));
        let is_with_table = |name: &ObjectName| {
            let last = name.0.last().and_then(|part| part.as_ident());
            last.is_none_or(|last| self.names.contains(&last.value.to_lowercase()))
        };
        for table in &mut with.cte_tables {
            // The branches of a recursive table stand at the top of its query.
            let must_stay = with.recursive && matches!(*table.query.body, SetExpr::SetOperation { .. });
            if !must_stay && may_show_false_key(&table.query, &is_with_table) {
                derive_table(&table.alias.name, &mut table.query);
            }
        }
        ControlFlow::Continue(())
    }
}

fn derive_table(name: &Ident, query: &mut Query) {
    let nothing = query_of(SetExpr::Values(no_rows()));
    let derived = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(std::mem::replace(query, nothing)),
        alias: Some(TableAlias { explicit: true, name: name.clone(), columns: Vec::new(), at: None }),
        sample: None,
    };
    *query = select_of(SelectItem::Wildcard(WildcardAdditionalOptions::default()), derived);
}

/// Tells of a table's name whether it may be that of a WITH table.
type IsWithTable<'a> = &'a dyn Fn(&ObjectName) -> bool;

/// Whether DataFusion may hold a column for unique that the query repeats: a SELECT list makes several rows of one, or
/// groups are of more than one stored table.
pub(in crate::query) fn may_show_false_key(query: &Query, is_with_table: IsWithTable<'_>) -> bool {
    let of_operator =
        |operator: &PipeOperator| matches!(operator, PipeOperator::Aggregate { .. }) || calls_unnest(operator);
    body_may(&query.body, is_with_table) || query.pipe_operators.iter().any(of_operator)
}

fn body_may(body: &SetExpr, is_with_table: IsWithTable<'_>) -> bool {
    match body {
        SetExpr::Select(select) => {
            shows_unnest(select) || has_groups(&select.group_by) && !reads_one_stored_table(select, is_with_table)
        }
        SetExpr::SetOperation { left, right, .. } => body_may(left, is_with_table) || body_may(right, is_with_table),
        SetExpr::Query(query) => may_show_false_key(query, is_with_table),
        _ => false,
    }
}

fn has_groups(group_by: &GroupByExpr) -> bool {
    match group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, modifiers) => !keys.is_empty() || !modifiers.is_empty(),
    }
}

fn reads_one_stored_table(select: &Select, is_with_table: IsWithTable<'_>) -> bool {
    match select.from.as_slice() {
        [only] if only.joins.is_empty() => {
            matches!(&only.relation, TableFactor::Table { name, .. } if !is_with_table(name))
        }
        _ => false,
    }
}

/// Whether the SELECT list makes several rows of one.
pub(super) fn shows_unnest(select: &Select) -> bool {
    select.projection.iter().any(calls_unnest)
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
