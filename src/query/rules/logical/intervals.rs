//! Compares and orders intervals by their length. DataFusion 55.2 compares a difference of instants with an interval by
//! the parts of their representation: `now() - ts <= INTERVAL '30 days'` held for every row.
//!
//! Can go when intervals are compared and sorted by length: `tests/slt/intervals.slt` then passes without it, but for
//! what it refuses.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Between, Case, InList, ScalarFunction, Sort, WindowFunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, cast, lit,
};

use super::RuleContext;
use super::meeting::is_comparison;
use crate::error::Error;
use crate::query::functions::numbers::{
    check_length_operands, extreme_of_group, extreme_of_row, has_length, interval_length,
};

/// What is found between the lengths of intervals; of a percentile the first argument.
const PERCENTILES: [&str; 2] = ["median", PERCENTILE];
/// What is found of each length once.
const OF_DISTINCT: [&str; 2] = ["avg", "count"];
const PERCENTILE: &str = "percentile_cont";

/// The comparison with the lengths of its operands.
pub(super) fn compare_by_length(
    expression: Expr,
    schema: &DFSchema,
    _context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    check_lengths(&expression, schema)?;
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) && measured(&[&left, &right], schema) => {
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
        Expr::ScalarFunction(call) => Ok(call_by_length(call, schema)),
        Expr::Case(case) => Ok(compare_case(case, schema)),
        Expr::AggregateFunction(call) => aggregate(call, schema),
        Expr::WindowFunction(call) => window(*call, schema),
        other => Ok(Transformed::no(other)),
    }
}

/// # Errors
/// `InvalidInput` for a number beside a length of time: DataFusion 55.2 calls its own refusal a fault of its code.
fn check_lengths(expression: &Expr, schema: &DFSchema) -> DfResult<()> {
    let operands: Vec<&Expr> = match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => vec![left.as_ref(), right.as_ref()],
        Expr::Between(Between { expr, low, high, .. }) => vec![expr.as_ref(), low.as_ref(), high.as_ref()],
        Expr::InList(InList { expr, list, .. }) => list.iter().chain([expr.as_ref()]).collect(),
        _ => return Ok(()),
    };
    let types: Vec<DataType> = operands.into_iter().filter_map(|operand| operand.get_type(schema).ok()).collect();
    check_length_operands(&types)?;
    Ok(())
}

/// `greatest`, `least` and `nullif`, which compare lengths and give one of the intervals.
fn call_by_length(mut call: ScalarFunction, schema: &DFSchema) -> Transformed<Expr> {
    if !measured_all(&call.args, schema) {
        return Transformed::no(Expr::ScalarFunction(call));
    }
    if let Some(extreme) = extreme_of_row(call.func.name()) {
        call.func = extreme;
        return Transformed::yes(Expr::ScalarFunction(call));
    }
    if call.func.name() == "nullif"
        && let [value, compared] = call.args.as_slice()
    {
        let is_equal = interval_length(value.clone()).eq(interval_length(compared.clone()));
        let null = Box::new(lit(ScalarValue::Null));
        let value = Some(Box::new(value.clone()));
        let case = Case { expr: None, when_then_expr: vec![(Box::new(is_equal), null)], else_expr: value };
        return Transformed::yes(Expr::Case(case));
    }
    Transformed::no(Expr::ScalarFunction(call))
}

/// Whether the operands are lengths of time of which one is an interval; a text beside a length says one.
fn measured(operands: &[&Expr], schema: &DFSchema) -> bool {
    let (mut intervals, mut differences, mut texts) = (0, 0, 0);
    for operand in operands {
        match operand.get_type(schema) {
            Ok(DataType::Interval(_)) => intervals += 1,
            Ok(other) if has_length(&other) => differences += 1,
            Ok(other) if other.is_null() => {}
            Ok(DataType::Utf8 | DataType::Utf8View) if matches!(operand, Expr::Literal(..)) => texts += 1,
            _ => return false,
        }
    }
    intervals > 0 || differences > 0 && texts > 0
}

fn measured_all(operands: &[Expr], schema: &DFSchema) -> bool {
    measured(&operands.iter().collect::<Vec<_>>(), schema)
}

fn compare_case(mut case: Case, schema: &DFSchema) -> Transformed<Expr> {
    let compared: Vec<&Expr> =
        case.expr.iter().chain(case.when_then_expr.iter().map(|(when, _)| when)).map(Box::as_ref).collect();
    if case.expr.is_none() || !measured(&compared, schema) {
        return Transformed::no(Expr::Case(case));
    }
    case.expr = case.expr.map(|compared| Box::new(interval_length(*compared)));
    for (when, _) in &mut case.when_then_expr {
        **when = interval_length(std::mem::take(when.as_mut()));
    }
    Transformed::yes(Expr::Case(case))
}

