//! Where instants meet days, times without a zone or texts, all of them become instants.
//!
//! DataFusion 55.2 makes naive times of an instant and a day, texts of an instant and a text, and no file is skipped by
//! such a comparison. Here only the casts are put in place: what they mean in the session's zone, `local_time` says.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Values, cast, lit};

use super::texts_and_decimals::is_constant;
use super::{RuleContext, mixed_numbers};
use crate::query::zone::{UTC, is_instant, is_wall_time};

/// Which texts become instants.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Texts {
    /// A comparison with an instant is one of instants.
    All,
    /// The type of a choice may be text, unless the text is written right there.
    Literals,
    /// Of a difference no text says whether it is a time.
    None,
}

/// The type of all instants; a finer unit than microseconds is not cut.
fn instant_for(given: &DataType) -> DataType {
    let unit = match given {
        DataType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Microsecond,
    };
    DataType::Timestamp(unit, Some(UTC.into()))
}

/// Whether a cast was put in place.
pub(super) fn unify(all: &mut [&mut Expr], types: &[Option<DataType>], texts: Texts) -> bool {
    if !types.iter().flatten().any(is_instant) {
        return matches!(texts, Texts::All) && compare_days(all, types) || unify_days(all, types);
    }
    let mut changed = false;
    for (each, given) in all.iter_mut().zip(types) {
        let Some(given) = given else { continue };
        let is_text = match texts {
            Texts::All => given.is_string(),
            Texts::Literals => given.is_string() && matches!(each, Expr::Literal(..)),
            Texts::None => false,
        };
        if is_wall_time(given) || is_text {
            **each = cast(std::mem::take(*each), instant_for(given));
            changed = true;
        }
    }
    changed
}

/// Days beside times without a zone: DataFusion 55.2 brings both to nanoseconds, which end in 2262.
fn unify_days(all: &mut [&mut Expr], types: &[Option<DataType>]) -> bool {
    let Some(wall_time) = wall_time_beside_days(types.iter().flatten()) else { return false };
    for (each, given) in all.iter_mut().zip(types) {
        if given.as_ref().is_some_and(is_day) {
            **each = cast(std::mem::take(*each), wall_time.clone());
        }
    }
    true
}

/// Days beside computed texts, which may have a time of the day: DataFusion 55.2 cuts it off. A text in quotes is a day.
fn compare_days(all: &mut [&mut Expr], types: &[Option<DataType>]) -> bool {
    let held = || all.iter().zip(types).filter_map(|(each, given)| Some((each, given.as_ref()?)));
    let has_text = held().any(|(each, given)| given.is_string() && !is_constant(each));
    let has_day = held().any(|(_, given)| is_day(given));
    if !has_text || !has_day || held().any(|(_, given)| !is_day(given) && !given.is_string()) {
        return false;
    }
    for (each, _) in all.iter_mut().zip(types).filter(|(_, given)| given.is_some()) {
        **each = cast(std::mem::take(*each), DataType::Timestamp(TimeUnit::Microsecond, None));
    }
    true
}

fn is_day(given: &DataType) -> bool {
    matches!(given, DataType::Date32 | DataType::Date64)
}

/// The finest time without a zone among days and such times.
fn wall_time_beside_days<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let has_day = types.clone().any(is_day);
    types.filter(|given| has_day && matches!(given, DataType::Timestamp(_, None))).max().cloned()
}

/// The type of a column of which the values are instants in one input and days or times without a zone in another, or days
/// and times.
pub(super) fn column_type<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let is_time = |given: &DataType| is_instant(given) || is_wall_time(given);
    let is_mixed = types.clone().any(is_instant) && types.clone().any(is_wall_time);
    if !types.clone().all(|given| given.is_null() || is_time(given)) {
        return None;
    }
    if !is_mixed {
        return wall_time_beside_days(types);
    }
    // The finest unit, so that nothing is cut.
    types.filter(|given| !given.is_null()).map(instant_for).max()
}

/// Rows of VALUES of which one is an instant: DataFusion 55.2 makes wall times of an instant and a day, and casts both.
/// Casts that a user writes stand inside of a call, and those in rows of INSERT are to the types of the table's columns.
pub(super) fn unify_values(node: LogicalPlan, context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Values(mut values) = node else { return Ok(Transformed::no(node)) };
    let nothing = DFSchema::empty();
    let mut changed = false;
    let mut fields: Vec<FieldRef> = values.schema.fields().iter().cloned().collect();
    for (place, field) in fields.iter_mut().enumerate() {
        if context.inserts || !matches!(field.data_type(), DataType::Timestamp(_, None)) {
            continue;
        }
        let cells = values.values.iter().filter_map(|row| row.get(place));
        let types: Vec<DataType> =
            cells.filter_map(|cell| type_of_cell(time_below(cell, &nothing), &nothing)).collect();
        let Some(instants) = column_type(types.iter()) else { continue };
        changed = true;
        for cell in values.values.iter_mut().filter_map(|row| row.get_mut(place)) {
            *cell = time_below(cell, &nothing).clone().cast_to(&instants, &nothing)?;
        }
        *field = Arc::new(Field::clone(field).with_data_type(instants));
    }
    if !changed {
        return Ok(Transformed::no(LogicalPlan::Values(values)));
    }
    let schema = DFSchema::from_unqualified_fields(fields.into(), values.schema.metadata().clone())?;
    Ok(Transformed::yes(LogicalPlan::Values(Values { schema: Arc::new(schema), values: values.values })))
}

