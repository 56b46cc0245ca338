//! SHOW FUNCTIONS as a query of `information_schema.routines`. DataFusion 55.2 shows only functions whose signature counts
//! its types: not `sum`, and none that looks at its arguments itself.

use datafusion::sql::parser::{DFParser, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::{ShowStatementFilter, Statement};

use super::dialect::ConvokeDialect;
use super::syntax_error;
use crate::error::{Error, Result};

/// Puts the query in the place of the statement.
///
/// # Errors
/// `InvalidInput` for a filter other than LIKE and ILIKE.
pub(super) fn rewrite(statement: &mut DfStatement) -> Result<()> {
    let DfStatement::Statement(inner) = statement else { return Ok(()) };
    let Statement::ShowFunctions { filter } = inner.as_ref() else { return Ok(()) };
    let condition = match filter {
        None => String::new(),
        Some(ShowStatementFilter::Like(pattern)) => named("LIKE", pattern),
        Some(ShowStatementFilter::ILike(pattern)) => named("ILIKE", pattern),
        Some(_) => {
            return Err(Error::invalid("SHOW FUNCTIONS takes the form of a name, as in SHOW FUNCTIONS LIKE 'clv%'"));
        }
    };
    let text = format!(
        "SELECT DISTINCT routine_name AS function_name, function_type, syntax_example, description
         FROM information_schema.routines {condition} ORDER BY function_name, function_type"
    );
    let mut parsed = DFParser::parse_sql_with_dialect(&text, &ConvokeDialect).map_err(syntax_error)?;
    *statement = parsed.pop_front().ok_or_else(|| Error::internal("no statement for SHOW FUNCTIONS"))?;
    Ok(())
}

fn named(operator: &str, pattern: &str) -> String {
    format!("WHERE routine_name {operator} '{}'", pattern.replace('\'', "''"))
}
