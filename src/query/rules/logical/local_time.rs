//! The session's zone in casts, calls and sums: everything that turns an instant into a day or a text, or back.
//!
//! DataFusion 55.2 knows no zone of the session there: it reads and writes UTC. Applied when the analyzer has made every
//! coercion a cast, so that a parameter of a function, a key of a join and a branch of a CASE are all one case.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, IntervalUnit, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue, plan_datafusion_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, ScalarUDF, ScalarUDFImpl, cast};

use super::{RuleContext, lengths};
use crate::query::functions::local_time::{
    CalendarSum, DayOf, InstantOf, LocalDate, LocalText, OnWallTime, TimeSeries, WallTime,
};
use crate::query::functions::{variation_of, vary};
use crate::query::zone::{OnError, UTC, in_zone, is_instant, is_wall_time};

/// The expression with the functions that hold the zone.
pub(super) fn rewrite(expression: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    match expression {
        Expr::Cast(node) => {
            let (zone, given) = (zone_of(context)?, node.expr.get_type(schema)?);
            Ok(match convert(*node.expr, &given, &node.field, zone, OnError::Fail) {
                Ok(converted) => Transformed::yes(converted),
                Err(expr) => Transformed::no(Expr::Cast(datafusion::logical_expr::Cast {
                    expr: Box::new(expr),
                    field: node.field,
                })),
            })
        }
        Expr::TryCast(node) => {
            let (zone, given) = (zone_of(context)?, node.expr.get_type(schema)?);
            Ok(match convert(*node.expr, &given, &node.field, zone, OnError::Null) {
                Ok(converted) => Transformed::yes(converted),
                Err(expr) => Transformed::no(Expr::TryCast(datafusion::logical_expr::TryCast {
                    expr: Box::new(expr),
                    field: node.field,
                })),
            })
        }
        Expr::BinaryExpr(sum) if matches!(sum.op, Operator::Plus | Operator::Minus) => add(sum, schema, context),
        Expr::ScalarFunction(call) => call_locally(call, schema, context),
        other => Ok(Transformed::no(other)),
    }
}

fn zone_of(context: &RuleContext<'_>) -> DfResult<Tz> {
    context.zone.parse().map_err(|_| plan_datafusion_err!("'{}' is not a time zone", context.zone))
}

fn call(function: impl ScalarUDFImpl + 'static, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(function)), arguments))
}

/// A cast between instants and days, wall times or texts; every other one comes back as the error.
fn convert(expr: Expr, given: &DataType, target: &FieldRef, zone: Tz, on_error: OnError) -> Result<Expr, Expr> {
    let target = target.data_type();
    if is_instant(given) {
        return match target {
            DataType::Date32 => Ok(call(LocalDate::new(zone), vec![expr])),
            // In UTC a cast does the same, and the optimizer knows it.
            _ if zone == Tz::UTC => Err(expr),
            DataType::Date64 => Ok(cast(call(LocalDate::new(zone), vec![expr]), DataType::Date64)),
            DataType::Timestamp(unit, None) => Ok(call(WallTime::new(zone, *unit, on_error), vec![expr])),
            DataType::Utf8 => Ok(call(LocalText::new(zone), vec![expr])),
            text if text.is_string() => Ok(cast(call(LocalText::new(zone), vec![expr]), text.clone())),
            DataType::Time32(_) | DataType::Time64(_) => {
                let wall = WallTime::new(zone, TimeUnit::Microsecond, on_error);
                Ok(cast(call(wall, vec![expr]), target.clone()))
            }
            _ => Err(expr),
        };
    }
    if target.is_string()
        && zone != Tz::UTC
        && let Some(local) = in_zone(given, zone.name())
    {
        // A list or a struct of instants.
        return Ok(cast(cast(expr, local), target.clone()));
    }
    match target {
        DataType::Date32 if given.is_string() => Ok(call(DayOf::new(zone, on_error), vec![expr])),
        DataType::Date64 if given.is_string() => {
            Ok(cast(call(DayOf::new(zone, on_error), vec![expr]), DataType::Date64))
        }
        DataType::Timestamp(_, Some(_)) if is_wall_time(given) || given.is_string() => {
            Ok(call(InstantOf::new(zone, target.clone(), on_error), vec![expr]))
        }
        DataType::Timestamp(unit, None) if given.is_string() => {
            Ok(call(WallTime::new(zone, *unit, on_error), vec![expr]))
        }
        _ => Err(expr),
    }
}

