//! Clauses of statements that change tables.
//!
//! DataFusion's planner takes INSERT, DELETE and CREATE TABLE apart field by field itself and refuses what it does not
//! do; here stands what it passes over.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ColumnDef, ColumnOption, ColumnOptionDef, CreateTable, Query, SetExpr, Statement, Visitor,
};

use super::refuse;
use crate::error::Result;
use crate::query::statement::walk::visit;

pub(super) fn check(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Drop {
            object_type: _,
            if_exists: _,
            names: _,
            cascade,
            restrict: _,
            purge,
            temporary,
            table: _,
        } => {
            refuse(*cascade, "CASCADE", "nothing depends on a table, leave it out")?;
            refuse(*purge, "PURGE", "leave it out")?;
            refuse(*temporary, "DROP TEMPORARY TABLE", "write DROP TABLE")
        }
        Statement::CreateTable(create) => {
            create.columns.iter().try_for_each(check_column)?;
            check_rows(create)
        }
        _ => Ok(()),
    }
}

/// The planner gives all VALUES of a query the types of the declared columns, before the query computes with them.
fn check_rows(create: &CreateTable) -> Result<()> {
    struct Rows;
    impl Visitor for Rows {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if has_rows(&query.body) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let query = create.query.as_ref().filter(|_| !create.columns.is_empty());
    let takes_types = query.is_some_and(|query| visit(query.as_ref(), &mut Rows).is_break());
    let remedy = "leave the columns out and CAST in SELECT, or create the table and INSERT INTO it";
    refuse(takes_types, "CREATE TABLE with columns AS a query of VALUES", remedy)
}

fn has_rows(body: &SetExpr) -> bool {
    match body {
        SetExpr::Values(_) => true,
        SetExpr::SetOperation { left, right, .. } => has_rows(left) || has_rows(right),
        _ => false,
    }
}

fn check_column(column: &ColumnDef) -> Result<()> {
    let ColumnDef { name: _, data_type: _, options } = column;
    for ColumnOptionDef { name: _, option } in options {
        let clause = match option {
            // Keys and defaults are seen, and refused, in the plan.
            ColumnOption::Null
            | ColumnOption::NotNull
            | ColumnOption::Default(_)
            | ColumnOption::PrimaryKey(_)
            | ColumnOption::Unique(_)
            | ColumnOption::ForeignKey(_)
            | ColumnOption::Check(_) => continue,
            ColumnOption::Materialized(_)
            | ColumnOption::Ephemeral(_)
            | ColumnOption::Alias(_)
            | ColumnOption::Generated { .. }
            | ColumnOption::OnUpdate(_)
            | ColumnOption::Identity(_) => "a column that is computed",
            ColumnOption::CharacterSet(_) | ColumnOption::Collation(_) => "CHARACTER SET and COLLATE",
            ColumnOption::Comment(_) => "COMMENT",
            ColumnOption::DialectSpecific(_)
            | ColumnOption::Options(_)
            | ColumnOption::OnConflict(_)
            | ColumnOption::Policy(_)
            | ColumnOption::Tags(_)
            | ColumnOption::Srid(_)
            | ColumnOption::Invisible => "an option of a column",
        };
        refuse(true, clause, "declare columns with name, type and NOT NULL only")?;
    }
    Ok(())
}