/// What is compared is the length, and so is the key of an order within.
fn aggregate(mut call: AggregateFunction, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    let mut changed = measure_keys(&mut call.params.order_by, schema);
    if let Some(extreme) = extreme_of_group(call.func.name())
        && measured_all(&call.params.args, schema)
    {
        call.func = extreme;
        // Of equal ones one is enough.
        call.params.distinct = false;
        return Ok(Transformed::yes(Expr::AggregateFunction(call)));
    }
    changed |= measure_arguments(call.func.name(), &mut call.params.args, call.params.distinct, schema)?;
    Ok(Transformed::new_transformed(Expr::AggregateFunction(call), changed))
}

/// # Errors
/// `InvalidInput` for a function of distinct intervals that gives back some of them.
fn measure_arguments(name: &str, all: &mut [Expr], is_distinct: bool, schema: &DFSchema) -> DfResult<bool> {
    let measured_arguments = if name == PERCENTILE { 1 } else { all.len() };
    let Some(arguments) = all.get_mut(..measured_arguments).filter(|arguments| measured_all(arguments, schema)) else {
        return Ok(false);
    };
    if PERCENTILES.contains(&name) || is_distinct && OF_DISTINCT.contains(&name) {
        return Ok(measure(arguments));
    }
    match is_distinct {
        true => Err(Error::invalid(format!(
            "{name}(DISTINCT i) of intervals: they are told apart by their length, write \
             {name}(DISTINCT extract(epoch FROM i)) for that in seconds"
        ))
        .into()),
        false => Ok(false),
    }
}

fn measure(operands: &mut [Expr]) -> bool {
    operands.iter_mut().for_each(|operand| *operand = interval_length(std::mem::take(operand)));
    !operands.is_empty()
}

fn measure_keys(keys: &mut [Sort], schema: &DFSchema) -> bool {
    let mut changed = false;
    for key in keys {
        if measured(&[&key.expr], schema) {
            key.expr = interval_length(std::mem::take(&mut key.expr));
            changed = true;
        }
    }
    changed
}

/// A window over lengths: DataFusion 55.2 has no RANGE over them, which is the frame of `OVER (ORDER BY i)`, so that their
/// microseconds are the key.
fn window(mut call: WindowFunction, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    let mut changed = false;
    if let WindowFunctionDefinition::AggregateUDF(function) = &mut call.fun {
        match extreme_of_group(function.name()).filter(|_| measured_all(&call.params.args, schema)) {
            Some(extreme) => {
                *function = extreme;
                call.params.distinct = false;
                changed = true;
            }
            None => {
                let is_distinct = call.params.distinct;
                changed |= measure_arguments(function.name(), &mut call.params.args, is_distinct, schema)?;
            }
        }
    }
    for part in &mut call.params.partition_by {
        if measured(&[part], schema) {
            *part = interval_length(std::mem::take(part));
            changed = true;
        }
    }
    for key in &mut call.params.order_by {
        let length = match key.expr.get_type(schema) {
            Ok(DataType::Interval(_)) => interval_length(std::mem::take(&mut key.expr)),
            Ok(DataType::Duration(_)) => std::mem::take(&mut key.expr),
            _ => continue,
        };
        if has_distance(&call.params.window_frame) {
            return Err(Error::invalid(
                "RANGE with a distance over lengths of time: write ORDER BY extract(epoch FROM i) RANGE 86400 PRECEDING for \
                 a distance in seconds, or ROWS for one in rows",
            )
            .into());
        }
        key.expr = cast(length, DataType::Int64);
        changed = true;
    }
    Ok(Transformed::new_transformed(Expr::WindowFunction(Box::new(call)), changed))
}

fn has_distance(frame: &WindowFrame) -> bool {
    let is_distance = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => !distance.is_null(),
        WindowFrameBound::CurrentRow => false,
    };
    frame.units == WindowFrameUnits::Range && (is_distance(&frame.start_bound) || is_distance(&frame.end_bound))
}

/// The node, sorting by the lengths of intervals.
pub(super) fn sort_by_length(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Sort(mut sort) = node else { return Ok(Transformed::no(node)) };
    let changed = measure_keys(&mut sort.expr, sort.input.schema());
    Ok(Transformed::new_transformed(LogicalPlan::Sort(sort), changed))
}