/// An instant and an interval of days or months.
fn add(sum: BinaryExpr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let interval = DataType::Interval(IntervalUnit::MonthDayNano);
    let (left, right) = (sum.left.get_type(schema)?, sum.right.get_type(schema)?);
    if is_day(&left) && right == interval {
        let (right, changed) = lengths::without_hours(*sum.right)?;
        let sum = Expr::BinaryExpr(BinaryExpr { right: Box::new(right), ..sum });
        return Ok(Transformed::new_transformed(sum, changed));
    }
    if is_day(&right) && left == interval {
        let (left, changed) = lengths::without_hours(*sum.left)?;
        let sum = Expr::BinaryExpr(BinaryExpr { left: Box::new(left), ..sum });
        return Ok(Transformed::new_transformed(sum, changed));
    }
    let zone = zone_of(context)?;
    let (instant, length) = match (is_instant(&left) && right == interval, is_instant(&right) && left == interval) {
        _ if zone == Tz::UTC => return Ok(Transformed::no(Expr::BinaryExpr(sum))),
        (true, _) => (sum.left, sum.right),
        (_, true) if sum.op == Operator::Plus => (sum.right, sum.left),
        _ => return Ok(Transformed::no(Expr::BinaryExpr(sum))),
    };
    if let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(length)), _) = length.as_ref()
        && length.months == 0
        && length.days == 0
    {
        // Hours and less pass alike everywhere.
        let (left, right) = (instant, Box::new(Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(*length)), None)));
        return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op: sum.op, right })));
    }
    let function = CalendarSum::new(zone, sum.op == Operator::Minus);
    Ok(Transformed::yes(call(function, vec![*instant, *length])))
}

fn is_day(given: &DataType) -> bool {
    matches!(given, DataType::Date32 | DataType::Date64)
}

/// Calls of functions that count by a calendar, or read texts.
fn call_locally(
    mut function: ScalarFunction,
    schema: &DFSchema,
    context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let zone = zone_of(context)?;
    let name = function.func.name();
    if let Some(part) = lengths::part_of(&function, schema)? {
        return Ok(Transformed::yes(part));
    }
    if zone == Tz::UTC && !(name == "to_date" || READERS.contains(&name)) {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    }
    if variation_of::<TimeSeries>(&function.func).is_some() {
        return count_in_zone(function, schema, zone);
    }
    let is_of_instant = |argument: Option<&Expr>| -> DfResult<bool> {
        Ok(match argument {
            Some(argument) => is_instant(&argument.get_type(schema)?),
            None => false,
        })
    };
    Ok(match name {
        "date_trunc" | "date_bin" if is_of_instant(function.args.get(1))? && !is_local(&function) => {
            Transformed::yes(call(OnWallTime::new(function.func, zone), function.args))
        }
        "date_part" | "to_char" => {
            let mut changed = false;
            for argument in &mut function.args {
                if let DataType::Timestamp(unit, Some(held)) = argument.get_type(schema)?
                    && held.as_ref() == UTC
                {
                    let local = DataType::Timestamp(unit, Some(zone.name().into()));
                    *argument = cast(std::mem::take(argument), local);
                    changed = true;
                }
            }
            Transformed::new_transformed(Expr::ScalarFunction(function), changed)
        }
        "to_date" if is_of_instant(function.args.first())? => {
            Transformed::yes(call(LocalDate::new(zone), function.args))
        }
        "array_to_string" => {
            let mut changed = false;
            if let Some(list) = function.args.first_mut()
                && let Some(local) = in_zone(&list.get_type(schema)?, zone.name())
            {
                *list = cast(std::mem::take(list), local);
                changed = true;
            }
            Transformed::new_transformed(Expr::ScalarFunction(function), changed)
        }
        "to_date" if is_one_text(&function, schema)? => {
            Transformed::yes(call(DayOf::new(zone, OnError::Fail), function.args))
        }
        "to_local_time" | "to_time" if is_of_instant(function.args.first())? => {
            let unit = match function.args[0].get_type(schema)? {
                DataType::Timestamp(unit, _) => unit,
                _ => TimeUnit::Microsecond,
            };
            let is_time = name == "to_time";
            let wall = call(WallTime::new(zone, unit, OnError::Fail), function.args);
            Transformed::yes(match is_time {
                true => cast(wall, DataType::Time64(TimeUnit::Nanosecond)),
                false => wall,
            })
        }
        _ if READERS.contains(&name) => read_locally(function, schema, zone)?,
        _ => Transformed::no(Expr::ScalarFunction(function)),
    })
}

