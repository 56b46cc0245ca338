//! Compares and orders intervals by their length. DataFusion 55.2 compares a difference of instants with an interval by
//! the parts of their representation: `now() - ts <= INTERVAL '30 days'` held for every row.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, Between, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

use super::RuleContext;
use crate::query::functions::numbers::{has_length, interval_length};

/// What compares several values of one type.
const COMPARING_FUNCTIONS: [&str; 2] = ["greatest", "least"];
const COMPARING_AGGREGATES: [&str; 2] = ["max", "min"];

/// The comparison with the lengths of its operands.
pub(super) fn compare_by_length(
    expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) && measured(&[&left, &right], schema) => {
            let (left, right) = (Box::new(interval_length(*left)), Box::new(interval_length(*right)));
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right })))
        }
        Expr::Between(Between { expr, negated, low, high }) if measured(&[&expr, &low, &high], schema) => {
            Ok(Transformed::yes(Expr::Between(Between {
                expr: Box::new(interval_length(*expr)),
                negated,
                low: Box::new(interval_length(*low)),
                high: Box::new(interval_length(*high)),
            })))
        }
        Expr::InList(InList { expr, list, negated })
            if measured(&list.iter().chain([expr.as_ref()]).collect::<Vec<_>>(), schema) =>
        {
            let (expr, list) = (Box::new(interval_length(*expr)), list.into_iter().map(interval_length).collect());
            Ok(Transformed::yes(Expr::InList(InList { expr, list, negated })))
        }
        Expr::ScalarFunction(mut call)
            if COMPARING_FUNCTIONS.contains(&call.func.name())
                && measured(&call.args.iter().collect::<Vec<_>>(), schema) =>
        {
            call.args = call.args.into_iter().map(interval_length).collect();
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        Expr::AggregateFunction(call) => Ok(extreme(call, schema)),
        other => Ok(Transformed::no(other)),
    }
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// Whether the operands are lengths of time of which one is an interval; a text beside it says one.
fn measured(operands: &[&Expr], schema: &DFSchema) -> bool {
    let mut intervals = 0;
    for operand in operands {
        match operand.get_type(schema) {
            Ok(DataType::Interval(_)) => intervals += 1,
            Ok(other) if has_length(&other) || other.is_null() => {}
            Ok(DataType::Utf8 | DataType::Utf8View) if matches!(operand, Expr::Literal(..)) => {}
            _ => return false,
        }
    }
    intervals > 0
}

fn extreme(mut call: AggregateFunction, schema: &DFSchema) -> Transformed<Expr> {
    let is_extreme = COMPARING_AGGREGATES.contains(&call.func.name());
    if !is_extreme || !measured(&call.params.args.iter().collect::<Vec<_>>(), schema) {
        return Transformed::no(Expr::AggregateFunction(call));
    }
    call.params.args = call.params.args.into_iter().map(interval_length).collect();
    Transformed::yes(Expr::AggregateFunction(call))
}

/// The node, sorting by the lengths of intervals.
pub(super) fn sort_by_length(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Sort(mut sort) = node else { return Ok(Transformed::no(node)) };
    let mut changed = false;
    for key in &mut sort.expr {
        if measured(&[&key.expr], sort.input.schema()) && !is_measured(&key.expr) {
            key.expr = interval_length(std::mem::take(&mut key.expr));
            changed = true;
        }
    }
    let sort = LogicalPlan::Sort(sort);
    Ok(if changed { Transformed::yes(sort) } else { Transformed::no(sort) })
}

fn is_measured(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func.name() == "interval_length")
}
