//! Names that a user may have meant.

use std::ops::ControlFlow;

use datafusion::common::{Column, ResolvedTableReference, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArguments, ObjectNamePart};

use super::foreign_functions::advice_for;
use super::statement::walk::visit_expressions;
use super::statement::{JSON_COLUMNS, has_quoted_name, table_names};
use super::table_functions::is_of_json;
use super::tables::system::OF_ADMINISTRATORS;
use crate::error::Error;
use crate::settings::similar_names;
use crate::workspace::not_found;

/// So many letters of a name make one slip of the keyboard likely.
const LETTERS_A_SLIP: usize = 3;

/// Calls that the planner knows by their name alone.
const PLANNED_BY_NAME: [&str; 2] = ["unnest", "unnest_outer"];

/// A planning error of DataFusion; an unknown table is answered with the tables there are, an unknown function with those
/// of nearly its name, a name in double quotes that is none with the text that was meant.
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
    let is_plan = matches!(error.find_root(), DataFusionError::Plan(_));
    let missing = if is_plan { missing_table(statement, state) } else { None };
    let property = property_meant(&error);
    let error = Error::from(error);
    if let Some(text) = quoted {
        return error.context(format!(
            "there is no column \"{text}\": in double quotes stands a name, a text is written '{}'",
            text.replace('\'', "''")
        ));
    }
    if let Some(missing) = missing {
        return no_table(&missing, state, tables);
    }
    match is_plan.then(|| missing_function(statement, state)).flatten() {
        Some(name) => no_function(&name, state),
        None => match property {
            Some(value) => error.context(format!("where it is a property, write {value}")),
            None => error,
        },
    }
}

/// The value of a JSON text under the name that is no column, where there is such a text and no column of nearly the name.
fn property_meant(error: &DataFusionError) -> Option<String> {
    let DataFusionError::SchemaError(fault, _) = error.find_root() else { return None };
    let SchemaError::FieldNotFound { field, valid_fields } = fault.as_ref() else { return None };
    let json = valid_fields.iter().find(|column| {
        let of_table = field.relation.is_none() || field.relation == column.relation;
        of_table && JSON_COLUMNS.contains(&column.name.as_str())
    })?;
    let letters = field.name.chars().count();
    let slips = |column: &Column| strsim::osa_distance(&field.name, &column.name);
    let near = valid_fields.iter().any(|column| slips(column) * LETTERS_A_SLIP <= letters);
    let table = field.relation.as_ref().map(|table| format!("{table}.")).unwrap_or_default();
    (!near).then(|| format!("{table}{} ->> '{}'", json.name, field.name.replace('\'', "''")))
}

/// DataFusion offers the nearest name however far it is.
fn no_function(missing: &str, state: &SessionState) -> Error {
    if let Some(written) = advice_for(missing) {
        return Error::invalid(format!("there is no function {missing}(): write {written}"));
    }
    let most = (missing.chars().count() / 4).max(1);
    let near = offered(state).map(|name| (strsim::osa_distance(missing, name), name));
    let hint = match near.filter(|(slips, _)| *slips <= most).min() {
        Some((_, name)) => format!("Did you mean '{name}'?"),
        None => "SHOW FUNCTIONS lists those that there are".to_owned(),
    };
    Error::invalid(format!("Invalid function '{missing}'. {hint}"))
}

fn functions(state: &SessionState) -> impl Iterator<Item = &str> {
    let values = state.scalar_functions().keys().chain(state.higher_order_functions().keys());
    let over_rows = state.aggregate_functions().keys().chain(state.window_functions().keys());
    values.chain(over_rows).map(String::as_str)
}

/// The functions that a user may call: what only plans call has no documentation.
fn offered(state: &SessionState) -> impl Iterator<Item = &str> {
    let of_values = state.scalar_functions().iter();
    let of_values = of_values.filter(|(name, function)| function.documentation().is_some() || is_of_json(name));
    let of_groups = state.aggregate_functions().iter().filter(|(_, function)| function.documentation().is_some());
    let of_windows = state.window_functions().iter().filter(|(_, function)| function.documentation().is_some());
    let names = of_values.map(|(name, _)| name).chain(state.higher_order_functions().keys());
    names.chain(of_groups.map(|(name, _)| name)).chain(of_windows.map(|(name, _)| name)).map(String::as_str)
}

/// The first call in the text of a function that is not there.
fn missing_function(statement: &DfStatement, state: &SessionState) -> Option<String> {
    let written = match statement {
        DfStatement::Explain(explain) => return missing_function(&explain.statement, state),
        DfStatement::Statement(inner) => inner.as_ref(),
        _ => return None,
    };
    let found = visit_expressions(written, |expression| match called(expression) {
        Some(name) if !is_function(&name, state) => ControlFlow::Break(name),
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
}

/// The name of the function that is called, as the planner looks it up.
fn called(expression: &Expr) -> Option<String> {
    let Expr::Function(Function { name, args, .. }) = expression else { return None };
    match name.0.as_slice() {
        // Without parentheses it may be a column.
        _ if matches!(args, FunctionArguments::None) => None,
        [ObjectNamePart::Identifier(name)] if name.quote_style.is_some() => Some(name.value.clone()),
        _ => Some(name.to_string().to_ascii_lowercase()),
    }
}

fn is_function(name: &str, state: &SessionState) -> bool {
    PLANNED_BY_NAME.contains(&name) || functions(state).any(|known| known == name)
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
    if &*missing.schema == "system" && OF_ADMINISTRATORS.contains(&&*missing.table) {
        return Error::forbidden(format!("{short} is for administrators: use a token of role admin"));
    }
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
