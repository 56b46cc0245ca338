//! What a planned statement changes, and whether it may.

use std::sync::Arc;

use datafusion::common::{Constraints, TableReference};
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, WriteOp};

use crate::error::{Error, Result};
use crate::query::binding::Binding;
use crate::query::session::SessionOptions;

/// Bytes of a table's name.
const MAX_NAME_BYTES: usize = 128;

/// A change of one user table, by its name in schema `main`.
#[derive(Debug, Clone)]
pub(in crate::query) enum Change {
    /// CREATE TABLE with the rows of `input`, which may be none.
    Create {
        name: String,
        input: Arc<LogicalPlan>,
        keep_not_null: bool,
        if_not_exists: bool,
        or_replace: bool,
    },
    /// INSERT: the columns of `input` are those of the table.
    Insert {
        name: String,
        input: Arc<LogicalPlan>,
    },
    /// DELETE: `input` is the table's scan, filtered or not.
    Delete {
        name: String,
        input: Arc<LogicalPlan>,
    },
    Drop {
        name: String,
        if_exists: bool,
    },
}

/// Whether the plan is one that [`Change::of`] reads.
pub(in crate::query) fn is_change(plan: &LogicalPlan) -> bool {
    matches!(
        plan,
        LogicalPlan::Dml(_) | LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(_) | DdlStatement::DropTable(_))
    )
}

impl Change {
    /// # Errors
    /// `InvalidInput` for a managed table, another schema, or a form that is not supported.
    pub(in crate::query) fn of(plan: &LogicalPlan, binding: &Binding, session: &SessionOptions) -> Result<Self> {
        let target = |name: &TableReference| target(name, binding, session);
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
                if create.constraints != Constraints::default() || !create.column_defaults.is_empty() {
                    return Err(Error::invalid(
                        "user tables have no keys, constraints or defaults: declare columns with name, type and NOT NULL only",
                    ));
                }
                if create.temporary {
                    return Err(Error::invalid("there are no temporary tables: create a table and DROP it"));
                }
                if create.if_not_exists && create.or_replace {
                    return Err(Error::invalid("write OR REPLACE or IF NOT EXISTS, not both"));
                }
                Ok(Change::Create {
                    name: target(&create.name)?,
                    keep_not_null: matches!(create.input.as_ref(), LogicalPlan::EmptyRelation(_)),
                    input: Arc::clone(&create.input),
                    if_not_exists: create.if_not_exists,
                    or_replace: create.or_replace,
                })
            }
            LogicalPlan::Ddl(DdlStatement::DropTable(drop)) => {
                Ok(Change::Drop { name: target(&drop.name)?, if_exists: drop.if_exists })
            }
            LogicalPlan::Dml(dml) => {
                let (name, input) = (target(&dml.table_name)?, Arc::clone(&dml.input));
                match &dml.op {
                    WriteOp::Insert(InsertOp::Append) => Ok(Change::Insert { name, input }),
                    WriteOp::Insert(_) => Err(Error::invalid(
                        "INSERT OVERWRITE and REPLACE INTO are not supported: use CREATE OR REPLACE TABLE ... AS, or DELETE and INSERT",
                    )),
                    WriteOp::Delete => Ok(Change::Delete { name, input }),
                    other => Err(Error::invalid(format!(
                        "{other} is not supported on tables: use DELETE and INSERT, or CREATE OR REPLACE TABLE ... AS"
                    ))),
                }
            }
            _ => Err(Error::internal("a plan that changes nothing was taken for a change")),
        }
    }
}

/// The name in schema `main` that a statement may write to.
pub(super) fn target(name: &TableReference, binding: &Binding, session: &SessionOptions) -> Result<String> {
    let schema = name.schema().or(session.schema.as_deref()).unwrap_or("main");
    let elsewhere = name.catalog().is_some_and(|catalog| catalog != binding.catalog.as_str());
    if elsewhere || schema != "main" {
        return Err(Error::invalid(format!("tables are written in schema main of catalog {}", binding.catalog)));
    }
    let name = name.table();
    if binding.is_managed(name) {
        return Err(Error::invalid(format!(
            "'{name}' is a managed table, which no statement changes: its rows come from files that are loaded and events that \
             are sent. Write to a table of your own, under another name: CREATE TABLE my_{name} AS SELECT * FROM {name} \
             WHERE ... keeps the rows that you want"
        )));
    }
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "a table's name has 1 to {MAX_NAME_BYTES} bytes and no control characters"
        )));
    }
    Ok(name.to_owned())
}
