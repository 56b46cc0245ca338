//! Sums and differences of times, planned while the text is read. DataFusion 55.2 refuses a difference of instants that
//! carry two zones: that of a column is UTC, that of `TIMESTAMPTZ '...'` the session's; and `ts + '1 day'`. It
//! refuses `ts - ts > '1 day'`, too.

use arrow::compute::kernels::cast_utils::{IntervalParseConfig, IntervalUnit, parse_interval_month_day_nano_config};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::error::Error;
use crate::query::functions::interval_fractions::spell_fractions;
use crate::query::functions::numbers::{check_length_operands, has_length, text_beside_length};
use crate::query::zone::{UTC, is_instant, is_wall_time};

const INTERVAL: DataType = DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano);

#[derive(Debug)]
pub(in crate::query) struct InstantPlanner;

impl ExprPlanner for InstantPlanner {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if compares(&raw.op) {
            return beside_length(raw, schema).map(PlannerResult::Original);
        }
        if !matches!(raw.op, BinaryOperator::Plus | BinaryOperator::Minus) {
            return Ok(PlannerResult::Original(raw));
        }
        let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(raw));
        };
        let is_time = |given: &DataType| is_instant(given) || is_wall_time(given);
        if is_time(&left) && right.is_string() || left.is_string() && is_time(&right) {
            return read_text(raw, &left, &right).map(PlannerResult::Original);
        }
        let is_difference = |given: &DataType| matches!(given, DataType::Duration(_));
        if is_day(&left) && is_difference(&right) {
            return Ok(PlannerResult::Original(RawBinaryExpr { left: at_midnight(raw.left), ..raw }));
        }
        if is_difference(&left) && is_day(&right) && raw.op == BinaryOperator::Plus {
            return Ok(PlannerResult::Original(RawBinaryExpr { right: at_midnight(raw.right), ..raw }));
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

fn compares(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The comparison of lengths of time, of which a text becomes one.
///
/// # Errors
/// `InvalidInput` for a number, and for a text that is not written right there.
fn beside_length(raw: RawBinaryExpr, schema: &DFSchema) -> Result<RawBinaryExpr> {
    let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else { return Ok(raw) };
    let types = [left, right];
    if !types.iter().any(has_length) {
        return Ok(raw);
    }
    check_length_operands(&types)?;
    let [left, right] = types;
    Ok(RawBinaryExpr { op: raw.op, left: as_length(raw.left, &left)?, right: as_length(raw.right, &right)? })
}

/// The length that a text says; its units are read where casts are.
fn as_length(operand: Expr, given: &DataType) -> Result<Expr> {
    match operand {
        Expr::Literal(..) if given.is_string() => Ok(cast(operand, INTERVAL)),
        _ if given.is_string() => Err(text_beside_length().into()),
        _ => Ok(operand),
    }
}

/// The text beside a time, which is a length of time where nothing else can be meant.
///
/// # Errors
/// `InvalidInput` for a day and a text, as in PostgreSQL; for a text that is not written right there; and where it may be a
/// time: `ts - '2024-03-01'`.
fn read_text(raw: RawBinaryExpr, left: &DataType, right: &DataType) -> Result<RawBinaryExpr> {
    let text_is_left = left.is_string();
    let text = if text_is_left { &raw.left } else { &raw.right };
    let subtracts = raw.op == BinaryOperator::Minus;
    if !(is_day(left) || is_day(right) || text_is_left && subtracts)
        && let Some(length) = length_in(text, subtracts)
    {
        return Ok(match text_is_left {
            true => RawBinaryExpr { left: length, ..raw },
            false => RawBinaryExpr { right: length, ..raw },
        });
    }
    Err(Error::invalid(
        "a text beside a time may be a time or a length of time: write TIMESTAMP '2024-03-01 13:45:00' or \
         INTERVAL '1 day', and of a column or a parameter CAST(x AS TIMESTAMP) or CAST(x AS INTERVAL)",
    )
    .into())
}

/// A literal text as the INTERVAL that it says, a bare number in seconds. What is taken away may be a time: there it has
/// to name its units.
fn length_in(text: &Expr, names_units: bool) -> Option<Expr> {
    let Expr::Literal(text, _) = text else { return None };
    let text = text.try_as_str().flatten()?;
    if names_units && text.trim().parse::<f64>().is_ok() {
        return None;
    }
    let seconds = IntervalParseConfig::new(IntervalUnit::Second);
    let spelled = spell_fractions(text);
    let interval = parse_interval_month_day_nano_config(spelled.as_deref().unwrap_or(text), seconds).ok()?;
    Some(lit(ScalarValue::IntervalMonthDayNano(Some(interval))))
}

fn is_day(given: &DataType) -> bool {
    matches!(given, DataType::Date32 | DataType::Date64)
}

/// A day as the time at which it begins: a day and a difference of instants are a time, as in Postgres.
fn at_midnight(day: Expr) -> Expr {
    cast(day, DataType::Timestamp(TimeUnit::Microsecond, None))
}

fn in_utc(instant: Expr, given: &DataType) -> Expr {
    match given {
        DataType::Timestamp(_, Some(zone)) if zone.as_ref() != UTC => {
            cast(instant, DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())))
        }
        _ => instant,
    }
}
