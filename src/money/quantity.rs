//! Quantities on their way in: with all their digits, to be multiplied by a price before anything is rounded.
//!
//! They are whole numbers of one scale, so that a column can hold them; what is stored of one is rounded as an amount
//! is. Must not know where a number comes from.

use super::{Exact, Reason, decimal_from_integer, decimal_from_text, divide};

/// Digits after the point: beside the 14 that an amount has before it, all that 38 leave. The shortest text of a binary
/// fraction above a ten-millionth has no more.
pub const QUANTITY_SCALE: i8 = 24;

/// A quantity of 1.
pub const QUANTITY_ONE: i128 = 10_i128.pow(QUANTITY_SCALE as u32);

/// Reads and refuses what [`decimal_from_text`] does.
pub fn quantity_from_text(text: &str) -> Result<i128, Reason> {
    decimal_from_text(text)?;
    Ok(units(Exact::from_text(text)?))
}

/// From an integer that counts units of ten to the `-scale`: any integer (scale 0) or DECIMAL.
pub fn quantity_from_integer(value: i128, scale: i8) -> Result<i128, Reason> {
    decimal_from_integer(value, scale)?;
    Ok(units(Exact::of_units(value, scale)))
}

/// From a binary fraction, by its shortest decimal form.
pub fn quantity_from_float(value: f64) -> Result<i128, Reason> {
    // A whole number below this is exact as one, and nearly every quantity is one.
    if value.fract() == 0.0 && value.abs() < 1e14 {
        return quantity_from_integer(value as i128, 0);
    }
    quantity_from_text(&value.to_string())
}

/// Of a number that is an amount: below ten to the 38th, as the number is below ten to the 14th.
fn units(number: Exact) -> i128 {
    let shift = i64::from(QUANTITY_SCALE) - number.scale;
    let power = u32::try_from(shift.unsigned_abs()).ok().and_then(|digits| 10_i128.checked_pow(digits));
    match (power, shift < 0) {
        (Some(power), true) => divide(number.digits, power),
        (Some(power), false) => number.digits.saturating_mul(power),
        // Its at most 38 digits lie more than one place behind the last kept one; or it is 0, written with an exponent.
        (None, _) => 0,
    }
}
