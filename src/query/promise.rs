//! What a query promises before it runs: the types that its columns will have.
//!
//! A plan as it was written knows less: of `SELECT 1 UNION ALL SELECT 1.5`, and of a CASE with such branches, it has the
//! type of the first alone, and rows sent as that type lose their fractions. The common type is found by the analyzer.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{DescribeTable, LogicalPlan};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::statement;
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
    let written = as_written(plan);
    let fields: Vec<FieldRef> = written
        .fields()
        .iter()
        .zip(analyzed.schema().fields())
        .map(|(field, coerced)| Arc::new(field.as_ref().clone().with_data_type(coerced.data_type().clone())))
        .collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, written.metadata().clone())))
}

/// What DESCRIBE shows of a query with these columns. DataFusion's own shows the types of before the analyzer.
pub(super) fn description(columns: SchemaRef) -> Result<LogicalPlan> {
    let output_schema = Arc::new(DFSchema::try_from(LogicalPlan::describe_schema())?);
    Ok(LogicalPlan::DescribeTable(DescribeTable { schema: columns, output_schema }))
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
    let schema = plan.schema().as_arrow();
    let fields: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| match statement::is_marked(field.name()) {
            true => Arc::new(field.as_ref().clone().with_name(statement::shown_name(field.name(), plan))),
            false => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The rows under the names that were promised, where the plan had to have others.
pub(super) fn with_names(rows: SendableRecordBatchStream, promised: &Schema) -> SendableRecordBatchStream {
    let planned = rows.schema();
    if !planned.fields().iter().any(|field| statement::is_marked(field.name())) {
        return rows;
    }
    let fields: Vec<FieldRef> = planned
        .fields()
        .iter()
        .zip(promised.fields())
        .map(|(field, promised)| Arc::new(field.as_ref().clone().with_name(promised.name())))
        .collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, planned.metadata().clone()));
    let named = Arc::clone(&schema);
    let rows = rows.map(move |batch| rename(&batch?, &named));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn rename(batch: &RecordBatch, schema: &SchemaRef) -> DfResult<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)?)
}
