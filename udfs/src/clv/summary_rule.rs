//! How `clv_summary` counts: until when, in which periods, and in which unit. Knows no Arrow.

use chrono::{Datelike, Days, NaiveDate};
use datafusion::common::{Result, exec_err};

use super::summary::NAME;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Week,
    Month,
}

/// Length of a month in days.
const MONTH: f64 = 365.25 / 12.0;

impl Period {
    /// Number of the period that holds a day (counted from 1970-01-01).
    pub(super) fn number(self, day: i32) -> i32 {
        match self {
            Period::Day => day,
            // 1970-01-01 was a Thursday: weeks begin on Monday.
            Period::Week => (day.saturating_add(3)).div_euclid(7),
            Period::Month => {
                let epoch = NaiveDate::default();
                let date = match day {
                    0.. => epoch.checked_add_days(Days::new(day.unsigned_abs().into())),
                    _ => epoch.checked_sub_days(Days::new(day.unsigned_abs().into())),
                };
                date.map_or(day / 30, |date| (date.year() - 1970) * 12 + date.month0() as i32)
            }
        }
    }

    fn days(self) -> f64 {
        match self {
            Period::Day => 1.0,
            Period::Week => 7.0,
            Period::Month => MONTH,
        }
    }
}

/// What the arguments after the amount say; one for all rows of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// The last local day that counts, and the first instant that does not.
    pub(super) last_day: i32,
    pub(super) end: i64,
    pub(super) period: Period,
    /// Units in a period.
    pub(super) units: f64,
}

impl Rule {
    pub(super) fn new(last_day: i32, end: i64, period: &str, unit: &str) -> Result<Self> {
        let period = match period {
            "day" => Period::Day,
            "week" => Period::Week,
            "month" => Period::Month,
            other => return exec_err!("{NAME}: argument 4 (period) is '{other}'; use 'day', 'week' or 'month'"),
        };
        let units = match (unit, period) {
            ("period", _) | ("month", Period::Month) | ("week", Period::Week) => 1.0,
            ("day", _) => period.days(),
            ("week", _) => period.days() / 7.0,
            ("month", _) => period.days() / MONTH,
            (other, _) => {
                return exec_err!("{NAME}: argument 5 (unit) is '{other}'; use 'day', 'week', 'month' or 'period'");
            }
        };
        Ok(Self { last_day, end, period, units })
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let period = match self.period {
            Period::Day => 0_u8,
            Period::Week => 1,
            Period::Month => 2,
        };
        let mut bytes = vec![period];
        bytes.extend(self.last_day.to_le_bytes());
        bytes.extend(self.end.to_le_bytes());
        bytes.extend(self.units.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (period, rest) = bytes.split_first()?;
        let (last_day, rest) = rest.split_first_chunk()?;
        let (end, rest) = rest.split_first_chunk()?;
        let units = rest.first_chunk()?;
        let period = match period {
            0 => Period::Day,
            1 => Period::Week,
            _ => Period::Month,
        };
        Some(Self {
            last_day: i32::from_le_bytes(*last_day),
            end: i64::from_le_bytes(*end),
            period,
            units: f64::from_le_bytes(*units),
        })
    }
}
