//! `<`, `<=`, `>`, `>=` and BETWEEN of lists and structs: `functions/nested_order` has what DataFusion 55.2 does
//! wrongly. `greatest` and `least` of them, which do it, too, are refused.
//!
//! Can go when `compare_op_for_nested` lets a NULL come last: `tests/slt/operators.slt` then passes without it, but for
//! what it refuses.

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, and, not};

use super::RuleContext;
use crate::error::Error;
use crate::query::functions::nested_order;

/// The comparison as a call, in a plan whose types are settled.
///
/// # Errors
/// `InvalidInput` for `greatest` and `least` of lists or structs, with what to write.
pub(super) fn compare(expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if is_order(op) && is_nested(&left, schema) && is_nested(&right, schema) =>
        {
            Ok(Transformed::yes(nested_order(*left, op, *right)))
        }
        Expr::Between(Between { expr, negated, low, high })
            if is_nested(&expr, schema) && is_nested(&low, schema) && is_nested(&high, schema) =>
        {
            let above = nested_order(expr.as_ref().clone(), Operator::GtEq, *low);
            let within = and(above, nested_order(*expr, Operator::LtEq, *high));
            Ok(Transformed::yes(if negated { not(within) } else { within }))
        }
        Expr::ScalarFunction(call)
            if matches!(call.func.name(), "greatest" | "least")
                && call.args.iter().any(|argument| is_nested(argument, schema)) =>
        {
            let name = call.func.name();
            Err(Error::invalid(format!(
                "{name} takes no lists or structs: write CASE WHEN a < b THEN a ELSE b END, in which a NULL within comes last"
            ))
            .into())
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_order(operator: Operator) -> bool {
    matches!(operator, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

fn is_nested(expression: &Expr, schema: &DFSchema) -> bool {
    expression.get_type(schema).is_ok_and(|given| given.is_nested())
}
