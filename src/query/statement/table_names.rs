//! The tables that a statement names, for who tells which of them is missing. Must not know which tables there are.

use std::convert::Infallible;
use std::ops::ControlFlow;

use super::walk::{visit_mut, visit_relations};
use datafusion::common::{Result as DfResult, TableReference};
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{Statement, TableFactor, VisitorMut};

/// The names of the tables that must be there, in the order of the text: none of a WITH table, of a table function, or of
/// the table that the statement makes.
///
/// # Errors
/// Those of DataFusion, for names of more parts than there are.
pub(in crate::query) fn table_names(statement: &DfStatement, state: &SessionState) -> DfResult<Vec<TableReference>> {
    let written = match statement {
        DfStatement::Explain(explain) => return table_names(&explain.statement, state),
        DfStatement::Statement(inner) => inner.as_ref(),
        _ => return Ok(Vec::new()),
    };
    let mut written = match written {
        Statement::CreateTable(new) => match &new.query {
            Some(query) => Statement::Query(query.clone()),
            None => return Ok(Vec::new()),
        },
        other => other.clone(),
    };
    let ControlFlow::Continue(()) = visit_mut(&mut written, &mut CallsApart);
    let mut names = Vec::new();
    let ControlFlow::Continue(()) = visit_relations(&written, |name| {
        names.push(name.clone());
        ControlFlow::<Infallible>::Continue(())
    });
    // DataFusion knows where a name is that of a WITH table, but adds tables to SHOW and sorts all of them.
    let tables = state.resolve_table_references(&DfStatement::Statement(Box::new(written)))?;
    let normalizes = state.config_options().sql_parser.enable_ident_normalization;
    let names = names.into_iter().map(|name| object_name_to_table_reference(name, normalizes));
    let names: Vec<TableReference> = names.collect::<DfResult<_>>()?;
    Ok(names.into_iter().filter(|name| tables.contains(name)).collect())
}

/// Writes calls of table functions as such: to the parser each is a table with arguments.
struct CallsApart;

impl VisitorMut for CallsApart {
    type Break = Infallible;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Infallible> {
        if let TableFactor::Table { name, args: Some(call), .. } = factor {
            let (name, args) = (name.clone(), call.args.clone());
            *factor = TableFactor::Function { lateral: false, name, args, with_ordinality: false, alias: None };
        }
        ControlFlow::Continue(())
    }
}
