//! Instants in results carry the session's zone: clients show them as its wall times. The instants are the same.
//!
//! Applied to the plan before its schema is promised to the client.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};

use crate::error::Result;

/// Columns of type instant in `zone` at the top of the plan.
pub(super) fn show(plan: LogicalPlan, zone: &str) -> Result<LogicalPlan> {
    let is_instant =
        |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(held)) if held.as_ref() == "UTC");
    let fixed = matches!(
        plan,
        LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::DescribeTable(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
    );
    if fixed || zone == "UTC" || !plan.schema().fields().iter().any(|field| is_instant(field.data_type())) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::from((qualifier, field));
            match field.data_type() {
                DataType::Timestamp(unit, Some(_)) if is_instant(field.data_type()) => {
                    cast(column, DataType::Timestamp(*unit, Some(zone.into())))
                        .alias_qualified(qualifier.cloned(), field.name())
                }
                _ => column,
            }
        })
        .collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}
