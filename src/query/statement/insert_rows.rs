//! `INSERT INTO t SELECT x, 0 FROM (VALUES (1)) AS v(x)`: DataFusion 55.2 takes all VALUES of an INSERT for rows of the
//! table, and of those with another number of columns it says how many it expected. Here it is said what to write.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement, TableObject, Visitor};

use super::using_join::ColumnsOf;
use super::walk::visit;
use crate::error::{Error, Result};

/// # Errors
/// `InvalidInput` for VALUES below the SELECT of an INSERT that have not as many columns as it stores.
pub(super) fn check(statement: &DfStatement, columns_of: ColumnsOf<'_>) -> Result<()> {
    let DfStatement::Statement(inner) = statement else { return Ok(()) };
    let Statement::Insert(insert) = inner.as_ref() else { return Ok(()) };
    let stored = match (&insert.table, insert.columns.len()) {
        (TableObject::TableName(name), 0) => columns_of(name).map(|columns| columns.len()),
        (_, given) => Some(given),
    };
    let (Some(stored), Some(source)) = (stored, &insert.source) else { return Ok(()) };
    match visit(source.as_ref(), &mut Rows { stored, is_source: true }) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Rows {
    stored: usize,
    /// Whether the query at hand is the one that gives the rows: its own VALUES are rows of the table.
    is_source: bool,
}

impl Visitor for Rows {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let is_source = std::mem::take(&mut self.is_source);
        match query.body.as_ref() {
            SetExpr::Values(values) if !is_source && values.rows.iter().any(|row| row.content.len() != self.stored) => {
                ControlFlow::Break(Error::invalid(format!(
                    "VALUES below the SELECT of an INSERT are taken for rows of the table, of which {} columns are stored: \
                     write SELECT ... UNION ALL SELECT ... in their place",
                    self.stored
                )))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
