//! Which expressions fail for some values: those must not be computed for rows that a condition beside them excludes.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};

use crate::query::functions::numbers::{Arithmetic, RoundCast, is_number, loses_digits};
use crate::query::walk::WalkExpression;

/// Functions that refuse some values of the right type.
const REFUSING: [&str; 14] = [
    "arrow_cast",
    "divide_length",
    "make_date",
    "multiply_length",
    "negate",
    "shift_left",
    "shift_right",
    "to_date",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "whole_days",
];

/// Whether the expression fails for some values; in doubt it does.
pub(in crate::query) fn can_fail(expression: &Expr, schema: &DFSchema) -> bool {
    expression.has_part(&mut |part| Ok(part_can_fail(part, schema))).unwrap_or(true)
}

fn part_can_fail(part: &Expr, schema: &DFSchema) -> bool {
    match part {
        Expr::ScalarFunction(call) => call_can_fail(call, schema),
        // A constant fails once and for all, when it is folded.
        Expr::Cast(cast) if matches!(cast.expr.as_ref(), Expr::Literal(..)) => false,
        Expr::Cast(cast) => match cast.expr.get_type(schema) {
            Ok(from) => cast_can_fail(&from, cast.field.data_type()),
            Err(_) => true,
        },
        Expr::BinaryExpr(binary) => {
            matches!(binary.op, Operator::Divide | Operator::Modulo | Operator::IntegerDivide)
        }
        _ => false,
    }
}

fn call_can_fail(call: &ScalarFunction, schema: &DFSchema) -> bool {
    let function = call.func.inner();
    if let Some(arithmetic) = function.downcast_ref::<Arithmetic>() {
        let [left, right] = &call.args[..] else { return true };
        let types = (left.get_type(schema), right.get_type(schema));
        let (Ok(left), Ok(right_type)) = types else { return true };
        return arithmetic.can_fail(&left, &right_type, right);
    }
    if let Some(cast) = function.downcast_ref::<RoundCast>() {
        return cast.can_fail();
    }
    REFUSING.contains(&call.func.name())
}

fn cast_can_fail(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, to) => !to.is_string(),
        (from, to) if is_number(from) && is_number(to) => {
            loses_digits(from, to) || !from.is_floating() && !to.is_floating() && narrows(from, to)
        }
        _ => false,
    }
}

/// Whether whole numbers of the one type may be too large for the other.
fn narrows(from: &DataType, to: &DataType) -> bool {
    whole_digits(from) > whole_digits(to)
}

fn whole_digits(data_type: &DataType) -> i16 {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => i16::from(*precision) - i16::from(*scale),
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::UInt64 => 20,
        _ => 19,
    }
}
