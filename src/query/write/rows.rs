//! INSERT with many rows of parameters: `VALUES (?, ?)` bound to a thousand rows is one plan, not a thousand.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{DmlStatement, LogicalPlan, WriteOp};

use crate::error::Result;
use crate::query::parameters::Parameters;

/// Rows of one combined plan.
pub(in crate::query) const ROWS_OF_A_PLAN: usize = 1_024;

/// One plan for all `rows` of an INSERT of literal rows; `None` for another statement.
pub(in crate::query) fn combined(
    plan: &LogicalPlan,
    parameters: &Parameters,
    rows: &[Vec<ScalarValue>],
) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Dml(dml) = plan else { return Ok(None) };
    if !matches!(dml.op, WriteOp::Insert(_)) {
        return Ok(None);
    }
    let LogicalPlan::Projection(projection) = dml.input.as_ref() else { return Ok(None) };
    let LogicalPlan::Values(values) = projection.input.as_ref() else { return Ok(None) };
    // A parameter elsewhere, such as in the projection, would need its own plan for each row.
    if !parameters.all_in(&LogicalPlan::Values(values.clone()))? {
        return Ok(None);
    }
    let mut all = values.clone();
    all.values.clear();
    for row in rows {
        let bound = parameters.bind(LogicalPlan::Values(values.clone()), row)?;
        let LogicalPlan::Values(bound) = bound else { return Ok(None) };
        all.values.extend(bound.values);
    }
    let mut projection = projection.clone();
    projection.input = Arc::new(LogicalPlan::Values(all));
    let input = Arc::new(LogicalPlan::Projection(projection));
    Ok(Some(LogicalPlan::Dml(DmlStatement { input, ..dml.clone() })))
}
