//! Money and quantities: DECIMAL(18,4) as a whole number of ten-thousandths, rounded half away from zero everywhere.
//!
//! Money never passes through a binary fraction when it came as text. Must not know where a number comes from.

mod quantity;
mod wide;

pub use self::quantity::{
    QUANTITY_ONE, QUANTITY_SCALE, quantity_from_float, quantity_from_integer, quantity_from_text,
};
use self::wide::Wide;
use crate::error::shown;

/// Why a value is no amount, as a message for a person.
type Reason = String;

/// Ten-thousandths in one.
pub const ONE: i128 = 10_000;

/// One more than the largest DECIMAL(18,4) in ten-thousandths: 14 digits before the point, 4 after it.
const LIMIT: i128 = 1_000_000_000_000_000_000;

/// Digits after the point.
const SCALE: i64 = 4;

/// Exponents beyond this are no numbers that a person wrote.
const MAX_EXPONENT: i64 = 400;

/// A quotient rounded half away from zero, as commercial rounding is. `divisor` is not 0.
pub fn divide(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    // rest >= divisor - rest, and not 2 * rest >= divisor, which could overflow.
    match rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() {
        true => quotient + dividend.signum() * divisor.signum(),
        false => quotient,
    }
}

/// A number with all the digits that were written, to be multiplied before anything is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    /// Below ten to the 38th.
    digits: i128,
    /// Digits after the point; below 0, zeros before it.
    scale: i64,
}

impl Exact {
    pub const ONE: Exact = Exact { digits: 1, scale: 0 };

    /// From units of ten to the `-scale`, as a DECIMAL holds them.
    pub fn of_units(digits: i128, scale: i8) -> Self {
        Self { digits, scale: i64::from(scale) }
    }

    /// Reads what [`decimal_from_text`] reads, of any size. Digits behind the 38th are none that a person wrote.
    pub fn from_text(text: &str) -> Result<Self, Reason> {
        const FULL: i128 = 10_i128.pow(37);
        let parts = Parts::of(text)?;
        let (mut digits, mut read) = (0_i128, 0_i64);
        for byte in parts.whole.bytes().chain(parts.fraction.bytes()) {
            if digits >= FULL {
                break;
            }
            digits = digits * 10 + i128::from(byte - b'0');
            read += 1;
        }
        let before_the_point = i64::try_from(parts.whole.len()).map_err(|_| not_decimal(text))?;
        let scale = read - before_the_point - parts.exponent;
        Ok(Self { digits: if parts.negative { -digits } else { digits }, scale })
    }

    /// Rounded to ten-thousandths; `None` beyond what is an amount.
    pub fn amount(self) -> Option<i128> {
        self.times(Self::ONE)
    }

    /// The product, such as of price and quantity, rounded once; `None` beyond what is an amount.
    pub fn times(self, other: Self) -> Option<i128> {
        Wide::of(self).times(Wide::of(other))?.amount()
    }

    /// The product less something, such as a line's discount, rounded once; `None` beyond what is an amount.
    pub fn times_less(self, other: Self, less: Self) -> Option<i128> {
        Wide::of(self).times(Wide::of(other))?.less(Wide::of(less))?.amount()
    }
}

/// Whether the value fits DECIMAL(18,4).
pub fn is_amount(value: i128) -> bool {
    value.unsigned_abs() < LIMIT.unsigned_abs()
}

/// Reads `-1234.5`, `+3`, `.5`, `1e-05`. More than 4 decimals are rounded half away from zero.
pub fn decimal_from_text(text: &str) -> Result<i128, Reason> {
    let parts = Parts::of(text)?;
    let units = scaled(parts.whole, parts.fraction, parts.exponent).ok_or_else(|| too_large(text))?;
    Ok(if parts.negative { -units } else { units })
}

/// A decimal number's text, taken apart.
struct Parts<'a> {
    negative: bool,
    /// Digits alone.
    whole: &'a str,
    /// Digits alone.
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, Reason> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(|| not_decimal(text))?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || mantissa.len() == usize::from(mantissa.contains('.')) {
            return Err(not_decimal(text));
        }
        Ok(Self { negative, whole, fraction, exponent })
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().ok().filter(|exponent| exponent.abs() <= MAX_EXPONENT)
}

/// The ten-thousandths of `whole.fraction` times ten to the `exponent`; `None` when they pass the limit.
fn scaled(whole: &str, fraction: &str, exponent: i64) -> Option<i128> {
    let kept = i64::try_from(whole.len()).ok()? + exponent + SCALE;
    let mut digits = whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0'));
    // All digits lie more than one place behind the last kept one.
    if kept < 0 {
        return Some(0);
    }
    let mut units = 0_i128;
    for _ in 0..kept {
        units = units * 10 + digits.next().unwrap_or(0);
        if units >= LIMIT {
            return None;
        }
    }
    // Half or more is left exactly when the first digit left is 5 or more.
    if digits.next().unwrap_or(0) >= 5 {
        units += 1;
    }
    (units < LIMIT).then_some(units)
}

fn not_decimal(text: &str) -> Reason {
    if text.contains(',') && text.bytes().all(|byte| byte.is_ascii_digit() || b",.+-".contains(&byte)) {
        return format!("{} has a comma: write 1234.56, without thousands separators", shown(text));
    }
    // A sign or a unit beside digits is told what to do; a word is none of them.
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let hint = if has_digit { ": write digits and a point alone, such as 1234.56" } else { "" };
    format!("{} is not a decimal number{hint}", shown(text))
}

fn too_large(text: &str) -> Reason {
    format!("{} has more than 14 digits before the point", shown(text))
}

/// From an integer that counts units of ten to the `-scale`: any integer (scale 0) or DECIMAL.
pub fn decimal_from_integer(value: i128, scale: i8) -> Result<i128, Reason> {
    let shift = i64::from(scale) - SCALE;
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX));
    let units = match (power, shift > 0) {
        (Some(power), true) => Some(divide(value, power)),
        (Some(power), false) => value.checked_mul(power),
        (None, true) => Some(0),
        (None, false) => (value == 0).then_some(0),
    };
    units.filter(|units| is_amount(*units)).ok_or_else(|| {
        too_large(&if scale == 0 { value.to_string() } else { format!("{value}e{}", -i64::from(scale)) })
    })
}

/// From a binary fraction, by its shortest decimal form: 0.1 is 0.1000.
pub fn decimal_from_float(value: f64) -> Result<i128, Reason> {
    let scaled = value * 10_000.0;
    let distance_to_half = (scaled.fract().abs() - 0.5).abs();
    // Below 1e12 the product is off by less than 2e-4, so away from a half the nearest integer is right; the rest,
    // NaN included, takes the exact way by text.
    if scaled.abs() < 1e12 && distance_to_half > 1e-3 {
        return Ok(scaled.round() as i128);
    }
    decimal_from_text(&value.to_string())
}

#[cfg(test)]
mod tests;
