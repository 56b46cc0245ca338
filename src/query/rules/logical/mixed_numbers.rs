//! Where a DOUBLE meets decimals, all of them are DOUBLE: it has the wider range. Where a REAL meets whole numbers or
//! decimals, all of them are DOUBLE, too, as in PostgreSQL: it holds 7 digits, and they have more.
//!
//! DataFusion 55.2 makes DECIMAL(30,15) of a DOUBLE and a decimal: `1e-20 = 0.0` was true, and a stored 1e20 made
//! `x > 0.5` fail. Of a REAL and any other number it makes a REAL: `16777217 = 16777216::REAL` was true. A literal
//! becomes a literal, so that a condition on a column still skips files.
//!
//! Can go when `binary_numeric_coercion` makes DOUBLE of both: `tests/slt/mixed_numbers.slt` then passes without it,
//! but for what it refuses.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, JoinConstraint, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Alias, InSubquery, SetComparison};
use datafusion::logical_expr::expr_schema::cast_subquery;
use datafusion::logical_expr::type_coercion::binary::{comparison_coercion, type_union_coercion};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Subquery, cast, lit};

use super::{RuleContext, texts_and_decimals};
use crate::error::Error;
use crate::query::walk::WalkExpression;

/// A column of a subquery whose type is changed.
const VALUE: &str = "__value";

/// Whether DataFusion makes whole numbers beside it as short as it is.
fn is_short_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float16 | DataType::Float32)
}

pub(super) fn is_decimal(data_type: &DataType) -> bool {
    use DataType::{Decimal32, Decimal64, Decimal128, Decimal256};
    matches!(data_type, Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..))
}

/// The float that holds values of all the types, at each place of lists and rows; `None` where no place is a float. What is
/// no number is of any of them.
pub(super) fn widest_float<'a>(types: impl Iterator<Item = &'a DataType>) -> Option<DataType> {
    let widest = types.filter(|given| !given.is_null()).fold(None, |widest, given| match widest {
        None => Some(given.clone()),
        Some(widest) => Some(wider(widest, given)),
    });
    widest.filter(holds_float)
}

fn holds_float(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(element) => holds_float(element.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds_float(field.data_type())),
        other => other.is_floating(),
    }
}

fn wider(one: DataType, other: &DataType) -> DataType {
    match (&one, other) {
        (DataType::Float64, _) => one,
        (_, DataType::Float64) => DataType::Float64,
        (held, new) if held.is_numeric() && new.is_numeric() && held.is_floating() != new.is_floating() => {
            DataType::Float64
        }
        (DataType::Float32, DataType::Float16) => one,
        (_, new) if new.is_floating() => new.clone(),
        (DataType::List(held), DataType::List(new)) => {
            DataType::List(retyped(held, wider(held.data_type().clone(), new.data_type())))
        }
        (DataType::Struct(held), DataType::Struct(new)) if held.len() == new.len() => {
            let places = held.iter().zip(new);
            DataType::Struct(
                places.map(|(held, new)| retyped(held, wider(held.data_type().clone(), new.data_type()))).collect(),
            )
        }
        _ => one,
    }
}

fn retyped(field: &Arc<Field>, data_type: DataType) -> Arc<Field> {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// The type that a number takes beside `float`, of [`widest_float`]; `None` where it keeps its own, or DataFusion finds it.
pub(super) fn type_beside(given: &DataType, float: &DataType) -> Option<DataType> {
    match (given, float) {
        (given, DataType::Float64) if is_decimal(given) || is_short_float(given) => Some(DataType::Float64),
        (DataType::List(given), DataType::List(float)) => {
            type_beside(given.data_type(), float.data_type()).map(|element| DataType::List(retyped(given, element)))
        }
        (DataType::Struct(given), DataType::Struct(float)) if given.len() == float.len() => {
            let new: Vec<Option<DataType>> = given
                .iter()
                .zip(float)
                .map(|(given, float)| type_beside(given.data_type(), float.data_type()))
                .collect();
            if new.iter().all(Option::is_none) {
                return None;
            }
            let fields: Fields = given
                .iter()
                .zip(new)
                .map(|(field, new)| new.map_or_else(|| Arc::clone(field), |new| retyped(field, new)))
                .collect();
            Some(DataType::Struct(fields))
        }
        _ => None,
    }
}

/// The decimals and REALs among values that meet as DOUBLEs. Whether one was changed.
pub(super) fn unify(all: &mut [&mut Expr], types: &[Option<DataType>]) -> bool {
    let Some(float) = widest_float(types.iter().flatten()) else { return false };
    let mut changed = false;
    for (each, given) in all.iter_mut().zip(types) {
        if let Some(new) = given.as_ref().and_then(|given| type_beside(given, &float)) {
            **each = as_type(std::mem::take(*each), &new);
            changed = true;
        }
    }
    changed
}

/// The results of CASE in the one type that they have in common: DataFusion takes that of the first result until types are
/// settled, and what the CASE meets would be judged by it.
pub(super) fn unify_results(all: &mut [&mut Expr], types: &[Option<DataType>]) -> bool {
    let held = || types.iter().flatten().filter(|given| !given.is_null());
    if !held().all(DataType::is_numeric) || held().zip(held().skip(1)).all(|(one, next)| one == next) {
        return unify(all, types);
    }
    let Some(common) = common_number(held()) else { return false };
    let mut changed = false;
    for (each, given) in all.iter_mut().zip(types) {
        if given.as_ref().is_some_and(|given| !given.is_null() && *given != common) {
            **each = as_type(std::mem::take(*each), &common);
            changed = true;
        }
    }
    changed
}

/// The type of numbers of several types.
fn common_number<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    if let Some(float) = widest_float(types.clone()) {
        return Some(float);
    }
    let mut types = types.cloned();
    let first = types.next()?;
    types.try_fold(first, |common, next| type_union_coercion(&common, &next))
}

