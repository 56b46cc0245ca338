//! Names that a user may have meant.

use datafusion::common::{ResolvedTableReference, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement as DfStatement;

use super::statement::{has_quoted_name, table_names};
use crate::error::Error;
use crate::settings::similar_names;
use crate::workspace::not_found;

/// A planning error of DataFusion; an unknown table is answered with the tables there are, a name in double quotes that is
/// none with the text that was meant.
///
/// `state` is the session that the statement was planned in; `tables` are names as a user writes them: `events`,
/// `system.queries`.
pub(super) fn planning_error(
    error: DataFusionError,
    statement: &DfStatement,
    state: &SessionState,
    tables: &[String],
) -> Error {
    let quoted = missing_column(&error).filter(|name| has_quoted_name(statement, name)).map(str::to_owned);
    // DataFusion has no error of its own for a table that is not there, only one for all that does not plan.
    let missing = match error.find_root() {
        DataFusionError::Plan(_) => missing_table(statement, state),
        _ => None,
    };
    let error = Error::from(error);
    if let Some(text) = quoted {
        return error.context(format!(
            "there is no column \"{text}\": in double quotes stands a name, a text is written '{}'",
            text.replace('\'', "''")
        ));
    }
    match missing {
        Some(missing) => no_table(&missing, state, tables),
        None => error,
    }
}

fn no_table(missing: &ResolvedTableReference, state: &SessionState, tables: &[String]) -> Error {
    if *missing.catalog != *state.config_options().catalog.default_catalog {
        // Whether there is a workspace of this name is no business of the caller.
        return not_found(&missing.catalog);
    }
    let short = match &*missing.schema {
        "main" => missing.table.to_string(),
        schema => format!("{schema}.{}", missing.table),
    };
    let offered = similar_names(&short, tables.iter().map(String::as_str));
    let hint = match offered.as_slice() {
        [] => "SHOW TABLES lists the tables".to_owned(),
        names => format!("similar: {}", names.join(", ")),
    };
    Error::invalid(format!("there is no table '{short}'; {hint}"))
}

/// The first table in the text that the catalog does not have.
fn missing_table(statement: &DfStatement, state: &SessionState) -> Option<ResolvedTableReference> {
    let catalog = &state.config_options().catalog;
    let names = table_names(statement, state).ok()?;
    let mut tables = names.into_iter().map(|name| name.resolve(&catalog.default_catalog, &catalog.default_schema));
    tables.find(|table| !state.schema_for_ref(table.clone()).is_ok_and(|schema| schema.table_exist(&table.table)))
}

/// The name, without a table's, that is no column.
fn missing_column(error: &DataFusionError) -> Option<&str> {
    match error.find_root() {
        DataFusionError::SchemaError(fault, _) => match fault.as_ref() {
            SchemaError::FieldNotFound { field, .. } if field.relation.is_none() => Some(&field.name),
            _ => None,
        },
        _ => None,
    }
}
