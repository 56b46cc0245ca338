//! What a query promises before it runs: the types that its columns will have.
//!
//! A plan as it was written knows less: of `SELECT 1 UNION ALL SELECT 1.5`, and of a CASE with such branches, it has the
//! type of the first alone, and rows sent as that type lose their fractions. The common type is found by the analyzer.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;

use crate::error::Result;

/// The columns of a query's result: names and NULLs as the plan says, types as the values will have them.
///
/// # Errors
/// When the types in the plan do not go together.
pub(super) fn columns(state: &SessionState, plan: &LogicalPlan) -> Result<SchemaRef> {
    // The analyzer's complaints about a plan to be explained are a part of the explanation.
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
        return Ok(as_written(plan));
    }
    let analyzed = state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})?;
    let written = plan.schema().as_arrow();
    let fields: Vec<FieldRef> = written
        .fields()
        .iter()
        .zip(analyzed.schema().fields())
        .map(|(field, coerced)| Arc::new(field.as_ref().clone().with_data_type(coerced.data_type().clone())))
        .collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, written.metadata().clone())))
}

/// The columns as far as they are known while parameters have no values.
pub(super) fn columns_unbound(state: &SessionState, plan: &LogicalPlan) -> SchemaRef {
    columns(state, plan).unwrap_or_else(|_| as_written(plan))
}

/// The columns, each of which may be NULL where that of `other` may.
pub(super) fn nullable_as(columns: &Schema, other: &Schema) -> SchemaRef {
    let fields = columns.fields().iter().zip(other.fields()).map(|(field, other)| {
        let nullable = field.is_nullable() || other.is_nullable();
        Arc::new(field.as_ref().clone().with_nullable(nullable))
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<FieldRef>>(), columns.metadata().clone()))
}

fn as_written(plan: &LogicalPlan) -> SchemaRef {
    Arc::new(plan.schema().as_arrow().clone())
}
