//! What a length of time is multiplied by: a fraction of whole numbers, which scales exactly, or a DOUBLE.

use std::cmp::Ordering;

use arrow::datatypes::{IntervalMonthDayNano, i256};

const DAYS_OF_A_MONTH: i64 = 30;
const SECONDS_OF_A_DAY: f64 = 86_400.0;
const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;
const NANOSECONDS_OF_A_MICROSECOND: i64 = 1_000;

#[derive(Debug, Clone, Copy)]
pub(super) enum Factor {
    /// The divisor is above 0.
    Exact {
        numerator: i128,
        divisor: i128,
    },
    Double {
        value: f64,
        divides: bool,
    },
}

/// 256 bits hold the product of 64 bits, a decimal of 38 digits and the nanoseconds of a day.
fn wide(value: i64) -> i256 {
    i256::from_i128(i128::from(value))
}

/// The whole quotient, cut, and what is left.
fn divide(value: i256, divisor: i256) -> Option<(i256, i256)> {
    Some((value.checked_div(divisor)?, value.checked_rem(divisor)?))
}

/// The nearest whole quotient of a divisor above 0, of two the even one.
fn round(value: i256, divisor: i256) -> Option<i64> {
    let (whole, rest) = divide(value, divisor)?;
    let is_odd = whole.as_i128() & 1 == 1;
    let away = match rest.checked_abs()?.checked_mul(wide(2))?.cmp(&divisor) {
        Ordering::Less => false,
        Ordering::Equal => is_odd,
        Ordering::Greater => true,
    };
    let rounded = if away { whole.checked_add(rest.signum())? } else { whole };
    i64::try_from(rounded.to_i128()?).ok()
}

fn power_of_ten(places: u32) -> i128 {
    // A DECIMAL has 38 decimals at most, which fit.
    10_i128.checked_pow(places).unwrap_or(i128::MAX)
}

impl Factor {
    /// `value / 10^scale`.
    pub(super) fn multiply_by(value: i128, scale: u32) -> Self {
        Factor::Exact { numerator: value, divisor: power_of_ten(scale) }
    }

    /// One by that; `None` for 0.
    pub(super) fn divide_by(value: i128, scale: u32) -> Option<Self> {
        let power = power_of_ten(scale);
        match value.cmp(&0) {
            Ordering::Less => Some(Factor::Exact { numerator: -power, divisor: value.checked_neg()? }),
            Ordering::Equal => None,
            Ordering::Greater => Some(Factor::Exact { numerator: power, divisor: value }),
        }
    }

    /// A number of microseconds; `None` beyond 64 bits.
    pub(super) fn scale(self, microseconds: i64) -> Option<i64> {
        match self {
            Factor::Exact { numerator, divisor } => {
                round(wide(microseconds).checked_mul(i256::from_i128(numerator))?, i256::from_i128(divisor))
            }
            Factor::Double { value, divides } => nearest(by_double(microseconds as f64, value, divides)),
        }
    }

    /// `None` when a part of the result is beyond its type.
    pub(super) fn scale_interval(self, interval: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
        let parts = [interval.months.into(), interval.days.into(), interval.nanoseconds.into()];
        interval_of(match self {
            Factor::Exact { numerator, divisor } => {
                scale_exactly(parts, i256::from_i128(numerator), i256::from_i128(divisor))?
            }
            Factor::Double { value, divides } => scale_by_double(interval, value, divides)?,
        })
    }

    /// Months, days and nanoseconds by a number above 0, of which only the quotient has to be an interval.
    pub(super) fn divide_parts(parts: [i128; 3], divisor: u64) -> Option<IntervalMonthDayNano> {
        interval_of(scale_exactly(parts, wide(1), i256::from_i128(divisor.into()))?)
    }
}

/// Of months, days and microseconds; `None` when one is beyond its type.
fn interval_of((months, days, microseconds): (i64, i64, i64)) -> Option<IntervalMonthDayNano> {
    let nanoseconds = microseconds.checked_mul(NANOSECONDS_OF_A_MICROSECOND)?;
    Some(IntervalMonthDayNano::new(i32::try_from(months).ok()?, i32::try_from(days).ok()?, nanoseconds))
}

/// Months, days and microseconds, of months, days and nanoseconds. Whole days come of the days and of the months' fraction each, as in PostgreSQL: only
/// what is left of both is added, so that of a month less a day the parts keep their signs.
fn scale_exactly([months, days, nanoseconds]: [i128; 3], numerator: i256, divisor: i256) -> Option<(i64, i64, i64)> {
    let scaled = |part: i128| i256::from_i128(part).checked_mul(numerator);
    let (months, of_month) = divide(scaled(months)?, divisor)?;
    let (days, of_day) = divide(scaled(days)?, divisor)?;
    let (month_days, of_month_day) = divide(of_month.checked_mul(wide(DAYS_OF_A_MONTH))?, divisor)?;
    let (more_days, of_day) = divide(of_day.checked_add(of_month_day)?, divisor)?;
    let days = days.checked_add(month_days)?.checked_add(more_days)?;
    let time = scaled(nanoseconds)?.checked_add(of_day.checked_mul(wide(NANOSECONDS_OF_A_DAY))?)?;
    let microseconds = round(time, divisor.checked_mul(wide(NANOSECONDS_OF_A_MICROSECOND))?)?;
    let whole = |value: i256| i64::try_from(value.to_i128()?).ok();
    Some((whole(months)?, whole(days)?, microseconds))
}

fn by_double(value: f64, factor: f64, divides: bool) -> f64 {
    if divides { value / factor } else { value * factor }
}

/// The nearest whole number in 64 bits.
fn nearest(value: f64) -> Option<i64> {
    let rounded = value.round_ties_even();
    // 2^63 is the first one beyond; NaN is in no range.
    ((i64::MIN as f64)..-(i64::MIN as f64)).contains(&rounded).then_some(rounded as i64)
}

/// The same with a DOUBLE, step by step as PostgreSQL computes it: its noise is rounded away below a microsecond.
fn scale_by_double(interval: IntervalMonthDayNano, factor: f64, divides: bool) -> Option<(i64, i64, i64)> {
    let tidy = |value: f64| (value * 1e6).round_ties_even() / 1e6;
    let months = by_double(interval.months.into(), factor, divides);
    let days = by_double(interval.days.into(), factor, divides);
    let time = by_double(interval.nanoseconds as f64 / NANOSECONDS_OF_A_MICROSECOND as f64, factor, divides);
    let month_days = tidy(months.fract() * DAYS_OF_A_MONTH as f64);
    let seconds = tidy((days.fract() + month_days.fract()) * SECONDS_OF_A_DAY);
    let more_days = (seconds / SECONDS_OF_A_DAY).trunc();
    let seconds = seconds - more_days * SECONDS_OF_A_DAY;
    let days = days.trunc() + month_days.trunc() + more_days;
    Some((nearest(months.trunc())?, nearest(days)?, nearest(time + seconds * 1e6)?))
}
