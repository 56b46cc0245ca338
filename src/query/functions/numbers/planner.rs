//! Plans the operators of numbers as the engine's own functions, as soon as the SQL text is read: later, DataFusion has
//! folded constants with wrapping already, and columns have the types of its operators.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::arithmetic::{Operation, function};
use super::days_between::days_between;
use super::interval_length::has_length;
use super::operands::is_number;
use super::power::Power;
use super::scale_length::scale_length;
use super::shift::{Direction, shift};
use crate::error::Error;

/// What is added to days and instants stays DataFusion's; so does what it refuses, such as text times a number.
#[derive(Debug)]
pub(in crate::query) struct NumberPlanner;

impl ExprPlanner for NumberPlanner {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        if raw.op == BinaryOperator::BitwiseXor {
            return Ok(PlannerResult::Planned(ScalarUDF::from(Power::new()).call(vec![raw.left, raw.right])));
        }
        let direction = match raw.op {
            BinaryOperator::PGBitwiseShiftLeft => Some(Direction::Left),
            BinaryOperator::PGBitwiseShiftRight => Some(Direction::Right),
            _ => None,
        };
        if let Some(direction) = direction
            && are_integers(&raw.left, &raw.right, schema)
        {
            return Ok(PlannerResult::Planned(shift(direction, raw.left, raw.right)));
        }
        let operation = match raw.op {
            BinaryOperator::Plus => Operation::Add,
            BinaryOperator::Minus => Operation::Subtract,
            BinaryOperator::Multiply => Operation::Multiply,
            BinaryOperator::Divide => Operation::Divide,
            BinaryOperator::Modulo => Operation::Modulo,
            BinaryOperator::DuckIntegerDivide | BinaryOperator::MyIntegerDivide => Operation::WholeDivide,
            _ => return Ok(PlannerResult::Original(raw)),
        };
        if let Some(divides) = scales_length(operation, &raw.left, &raw.right, schema) {
            return Ok(PlannerResult::Planned(scale_length(raw.left, raw.right, divides)));
        }
        if let Some(days) = difference_of_days(operation, &raw.left, &raw.right, schema) {
            return Ok(PlannerResult::Planned(days));
        }
        refuse_divisor(operation, &raw.right, schema)?;
        match are_numbers(&raw.left, &raw.right, schema) {
            true => Ok(PlannerResult::Planned(function(operation).call(vec![raw.left, raw.right]))),
            false => Ok(PlannerResult::Original(raw)),
        }
    }
}

/// An operator of DataFusion as the engine's, where its operands turn out to be numbers; parameters tell it late.
pub(in crate::query) fn plan_operation(
    left: &Expr,
    operator: Operator,
    right: &Expr,
    schema: &DFSchema,
) -> Option<Expr> {
    let direction = match operator {
        Operator::BitwiseShiftLeft => Some(Direction::Left),
        Operator::BitwiseShiftRight => Some(Direction::Right),
        _ => None,
    };
    if let Some(direction) = direction {
        return are_integers(left, right, schema).then(|| shift(direction, left.clone(), right.clone()));
    }
    let operation = match operator {
        Operator::Plus => Operation::Add,
        Operator::Minus => Operation::Subtract,
        Operator::Multiply => Operation::Multiply,
        Operator::Divide => Operation::Divide,
        Operator::Modulo => Operation::Modulo,
        Operator::IntegerDivide => Operation::WholeDivide,
        _ => return None,
    };
    if let Some(divides) = scales_length(operation, left, right, schema) {
        return Some(scale_length(left.clone(), right.clone(), divides));
    }
    if let Some(days) = difference_of_days(operation, left, right, schema) {
        return Some(days);
    }
    are_numbers(left, right, schema).then(|| function(operation).call(vec![left.clone(), right.clone()]))
}

fn difference_of_days(operation: Operation, left: &Expr, right: &Expr, schema: &DFSchema) -> Option<Expr> {
    if operation != Operation::Subtract {
        return None;
    }
    let (left_type, right_type) = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
    days_between((left, &left_type), (right, &right_type))
}

/// # Errors
/// `InvalidInput` for a length of time by which something is divided.
fn refuse_divisor(operation: Operation, divisor: &Expr, schema: &DFSchema) -> DfResult<()> {
    let divides = matches!(operation, Operation::Divide | Operation::Modulo | Operation::WholeDivide);
    match divides && divisor.get_type(schema).is_ok_and(|given| has_length(&given)) {
        true => Err(Error::invalid(
            "nothing is divided by a length of time: a length is divided by a number, as in i / 2, and two lengths by \
             their seconds, extract(epoch FROM a) / extract(epoch FROM b)",
        )
        .into()),
        false => Ok(()),
    }
}

/// A NULL, or a parameter without a type, beside a number is one.
fn are_numbers(left: &Expr, right: &Expr, schema: &DFSchema) -> bool {
    let (Ok(left), Ok(right)) = (left.get_type(schema), right.get_type(schema)) else { return false };
    let may_be = |data_type: &DataType| is_exact_or_double(data_type) || data_type.is_null();
    (is_exact_or_double(&left) || is_exact_or_double(&right)) && may_be(&left) && may_be(&right)
}

/// Whether a length of time is multiplied (false) or divided (true) by a number.
fn scales_length(operation: Operation, left: &Expr, right: &Expr, schema: &DFSchema) -> Option<bool> {
    let (Ok(left), Ok(right)) = (left.get_type(schema), right.get_type(schema)) else { return None };
    let may_be_number = |data_type: &DataType| is_exact_or_double(data_type) || data_type.is_null();
    match operation {
        Operation::Multiply if has_length(&left) && may_be_number(&right) => Some(false),
        Operation::Multiply if may_be_number(&left) && has_length(&right) => Some(false),
        Operation::Divide if has_length(&left) && may_be_number(&right) => Some(true),
        _ => None,
    }
}

/// Those of 64 bits without a sign are no BIGINT.
fn are_integers(left: &Expr, right: &Expr, schema: &DFSchema) -> bool {
    let (Ok(left), Ok(right)) = (left.get_type(schema), right.get_type(schema)) else { return false };
    let is_integer = |data_type: &DataType| data_type.is_integer() && *data_type != DataType::UInt64;
    let may_be = |data_type: &DataType| is_integer(data_type) || data_type.is_null();
    (is_integer(&left) || is_integer(&right)) && may_be(&left) && may_be(&right)
}

/// 256 bits wide decimals come only from casts that a user writes; they stay DataFusion's.
fn is_exact_or_double(data_type: &DataType) -> bool {
    is_number(data_type) && !matches!(data_type, DataType::Decimal256(..))
}