/// The expression in another type; a literal at once.
fn as_type(expression: Expr, data_type: &DataType) -> Expr {
    match expression {
        Expr::Literal(value, metadata) => match number_as(&value, data_type) {
            Some(value) => Expr::Literal(value, metadata),
            None => cast(Expr::Literal(value, metadata), data_type.clone()),
        },
        Expr::Alias(Alias { expr, relation, name, .. }) => as_type(*expr, data_type).alias_qualified(relation, name),
        other => cast(other, data_type.clone()),
    }
}

/// A literal decimal as the DOUBLE that is nearest to it: that of its digits, as if it had been written as a DOUBLE.
fn number_as(value: &ScalarValue, data_type: &DataType) -> Option<ScalarValue> {
    if *data_type != DataType::Float64 || value.is_null() || !is_decimal(&value.data_type()) {
        return value.cast_to(data_type).ok();
    }
    match value.cast_to(&DataType::Utf8).ok()? {
        ScalarValue::Utf8(Some(digits)) => digits.parse().ok().map(|number| ScalarValue::Float64(Some(number))),
        _ => None,
    }
}

/// Types of columns of several inputs, such as those of UNION: what each input's column becomes, and what the columns are
/// then. DataFusion says the first input's until types are settled.
pub(super) fn column_type<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    let held = types.filter(|given| !given.is_null());
    match held.clone().all(DataType::is_numeric) {
        true => common_number(held),
        false => None,
    }
}

/// Keys of joins, of USING and of set operations, each beside its own.
pub(super) fn unify_keys(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
    let mut changed = false;
    for (left, right) in &mut join.on {
        let types = [left.get_type(join.left.schema()).ok(), right.get_type(join.right.schema()).ok()];
        let mut both = [left, right];
        changed |= texts_and_decimals::unify(&mut both, &types)? || unify(&mut both, &types);
    }
    if changed {
        // Those of USING must be columns.
        join.join_constraint = JoinConstraint::On;
    }
    let join = LogicalPlan::Join(join);
    Ok(if changed { Transformed::yes(join) } else { Transformed::no(join) })
}

/// Values beside the rows of a subquery.
pub(super) fn unify_memberships(expression: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    expression.change_parts(&mut |part| match part {
        Expr::InSubquery(InSubquery { mut expr, subquery, negated }) => {
            let (subquery, changed) = unify_rows(&mut expr, subquery, schema)?;
            Ok(Transformed::new_transformed(Expr::InSubquery(InSubquery { expr, subquery, negated }), changed))
        }
        Expr::SetComparison(SetComparison { mut expr, subquery, op, quantifier }) => {
            let (subquery, changed) = unify_rows(&mut expr, subquery, schema)?;
            let part = Expr::SetComparison(SetComparison { expr, subquery, op, quantifier });
            Ok(Transformed::new_transformed(part, changed))
        }
        other => Ok(Transformed::no(other)),
    })
}

/// The columns of a row that is written in parentheses: `query::statement::row_values` makes a call of it.
pub(super) fn columns_of_row(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::ScalarFunction(call) if call.func.name() == "struct" => Some(&call.args),
        Expr::Alias(alias) => columns_of_row(&alias.expr),
        _ => None,
    }
}

pub(super) fn is_row(expression: &Expr) -> bool {
    columns_of_row(expression).is_some()
}

