//! Refuses what the parser reads and the planner would leave out.
//!
//! DataFusion 55.2 plans `FROM t TABLESAMPLE SYSTEM (1)` as `FROM t`, and so with some dozen clauses of other systems.
//! Each struct of the parser is taken apart field by field here, so that a field of a new version is a decision and not
//! an accident. Must not know tables: what a clause means is the planner's.

mod change;
mod constants;
mod function;
mod query;
mod relation;
mod select;

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, Interval, Query, Select, Statement, TableFactor, Visitor};

pub(in crate::query) use self::function::FunctionKinds;
use super::walk::visit;
use crate::error::{Error, Result};

/// # Errors
/// `InvalidInput` naming the first clause that is not done, and what to write instead.
pub(super) fn check(statement: &DfStatement, kinds: &FunctionKinds<'_>) -> Result<()> {
    match statement {
        DfStatement::Statement(inner) => match visit(inner, &mut Check { kinds }) {
            ControlFlow::Break(refusal) => Err(refusal),
            ControlFlow::Continue(()) => Ok(()),
        },
        DfStatement::Explain(explain) => check(&explain.statement, kinds),
        DfStatement::CreateExternalTable(_) | DfStatement::CopyTo(_) | DfStatement::Reset(_) => Ok(()),
    }
}

struct Check<'a> {
    kinds: &'a FunctionKinds<'a>,
}

impl Visitor for Check<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        flow(query::check(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        flow(select::check(select))
    }

    fn pre_visit_table_factor(&mut self, relation: &TableFactor) -> ControlFlow<Error> {
        flow(relation::check(relation))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        match expression {
            Expr::Function(call) => flow(function::check(call, self.kinds)),
            // The planner takes the pattern for a regular expression that may match a part of the text.
            Expr::SimilarTo { .. } => {
                flow(refuse(true, "SIMILAR TO", "write x LIKE 'a%', or the regular expression x ~ '^(a|b).*$'"))
            }
            Expr::Collate { .. } => {
                let remedy = "texts are compared and sorted by the code points of their characters, as COLLATE \"C\" does: \
                              leave it out, or write lower(x) where upper and lower case are alike";
                flow(refuse(true, "COLLATE", remedy))
            }
            Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => {
                let remedy = "write x LIKE 'a%' OR x LIKE 'b%', or the regular expression x ~ '^(a|b)'";
                flow(refuse(true, "LIKE ANY", remedy))
            }
            Expr::Interval(Interval { last_field: Some(_), .. }) => {
                let remedy = "name the units in the text, INTERVAL '1 year 2 months' or INTERVAL '1 day 02:30:00'";
                flow(refuse(true, "INTERVAL of a unit TO another", remedy))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<Error> {
        flow(change::check(statement))
    }
}

fn flow(outcome: Result<()>) -> ControlFlow<Error> {
    match outcome {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(refusal),
    }
}

/// An error where `present`: the clause, and what to write instead.
fn refuse(present: bool, clause: &str, remedy: &str) -> Result<()> {
    if !present {
        return Ok(());
    }
    Err(Error::invalid(format!("{clause} is not supported: {remedy}")))
}
