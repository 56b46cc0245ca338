//! Texts beside decimals. A text that is written in quotes is a number with all of its digits; another one is refused,
//! as PostgreSQL does.
//!
//! DataFusion 55.2 casts either to the decimal's own type, and rounds: `'10.54' = 10.5` was true, and
//! `properties ->> 'price' > 9.5` lost 9.54.
//!
//! Can go when `string_numeric_coercion` keeps all digits: what `tests/slt/texts_and_numbers.slt` has of texts in
//! quotes then passes without it, and what this refuses there has rows.

use arrow::datatypes::DataType;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Expr;

use super::mixed_numbers::is_decimal;
use crate::error::Error;

/// Most digits of a decimal.
const MOST_DIGITS: usize = 38;

/// Texts in quotes as numbers, where they meet decimals and no DOUBLE; whether one was changed.
///
/// # Errors
/// `InvalidInput` for another text.
pub(super) fn unify(all: &mut [&mut Expr], types: &[Option<DataType>]) -> DfResult<bool> {
    let held = || types.iter().flatten();
    if let Some(one) = held().find(|given| given.is_nested())
        && held().any(|other| meet_within(one, other))
    {
        return Err(refusal().into());
    }
    if !held().any(is_decimal) || held().any(DataType::is_floating) || !held().any(DataType::is_string) {
        return Ok(false);
    }
    let mut changed = false;
    for (each, _) in all.iter_mut().zip(types).filter(|(_, given)| given.as_ref().is_some_and(DataType::is_string)) {
        if !is_constant(each) {
            return Err(refusal().into());
        }
        if let Expr::Literal(value, _) = &mut **each
            && let Some(number) = value.try_as_str().flatten().and_then(decimal_of)
        {
            *value = number;
            changed = true;
        }
    }
    Ok(changed)
}

/// A text of the statement, or of a parameter.
pub(super) fn is_constant(text: &Expr) -> bool {
    match text {
        Expr::Literal(..) | Expr::Placeholder(_) => true,
        Expr::Alias(alias) => is_constant(&alias.expr),
        _ => false,
    }
}

/// # Errors
/// `InvalidInput` for columns of the two kinds that are to be equal.
pub(super) fn check_columns(one: &DataType, other: &DataType) -> DfResult<()> {
    if meet(one, other) { Err(refusal().into()) } else { Ok(()) }
}

fn meet(one: &DataType, other: &DataType) -> bool {
    let in_order = |text: &DataType, number: &DataType| text.is_string() && is_decimal(number);
    in_order(one, other) || in_order(other, one)
}

/// Whether they meet at one place of two lists or structs.
fn meet_within(one: &DataType, other: &DataType) -> bool {
    let parts = |one: &DataType, other: &DataType| meet(one, other) || meet_within(one, other);
    match (one, other) {
        (DataType::Struct(one), DataType::Struct(other)) => {
            one.iter().zip(other).any(|(one, other)| parts(one.data_type(), other.data_type()))
        }
        (one, other) => match (element_of(one), element_of(other)) {
            (Some(one), Some(other)) => parts(one, other),
            _ => false,
        },
    }
}

fn element_of(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            Some(element.data_type())
        }
        _ => None,
    }
}

fn refusal() -> Error {
    Error::invalid(
        "a text and a decimal stand side by side: write CAST(x AS DOUBLE), or CAST(x AS DECIMAL(18,4)), of the text where \
         each of its values is a number",
    )
}

/// The number that a text spells in plain digits.
fn decimal_of(text: &str) -> Option<ScalarValue> {
    let digits = text.trim();
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_plain(whole) || !is_plain(fraction) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction}").parse().ok()?;
    let precision = (whole.len() + fraction.len()).min(MOST_DIGITS + 1);
    let signed = if digits.starts_with('-') { -number } else { number };
    (precision <= MOST_DIGITS).then(|| ScalarValue::Decimal128(Some(signed), precision as u8, fraction.len() as i8))
}
