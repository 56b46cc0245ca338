//! Calls of functions in the arguments of table functions. The planner puts their values in their place: that of `now()`
//! is the time of the planning. Must not know which functions there are.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, TableFactor, Visit, Visitor};

use super::own_names::own_names;
use super::walk::visit;

/// Whether a table function of the statement has a call in its arguments; subqueries in them run with the statement.
pub(super) fn has_calls(statement: &DfStatement) -> bool {
    match statement {
        DfStatement::Statement(inner) => visit(inner.as_ref(), &mut Calls).is_break(),
        DfStatement::Explain(explain) => has_calls(&explain.statement),
        _ => false,
    }
}

struct Calls;

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let has_call = match factor {
            TableFactor::Table { args: Some(arguments), .. } => calls_in(&arguments.args),
            TableFactor::Function { args, .. } => calls_in(args),
            TableFactor::TableFunction { expr, .. } => calls_in(expr),
            _ => false,
        };
        if has_call { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn calls_in(arguments: &impl Visit) -> bool {
    let name_of = |expression: &Expr| match expression {
        Expr::Function(call) => Some(call.name.to_string()),
        _ => None,
    };
    !own_names(arguments, name_of).is_empty()
}
