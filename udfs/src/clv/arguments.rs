//! Arguments of the family: coercion at planning, checked reading at execution, messages that name argument and value.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, Result, plan_err};

use super::model::{Family, Row};

/// What an argument is declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// DOUBLE, from any number.
    Number,
    /// BIGINT, from any integer.
    Integer,
    Text,
    /// The struct that `clv_fit` or `clv_fit_spend` returns.
    Struct,
}

/// One declared argument.
pub(super) type Argument = (&'static str, Kind);

/// `name(a, b [, c])`, as messages show it.
pub(super) fn signature_text(name: &str, arguments: &[Argument], required: usize) -> String {
    let mut text = format!("{name}(");
    for (place, (argument, _)) in arguments.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        if place >= required {
            text.push_str(&format!(" [{separator}{argument}]"));
        } else {
            text.push_str(&format!("{separator}{argument}"));
        }
    }
    text.push(')');
    text
}

/// The types that the given ones are cast to.
///
/// # Errors
/// Names the function's signature when the number or a kind of the arguments is wrong.
pub(super) fn coerce(name: &str, arguments: &[Argument], required: usize, given: &[DataType]) -> Result<Vec<DataType>> {
    let signature = || signature_text(name, arguments, required);
    if given.len() < required || given.len() > arguments.len() {
        return plan_err!("{}: {} arguments were given", signature(), given.len());
    }
    given
        .iter()
        .zip(arguments)
        .enumerate()
        .map(|(place, (given, (argument, kind)))| {
            let refused = |wanted: &str| {
                plan_err!("{}: argument {} ({argument}) is {given}, not {wanted}", signature(), place + 1)
            };
            let is_null = *given == DataType::Null;
            match kind {
                Kind::Number if given.is_numeric() || is_null => Ok(DataType::Float64),
                Kind::Number => refused("a number"),
                Kind::Integer if given.is_integer() || is_null => Ok(DataType::Int64),
                Kind::Integer => refused("an integer"),
                Kind::Text if given.is_string() || is_null => Ok(DataType::Utf8),
                Kind::Text => refused("a text"),
                Kind::Struct if matches!(given, DataType::Struct(_)) || is_null => Ok(given.clone()),
                Kind::Struct => refused("a fitted model"),
            }
        })
        .collect()
}

/// A column of doubles.
pub(super) fn numbers(array: &ArrayRef) -> Result<Float64Array> {
    Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A value out of its range: `place` counts from 1.
pub(super) fn refused(function: &str, place: usize, argument: &str, value: f64, why: &str) -> DataFusionError {
    DataFusionError::Execution(format!("{function}: argument {place} ({argument}) is {value}: {why}"))
}

/// A customer's frequency, recency and age, checked. `first` is the place of frequency among the arguments, from 1.
///
/// # Errors
/// For what no customer can have: the argument and its value.
#[inline]
pub(super) fn customer(function: &str, first: usize, family: Family, figures: [f64; 3]) -> Result<Row> {
    let [frequency, recency, age] = figures;
    // Saturating: the next line tells whether it was whole and in range. No comparison holds for a NaN.
    let whole = frequency as u32;
    let in_range = f64::from(whole) == frequency && (0.0..=age).contains(&recency) && age < f64::INFINITY;
    if in_range && (whole > 0 || recency == 0.0) && (family != Family::BgBb || are_opportunities(figures)) {
        return Ok(Row { frequency: whole, recency: recency + 0.0, age: age + 0.0, weight: 1 });
    }
    Err(no_customer(function, first, figures))
}

/// BG/BB counts whole opportunities, of which each has at most one purchase.
fn are_opportunities([frequency, recency, age]: [f64; 3]) -> bool {
    age.fract() == 0.0 && recency.fract() == 0.0 && frequency <= recency
}

/// What is wrong with figures that [`customer`] does not take.
#[cold]
fn no_customer(function: &str, first: usize, [frequency, recency, age]: [f64; 3]) -> DataFusionError {
    let bad = |offset: usize, why: &str| {
        let (argument, value) = [("frequency", frequency), ("recency", recency), ("age", age)][offset];
        refused(function, first + offset, argument, value, why)
    };
    if !(frequency >= 0.0 && frequency <= f64::from(u32::MAX) && frequency.fract() == 0.0) {
        return bad(0, "it is a whole number of repeat periods, not below 0");
    }
    if !(age >= 0.0 && age.is_finite()) {
        return bad(2, "it is a time, not below 0");
    }
    if !(recency >= 0.0 && recency.is_finite()) {
        return bad(1, "it is the age at the last purchase, not below 0");
    }
    if recency > age {
        return bad(1, &format!("it is the age at the last purchase, and the age is only {age}"));
    }
    if frequency == 0.0 && recency != 0.0 {
        return bad(1, "it is 0 where frequency is 0");
    }
    if age.fract() != 0.0 {
        return bad(2, "bg_bb counts whole opportunities");
    }
    if recency.fract() != 0.0 {
        return bad(1, "bg_bb counts whole opportunities");
    }
    bad(0, "bg_bb has at most one purchase an opportunity")
}

/// Whether any of the columns is NULL in this row.
pub(super) fn any_null<'a>(columns: impl IntoIterator<Item = &'a dyn Array>, row: usize) -> bool {
    columns.into_iter().any(|column| column.is_null(row))
}