fn unify_rows(value: &mut Expr, subquery: Subquery, schema: &DFSchema) -> DfResult<(Subquery, bool)> {
    if is_row(value)
        && matches!(subquery.subquery.as_ref(), LogicalPlan::Projection(rows) if rows.expr.iter().all(is_row))
    {
        // Rows in parentheses are compared column by column, each beside its own (`in_subquery`).
        return Ok((subquery, false));
    }
    let rows = subquery.subquery.schema().field(0).data_type().clone();
    let Ok(given) = value.get_type(schema) else { return Ok((subquery, false)) };
    if texts_and_decimals::unify(&mut [&mut *value], &[Some(given.clone()), Some(rows.clone())])? {
        return Ok((subquery, true));
    }
    texts_and_decimals::check_columns(&given, &rows)?;
    let Some(float) = widest_float([&given, &rows].into_iter()) else { return cast_by_name(&given, &rows, subquery) };
    if let Some(new) = type_beside(&given, &float) {
        *value = as_type(std::mem::take(value), &new);
        return Ok((subquery, true));
    }
    match type_beside(&rows, &float) {
        Some(new) => Ok((cast_rows(subquery, &new)?, true)),
        None => cast_by_name(&given, &rows, subquery),
    }
}

/// The rows of a subquery that reads the outer row in the type that DataFusion would compare them in.
fn cast_by_name(given: &DataType, rows: &DataType, subquery: Subquery) -> DfResult<(Subquery, bool)> {
    let common = comparison_coercion(given, rows).filter(|common| common != rows);
    match common.filter(|_| !subquery.outer_ref_columns.is_empty()) {
        Some(common) => Ok((cast_rows(subquery, &common)?, true)),
        None => Ok((subquery, false)),
    }
}

/// The rows in another type. DataFusion 55.2 gives the cast the name of the column, which a condition on the outer row may
/// read, too: then it has two columns of one name.
fn cast_rows(subquery: Subquery, to: &DataType) -> DfResult<Subquery> {
    if subquery.outer_ref_columns.is_empty() {
        return cast_subquery(subquery, to);
    }
    let rows = Arc::unwrap_or_clone(subquery.subquery);
    let column = Expr::from(rows.schema().qualified_field(0));
    let cast_column = cast(column, to.clone()).alias(VALUE);
    let rows = LogicalPlanBuilder::from(rows).project([cast_column])?.build()?;
    Ok(Subquery { subquery: Arc::new(rows), ..subquery })
}

/// Rows of VALUES: the planner has cast them to decimals or REALs already. Casts that a user writes stand inside of a call,
/// and those in rows of INSERT are to the types of the table's columns.
///
/// # Errors
/// `InvalidInput` for a number that loses digits as a REAL: nothing tells whether the planner or the user made it one.
pub(super) fn unify_values(node: LogicalPlan, context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Values(mut values) = node else { return Ok(Transformed::no(node)) };
    let nothing = DFSchema::empty();
    let mut changed = false;
    for (place, field) in values.schema.fields().iter().enumerate() {
        let column = field.data_type();
        if context.inserts || !(is_decimal(column) || *column == DataType::Float32) {
            continue;
        }
        let mut cells = values.values.iter().map(|row| &row[place]);
        if *column == DataType::Float32 {
            cells.try_for_each(check_digits)?;
            continue;
        }
        let floats: Vec<DataType> = cells.filter_map(|cell| float_below(cell, column, &nothing)).collect();
        let others = (!floats.is_empty()).then_some(column);
        let Some(float) = widest_float(floats.iter().chain(others)) else { continue };
        changed = true;
        for row in &mut values.values {
            let cell = match std::mem::take(&mut row[place]) {
                Expr::Cast(cast) if cast.field.data_type() == column => *cast.expr,
                Expr::Literal(value, _) if value.is_null() => lit(ScalarValue::try_new_null(&float)?),
                other => other,
            };
            row[place] = match cell.get_type(&nothing) {
                Ok(given) if given == float => cell,
                _ => as_type(cell, &float),
            };
        }
    }
    match changed {
        true => Ok(Transformed::yes(LogicalPlanBuilder::values(values.values)?.build()?)),
        false => Ok(Transformed::no(LogicalPlan::Values(values))),
    }
}

/// # Errors
/// `InvalidInput` for a number in a cast to REAL that does not hold its digits.
fn check_digits(cell: &Expr) -> DfResult<()> {
    let Expr::Cast(cast) = cell else { return Ok(()) };
    let Expr::Literal(value, _) = cast.expr.as_ref() else { return Ok(()) };
    let given = value.data_type();
    if !(given.is_integer() || is_decimal(&given)) {
        return Ok(());
    }
    let shown = value.cast_to(&DataType::Utf8)?;
    let back = value.cast_to(&DataType::Float32).and_then(|real| real.cast_to(&given));
    match back.is_ok_and(|back| back == *value) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{shown} has more digits than a REAL holds: write CAST(x AS DOUBLE) of the REALs that stand beside it in VALUES"
        ))
        .into()),
    }
}

/// The type of a float that was cast to the type of its column.
fn float_below(cell: &Expr, column: &DataType, schema: &DFSchema) -> Option<DataType> {
    match cell {
        Expr::Cast(cast) if cast.field.data_type() == column => {
            cast.expr.get_type(schema).ok().filter(|given| given.is_floating())
        }
        _ => None,
    }
}
