//! What exact numbers come to before it is rounded: up to 76 digits. Must not know where a number comes from.

use arrow::datatypes::i256;

use super::{Exact, SCALE, is_amount};

/// Digits after the point of what is subtracted. Those behind are none that a person wrote, and whatever has so many
/// and does not fit is beyond an amount.
const MAX_SCALE: i64 = 60;

#[derive(Debug, Clone, Copy)]
pub(super) struct Wide {
    digits: i256,
    /// Digits after the point; below 0, zeros before it.
    scale: i64,
}

impl Wide {
    pub(super) fn of(number: Exact) -> Self {
        Self { digits: i256::from_i128(number.digits), scale: number.scale }
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        Some(Self { digits: self.digits.checked_mul(other.digits)?, scale: self.scale + other.scale })
    }

    pub(super) fn less(self, other: Self) -> Option<Self> {
        let (left, right) = (self.cut(), other.cut());
        let scale = left.scale.max(right.scale);
        Some(Self { digits: left.digits_at(scale)?.checked_sub(right.digits_at(scale)?)?, scale })
    }

    /// Rounded to ten-thousandths; `None` beyond what is an amount.
    pub(super) fn amount(self) -> Option<i128> {
        let shift = self.scale - SCALE;
        let units = match (power_of_ten(shift.abs()), shift > 0) {
            (Some(power), true) => divide(self.digits, power)?,
            (Some(power), false) => self.digits.checked_mul(power)?,
            // A product has at most 76 digits, all of them more than one place behind the last kept one.
            (None, true) => i256::ZERO,
            (None, false) => Some(self.digits).filter(|digits| *digits == i256::ZERO)?,
        };
        units.to_i128().filter(|units| is_amount(*units))
    }

    fn cut(self) -> Self {
        let beyond = self.scale - MAX_SCALE;
        if beyond <= 0 {
            return self;
        }
        let digits = power_of_ten(beyond).and_then(|power| self.digits.checked_div(power));
        Self { digits: digits.unwrap_or(i256::ZERO), scale: MAX_SCALE }
    }

    /// In units of ten to the `-scale`, of which it has no fractions.
    fn digits_at(self, scale: i64) -> Option<i256> {
        if self.digits == i256::ZERO {
            return Some(i256::ZERO);
        }
        self.digits.checked_mul(power_of_ten(scale - self.scale)?)
    }
}

/// `None` beyond 76 zeros.
fn power_of_ten(exponent: i64) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(exponent).ok()?)
}

/// As [`super::divide`]; `divisor` is above 0.
fn divide(dividend: i256, divisor: i256) -> Option<i256> {
    let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?.wrapping_abs());
    let away = if dividend < i256::ZERO { i256::MINUS_ONE } else { i256::ONE };
    if rest >= divisor.checked_sub(rest)? { quotient.checked_add(away) } else { Some(quotient) }
}