/// A series of instants has the days and months of the zone; a wall time at one end of it is one of the zone, too.
fn count_in_zone(mut function: ScalarFunction, schema: &DFSchema, zone: Tz) -> DfResult<Transformed<Expr>> {
    let ends = function.args.iter().take(2).map(|end| end.get_type(schema));
    let ends: Vec<DataType> = ends.collect::<DfResult<_>>()?;
    let instant = ends.iter().find(|end| is_instant(end));
    let series = variation_of::<TimeSeries>(&function.func).map(|series| series.in_zone(zone));
    let (Some(instant), Some(series)) = (instant, series) else {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    };
    for (end, given) in function.args.iter_mut().zip(&ends) {
        if is_wall_time(given) {
            *end = call(InstantOf::new(zone, instant.clone(), OnError::Fail), vec![std::mem::take(end)]);
        }
    }
    function.func = Arc::new(vary(series));
    Ok(Transformed::yes(Expr::ScalarFunction(function)))
}

fn is_one_text(function: &ScalarFunction, schema: &DFSchema) -> DfResult<bool> {
    match function.args.as_slice() {
        [text] => Ok(text.get_type(schema)?.is_string()),
        _ => Ok(false),
    }
}

/// Whether the call was rewritten already: its result has the name of the function that it stands for.
fn is_local(function: &ScalarFunction) -> bool {
    function.func.inner().is::<OnWallTime>()
}

/// Functions that make an instant of what they are given.
const READERS: [&str; 6] = [
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "to_unixtime",
];

/// Directives by which a text names its own zone.
const ZONE_DIRECTIVES: [&str; 6] = ["%z", "%:z", "%::z", "%#z", "%+", "%s"];

/// A text or a wall time that is read is one of the zone.
fn read_locally(mut function: ScalarFunction, schema: &DFSchema, zone: Tz) -> DfResult<Transformed<Expr>> {
    let Some(first) = function.args.first() else { return Ok(Transformed::no(Expr::ScalarFunction(function))) };
    let given = first.get_type(schema)?;
    // In UTC a wall time is its instant, and a format says the same.
    let is_read_alike = zone == Tz::UTC && !(given.is_string() && function.args.len() == 1);
    if is_read_alike || !(given.is_string() || is_wall_time(&given)) {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    }
    let result = Expr::ScalarFunction(function.clone()).get_type(schema)?;
    if function.args.len() == 1 {
        let reads_seconds = !matches!(result, DataType::Timestamp(..));
        let instant = match reads_seconds {
            // The function finds the second of an instant.
            true => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            false => result.clone(),
        };
        let read = call(InstantOf::new(zone, instant, OnError::Fail), std::mem::take(&mut function.args));
        return Ok(Transformed::yes(if reads_seconds {
            function.args = vec![read];
            Expr::ScalarFunction(function)
        } else if is_instant(&result) {
            read
        } else {
            cast(read, result)
        }));
    }
    let names_zone = |format: &Expr| match format {
        Expr::Literal(format, _) => {
            format.try_as_str().flatten().is_none_or(|format| ZONE_DIRECTIVES.iter().any(|zone| format.contains(zone)))
        }
        _ => true,
    };
    if !is_instant(&result) || function.args[1..].iter().any(names_zone) {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    }
    // The format has no zone: the same function without one reads a wall time.
    let Some(without_zone) = function.func.inner().with_updated_config(&ConfigOptions::new()) else {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    };
    let wall = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(without_zone), function.args));
    Ok(Transformed::yes(call(InstantOf::new(zone, result, OnError::Fail), vec![wall])))
}
