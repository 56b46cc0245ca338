//! The tables of a workspace (SQL.md 1): each file says how one of them comes about.
//!
//! Derived tables are plans over `events`, so predicates and projections reach the Parquet scan.

mod composed;
pub(super) mod dates;
pub(super) mod event_catalog;
pub(super) mod events;
mod file_reader;
mod file_scan;
pub(super) mod fx_rates;
mod hot_rows;
pub(super) mod identities;
pub(super) mod members;
pub(super) mod orders;
mod person_rows;
mod person_scan;
pub(super) mod persons;
mod refund_prices;
mod rows;
pub(super) mod system;
pub(super) mod timeline;
pub(super) mod user_table;

use std::sync::Arc;

use datafusion::catalog::{TableProvider, view::ViewTable};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;

use super::statement::at_time_zone;
use crate::error::Result;

/// The plan of one of our own SQL texts.
async fn plan_sql(state: &SessionState, sql: &str) -> Result<LogicalPlan> {
    let mut statement = state.sql_to_statement(sql, &state.config_options().sql_parser.dialect)?;
    at_time_zone::rewrite(&mut statement);
    Ok(state.statement_to_plan(statement).await?)
}

/// A table that is one of our own SQL texts.
async fn view(state: &SessionState, sql: &str) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(ViewTable::new(plan_sql(state, sql).await?, None)))
}

/// A text as an SQL literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts as the inside of an IN list; a list without texts matches nothing.
fn literals(texts: &[String]) -> String {
    if texts.is_empty() {
        return "NULL".to_owned();
    }
    texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ")
}
