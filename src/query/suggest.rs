//! Names that a user may have meant.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement as DfStatement;

use super::statement::has_quoted_name;
use crate::error::Error;
use crate::settings::similar_names;
use crate::workspace::not_found;

/// A planning error of DataFusion; an unknown table is answered with the tables there are, a name in double quotes that is
/// none with the text that was meant.
///
/// `catalog` is the caller's workspace; `tables` are names as a user writes them: `events`, `system.queries`.
pub(super) fn planning_error(
    error: DataFusionError,
    statement: &DfStatement,
    catalog: &str,
    tables: &[String],
) -> Error {
    let quoted = missing_column(&error).filter(|name| has_quoted_name(statement, name)).map(str::to_owned);
    let error = Error::from(error);
    if let Some(text) = quoted {
        return error.context(format!(
            "there is no column \"{text}\": in double quotes stands a name, a text is written '{}'",
            text.replace('\'', "''")
        ));
    }
    let Some(missing) = missing_table(error.message()) else {
        return error;
    };
    // The planner prints catalog, schema and name; the user mostly wrote the name.
    let elsewhere = missing.split_once('.').is_some_and(|(first, rest)| rest.contains('.') && first != catalog);
    if elsewhere {
        // Whether there is a workspace of this name is no business of the caller.
        return not_found(missing.split('.').next().unwrap_or_default());
    }
    let short = match missing.rsplit('.').take(2).collect::<Vec<_>>().as_slice() {
        [name, "main"] | [name] => (*name).to_owned(),
        [name, schema, ..] => format!("{schema}.{name}"),
        [] => missing.to_owned(),
    };
    let offered = similar_names(&short, tables.iter().map(String::as_str));
    let hint = match offered.as_slice() {
        [] => "SHOW TABLES lists the tables".to_owned(),
        names => format!("similar: {}", names.join(", ")),
    };
    Error::invalid(format!("there is no table '{short}'; {hint}"))
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

fn missing_table(message: &str) -> Option<&str> {
    let start = message.find("table '")? + "table '".len();
    let rest = &message[start..];
    let end = rest.find('\'')?;
    rest[end..].starts_with("' not found").then(|| &rest[..end])
}
