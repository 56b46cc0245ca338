//! Instants in results carry the session's zone, those in lists and structs, too: clients show them as its wall times. The
//! instants are the same.
//!
//! Applied to the plan before its schema is promised to the client.

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};

use crate::error::Result;
use crate::query::zone::{UTC, in_zone};

/// Columns that hold instants in `zone` at the top of the plan.
pub(super) fn show(plan: LogicalPlan, zone: &str) -> Result<LogicalPlan> {
    let fixed = matches!(
        plan,
        LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::DescribeTable(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
    );
    if fixed || zone == UTC || !plan.schema().fields().iter().any(|field| in_zone(field.data_type(), zone).is_some()) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            let column = Expr::from((qualifier, field));
            match in_zone(field.data_type(), zone) {
                Some(local) => cast(column, local).alias_qualified(qualifier.cloned(), field.name()),
                None => column,
            }
        })
        .collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}
