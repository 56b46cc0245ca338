//! A WITH table of values that change with each call, read twice, is two tables to DataFusion 55.2: it puts the query in
//! the place of each name. Peers compute it once. Refused here, since the rows cannot be kept for both readers.
//!
//! Can go when DataFusion computes a WITH table once: `tests/slt/volatile.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Function, ObjectName, Query, Visit, Visitor};

use super::clauses::FunctionKinds;
use super::walk::visit;
use crate::error::{Error, Result};

/// # Errors
/// `InvalidInput` for a WITH table that is read more than once and holds such values.
pub(super) fn check(query: &Query, kinds: &FunctionKinds<'_>) -> Result<()> {
    let Some(with) = &query.with else { return Ok(()) };
    let mut changing: Vec<String> = Vec::new();
    for table in &with.cte_tables {
        let reads_changing = changing.iter().any(|name| count_reads(table.query.as_ref(), name) > 0);
        if !reads_changing && !calls_changing(table.query.as_ref(), kinds) {
            continue;
        }
        let name = table.alias.name.value.clone();
        // In the query itself and in the tables behind this one.
        if count_reads(query, &name) > 1 {
            return Err(Error::invalid(format!(
                "WITH table '{name}' holds values that change with each call, such as random(), and is read more than \
                 once: store it with CREATE TABLE {name} AS ..., and read the table"
            )));
        }
        changing.push(name);
    }
    Ok(())
}

/// Whether something in it gives another value with each call.
pub(super) fn calls_changing(part: &impl Visit, kinds: &FunctionKinds<'_>) -> bool {
    struct Calls<'a>(&'a FunctionKinds<'a>);
    impl Visitor for Calls<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Function(Function { name, .. }) if self.0.is_volatile(name) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    visit(part, &mut Calls(kinds)).is_break()
}

fn count_reads(query: &Query, name: &str) -> usize {
    struct Reads<'a> {
        name: &'a str,
        count: usize,
    }
    impl Visitor for Reads<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            if let [part] = relation.0.as_slice()
                && part.as_ident().is_some_and(|part| part.value.eq_ignore_ascii_case(self.name))
            {
                self.count += 1;
            }
            ControlFlow::Continue(())
        }
    }
    let mut reads = Reads { name, count: 0 };
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit(query, &mut reads);
    reads.count
}
