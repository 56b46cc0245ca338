//! Fractions of years, months and weeks in the text of an interval, as PostgreSQL reads them: of a year they are months, to
//! the nearest one, of a month days, thirty to it, and time, of a week days and time. Arrow 59 cuts what is less than a
//! month or a day.

use arrow::compute::kernels::cast_utils::{IntervalParseConfig, IntervalUnit, parse_interval_month_day_nano_config};

/// Decimals that arrow reads, and all of them as a whole number.
const DECIMALS: usize = 15;
const WHOLE: i128 = 1_000_000_000_000_000;

const DAYS_OF_A_MONTH: i128 = 30;
const DAYS_OF_A_WEEK: i128 = 7;
const MICROSECONDS_OF_A_DAY: i128 = 86_400_000_000;
const NANOSECONDS_OF_A_MICROSECOND: i128 = 1_000;

/// What the fractions of a text add to the rest of it.
#[derive(Debug, Default)]
struct Added {
    months: i128,
    days: i128,
    microseconds: i128,
}

/// The text in whole months and days and time. `None` where it has no such fraction, or arrow would refuse it. A number
/// without a unit is one of seconds.
pub(in crate::query) fn spell_fractions(text: &str) -> Option<String> {
    if !text.contains('.') {
        return None;
    }
    let (mut rest, mut added, mut found) = (Vec::new(), Added::default(), false);
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        // As arrow takes a number and its unit apart, which may be one word.
        let is_of_unit = |letter: char| !letter.is_ascii_digit() && letter != '.' && letter != '-';
        let (amount, unit) = match word.find(is_of_unit) {
            Some(at) => word.split_at(at),
            None => (word, words.next().unwrap_or_default()),
        };
        let whole = match (amount.split_once('.'), unit.parse::<IntervalUnit>()) {
            (Some((whole, decimals)), Ok(unit)) => {
                let fraction = fraction_of(whole, decimals)?;
                added.add(unit, fraction).then_some(if whole.is_empty() || whole == "-" { "0" } else { whole })
            }
            _ => None,
        };
        found |= whole.is_some();
        rest.push(format!("{} {unit}", whole.unwrap_or(amount)));
    }
    if !found {
        return None;
    }
    let seconds = IntervalParseConfig::new(IntervalUnit::Second);
    let rest = parse_interval_month_day_nano_config(rest.join(" ").trim_end(), seconds).ok()?;
    let months = i32::try_from(added.months + i128::from(rest.months)).ok()?;
    let days = i32::try_from(added.days + i128::from(rest.days)).ok()?;
    let time = added.microseconds * NANOSECONDS_OF_A_MICROSECOND + i128::from(rest.nanoseconds);
    let nanoseconds = i64::try_from(time).ok()?;
    Some(format!("{months} months {days} days {nanoseconds} nanoseconds"))
}

/// The decimals as parts of [`WHOLE`], with the sign of what stands before them.
fn fraction_of(whole: &str, decimals: &str) -> Option<i128> {
    if decimals.is_empty() || decimals.len() > DECIMALS || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let parts: i128 = format!("{decimals:0<DECIMALS$}").parse().ok()?;
    Some(if whole.starts_with('-') { -parts } else { parts })
}

impl Added {
    /// Whether the fraction of the unit is one that arrow cuts or reads as hours.
    fn add(&mut self, unit: IntervalUnit, fraction: i128) -> bool {
        match unit {
            IntervalUnit::Century => self.months += nearest(fraction * 1_200),
            IntervalUnit::Decade => self.months += nearest(fraction * 120),
            IntervalUnit::Year => self.months += nearest(fraction * 12),
            IntervalUnit::Month => self.add_days(fraction * DAYS_OF_A_MONTH),
            IntervalUnit::Week => self.add_days(fraction * DAYS_OF_A_WEEK),
            _ => return false,
        }
        true
    }

    fn add_days(&mut self, days: i128) {
        self.days += days / WHOLE;
        self.microseconds += nearest(days % WHOLE * MICROSECONDS_OF_A_DAY);
    }
}

/// The nearest whole number of so many parts, of two the even one.
fn nearest(parts: i128) -> i128 {
    let (whole, rest) = (parts / WHOLE, parts % WHOLE);
    let is_odd = whole % 2 != 0;
    let twice = rest.abs() * 2;
    match twice > WHOLE || twice == WHOLE && is_odd {
        true => whole + rest.signum(),
        false => whole,
    }
}
