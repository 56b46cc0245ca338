//! Differences of instants, planned while the text is read. DataFusion 55.2 refuses one of instants that carry two zones:
//! that of a column is UTC, that of `TIMESTAMPTZ '...'` the session's.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::error::Error;
use crate::query::zone::{UTC, is_instant};

#[derive(Debug)]
pub(in crate::query) struct InstantPlanner;

impl ExprPlanner for InstantPlanner {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if !matches!(raw.op, BinaryOperator::Plus | BinaryOperator::Minus) {
            return Ok(PlannerResult::Original(raw));
        }
        let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(raw));
        };
        if is_instant(&left) && right.is_string() || left.is_string() && is_instant(&right) {
            return Err(Error::invalid(
                "a text beside an instant may be a time or a length of time: write TIMESTAMP '2024-03-01 13:45:00' or \
                 INTERVAL '1 day', and of a column or a parameter CAST(x AS TIMESTAMP) or CAST(x AS INTERVAL)",
            )
            .into());
        }
        match is_instant(&left) && is_instant(&right) && left != right {
            true => {
                let (left, right) = (in_utc(raw.left, &left), in_utc(raw.right, &right));
                Ok(PlannerResult::Original(RawBinaryExpr { op: raw.op, left, right }))
            }
            false => Ok(PlannerResult::Original(raw)),
        }
    }
}

fn in_utc(instant: Expr, given: &DataType) -> Expr {
    match given {
        DataType::Timestamp(_, Some(zone)) if zone.as_ref() != UTC => {
            cast(instant, DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())))
        }
        _ => instant,
    }
}