/// The time that was cast to be a wall time; a text that says one stays in its cast.
fn time_below<'a>(cell: &'a Expr, schema: &DFSchema) -> &'a Expr {
    match cell {
        // A name that the cell had before its types were named; columns of VALUES have their own.
        Expr::Alias(alias) => time_below(&alias.expr, schema),
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Timestamp(_, None)) => {
            match cast.expr.get_type(schema) {
                Ok(given) if is_instant(&given) || is_wall_time(&given) => &cast.expr,
                _ => cell,
            }
        }
        _ => cell,
    }
}

/// The rows of VALUES with the types that they have after their expressions changed: DataFusion 55.2 keeps those of before,
/// and fails when it runs.
pub(super) fn retype_rows(mut values: Values) -> DfResult<LogicalPlan> {
    let nothing = DFSchema::empty();
    let mut fields: Vec<FieldRef> = values.schema.fields().iter().cloned().collect();
    for (place, field) in fields.iter_mut().enumerate() {
        let types: Vec<Option<DataType>> =
            values.values.iter().map(|row| type_of_cell(row.get(place)?, &nothing)).collect();
        let number = mixed_numbers::column_type(types.iter().flatten());
        let Some(common) = number.as_ref().or_else(|| types.iter().flatten().next()) else { continue };
        if types.iter().flatten().all(|data_type| data_type == field.data_type()) {
            continue;
        }
        for row in &mut values.values {
            if let Some(cell) = row.get_mut(place) {
                *cell = std::mem::take(cell).cast_to(common, &nothing)?;
            }
        }
        *field = Arc::new(Field::clone(field).with_data_type(common.clone()));
    }
    let schema = DFSchema::from_unqualified_fields(fields.into(), values.schema.metadata().clone())?;
    Ok(LogicalPlan::Values(Values { schema: Arc::new(schema), values: values.values }))
}

/// The type of what is no NULL and no parameter.
fn type_of_cell(cell: &Expr, schema: &DFSchema) -> Option<DataType> {
    match cell {
        Expr::Literal(value, _) if value.is_null() => None,
        Expr::Placeholder(_) => None,
        _ => cell.get_type(schema).ok().filter(|data_type| !data_type.is_null()),
    }
}

/// Times have microseconds, `TIMESTAMPTZ` is the type of all instants, and `from_unixtime(n)` is one; DataFusion gives
/// nanoseconds, which end in 2262, the session's zone to the second and none to the third. `date_bin` keeps the unit.
pub(super) fn name_types(
    expression: Expr,
    schema: &DFSchema,
    context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let is_local =
        |given: &DataType| matches!(given, DataType::Timestamp(_, Some(held)) if held.as_ref() == context.zone);
    let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
    Ok(match expression {
        Expr::Cast(Cast { expr, field }) if is_local(field.data_type()) => Transformed::yes(cast(*expr, instant())),
        Expr::Cast(Cast { expr, field }) if *field.data_type() == nanos => {
            Transformed::yes(cast(*expr, DataType::Timestamp(TimeUnit::Microsecond, None)))
        }
        Expr::TryCast(mut try_cast) if *try_cast.field.data_type() == nanos => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
            try_cast.field = Arc::new(try_cast.field.as_ref().clone().with_data_type(micros));
            Transformed::yes(Expr::TryCast(try_cast))
        }
        Expr::ScalarFunction(call) if call.func.name() == "date_bin" => {
            match call.args.get(1).map(|source| source.get_type(schema)) {
                Some(Ok(given)) if matches!(given, DataType::Timestamp(unit, _) if unit != TimeUnit::Nanosecond) => {
                    Transformed::yes(cast(Expr::ScalarFunction(call), given))
                }
                _ => Transformed::no(Expr::ScalarFunction(call)),
            }
        }
        Expr::TryCast(mut try_cast) if is_local(try_cast.field.data_type()) => {
            try_cast.field = Arc::new(try_cast.field.as_ref().clone().with_data_type(instant()));
            Transformed::yes(Expr::TryCast(try_cast))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if func.name() == "from_unixtime" && args.len() == 1 =>
        {
            args.push(lit(ScalarValue::from(UTC)));
            Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        other => Transformed::no(other),
    })
}
