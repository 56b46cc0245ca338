//! `SET TIME ZONE`: what `date_trunc` and `extract` count by, and the zone in which instants are shown.
//!
//! Applied to the plan before its schema is promised to the client. Instants themselves never change.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast};

use super::RuleContext;
use crate::error::Result;

/// Functions that count local days, hours and so on.
const LOCAL_FUNCTIONS: [&str; 4] = ["date_trunc", "date_part", "date_bin", "to_char"];

/// A call of a local function with its instants in the session's zone.
pub(super) fn rewrite(expression: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let zone = context.zone;
    let Expr::ScalarFunction(mut call) = expression else {
        return Ok(Transformed::no(expression));
    };
    if !LOCAL_FUNCTIONS.contains(&call.func.name()) {
        return Ok(Transformed::no(Expr::ScalarFunction(call)));
    }
    let mut changed = false;
    for argument in &mut call.args {
        if let Ok(DataType::Timestamp(unit, Some(held))) = argument.get_type(schema)
            && held.as_ref() == "UTC"
            && zone != "UTC"
        {
            let local = DataType::Timestamp(unit, Some(zone.into()));
            *argument = cast(std::mem::take(argument), local);
            changed = true;
        }
    }
    let call = Expr::ScalarFunction(ScalarFunction { func: Arc::clone(&call.func), args: call.args });
    Ok(if changed { Transformed::yes(call) } else { Transformed::no(call) })
}

/// Columns of type instant in `zone` at the top of the plan.
pub(super) fn show(plan: LogicalPlan, zone: &str) -> Result<LogicalPlan> {
    let is_instant = |data_type: &DataType| matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, Some(held)) if held.as_ref() == "UTC");
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
