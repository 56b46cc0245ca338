//! What may make a -0, or another NaN than the one, makes none: `functions/numbers/one_zero` has why. Such are casts
//! from text and to fewer digits, the sign of a DOUBLE, functions, and aggregates of DOUBLEs.
//!
//! Values that are read stay what they are: what comes into a table, and every bound parameter, is made one on its way
//! in. A table that an earlier program wrote may still hold a -0.
//!
//! Can go when both zeros, and all NaN, are compared and hashed as one: `tests/slt/one_zero.slt` then passes without
//! it, but for the signs that are shown.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, Operator, WindowFunctionDefinition};

use super::RuleContext;
use super::expressions::cast_parts;
use crate::doubles::holds_doubles;
use crate::query::functions::numbers::{has_one_zero, is_one_zero, one_zero, one_zero_of_group, one_zero_value};

/// Functions that make none of arguments without: they choose one of them, or see to it themselves.
const KEEPERS: [&str; 24] = [
    "abs",
    "add",
    "array_any_value",
    "array_element",
    "array_max",
    "array_min",
    "coalesce",
    "date_part",
    "div",
    "divide",
    "get_field",
    "greatest",
    "least",
    "mod",
    "multiply",
    "named_cast",
    "nullif",
    "nvl",
    "nvl2",
    "one_zero",
    "pi",
    "power",
    "random",
    "subtract",
];

/// Aggregates and windows that give one of the values that they got.
const CHOOSERS: [&str; 6] = ["any_value", "first_value", "last_value", "max", "min", "nth_value"];

/// The expression, giving no such value. In a plan that is coerced: casts stand there that nobody wrote.
pub(super) fn unify(
    mut expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    match &mut expression {
        Expr::Literal(value, _) if holds_doubles(&value.data_type()) => {
            let unified = one_zero_value(value)?;
            // Compared by their bits.
            let changed = unified != *value;
            *value = unified;
            return Ok(Transformed::new_transformed(expression, changed));
        }
        Expr::AggregateFunction(call) => {
            if let Some(unified) = unify_group(&call.func, &call.params.args, schema) {
                call.func = unified;
                return Ok(Transformed::yes(expression));
            }
        }
        Expr::WindowFunction(call) => {
            if let WindowFunctionDefinition::AggregateUDF(function) = &call.fun
                && let Some(unified) = unify_group(function, &call.params.args, schema)
            {
                call.fun = WindowFunctionDefinition::AggregateUDF(unified);
                return Ok(Transformed::yes(expression));
            }
        }
        // A plan that is analyzed again.
        Expr::ScalarFunction(call) if call.func.name() == "one_zero" && call.args.first().is_some_and(is_one_zero) => {
            return Ok(Transformed::yes(call.args.swap_remove(0)));
        }
        _ => {}
    }
    Ok(match is_source(&expression, schema) {
        true => Transformed::yes(one_zero(expression)),
        false => Transformed::no(expression),
    })
}

fn is_source(expression: &Expr, schema: &DFSchema) -> bool {
    let gives_double = || expression.get_type(schema).is_ok_and(|given| is_double(&given));
    if let Some((operand, to)) = cast_parts(expression) {
        return casts_to_source(operand, to, schema);
    }
    match expression {
        Expr::Negative(_) => gives_double(),
        Expr::BinaryExpr(binary) => {
            let is_arithmetic = matches!(
                binary.op,
                Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
            );
            is_arithmetic && gives_double()
        }
        Expr::ScalarFunction(call) => !KEEPERS.contains(&call.func.name()) && gives_double(),
        _ => false,
    }
}

/// Whole numbers and decimals have one zero, and no NaN.
fn casts_to_source(operand: &Expr, to: &DataType, schema: &DFSchema) -> bool {
    if !holds_doubles(to) {
        return false;
    }
    let is_exact = |from: &DataType| from.is_integer() || from.is_decimal() || from.is_null();
    let widens = |from: &DataType| *from == DataType::Float32 && *to == DataType::Float64;
    operand.get_type(schema).is_ok_and(|from| from != *to && !is_exact(&from) && !widens(&from))
}

/// The aggregate of DOUBLEs with one zero in its results; `None` where it has it already. The mean of the least number
/// and 0 is -0, the sum of two infinities a NaN with a sign.
fn unify_group(function: &Arc<AggregateUDF>, arguments: &[Expr], schema: &DFSchema) -> Option<Arc<AggregateUDF>> {
    if CHOOSERS.contains(&function.name()) || has_one_zero(function) {
        return None;
    }
    let fields: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_field(schema).map(|(_, field)| field))
        .collect::<DfResult<_>>()
        .ok()?;
    // An average of whole numbers or decimals is a DOUBLE, too, and never -0.
    let takes_doubles = fields.iter().any(|field| is_double(field.data_type()));
    let gives_double = || function.return_field(&fields).is_ok_and(|given| is_double(given.data_type()));
    (takes_doubles && gives_double()).then(|| one_zero_of_group(function))
}

fn is_double(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}
