//! Money in the workspace's base currency, by the rate of its local day or of the last days before.

use std::sync::Arc;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::Rules;
use super::reference::{Day, FxRates, RATE_ONE};
use crate::error::{Error, Result};
use crate::money;
use crate::settings::OrderSettings;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Rates, and the days that they hold for.
#[derive(Debug, Clone)]
pub struct BaseCurrency {
    pub name: String,
    rates: Arc<FxRates>,
    max_age_days: u32,
    zone: Tz,
}

/// Two are one when they hold the same rates, never by comparing all of them.
impl PartialEq for BaseCurrency {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: &Self| (one.name.clone(), one.max_age_days, one.zone);
        same(self) == same(other) && Arc::ptr_eq(&self.rates, &other.rates)
    }
}

impl Eq for BaseCurrency {}

impl std::hash::Hash for BaseCurrency {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl BaseCurrency {
    /// By the rules that hold: rates in another base currency than `orders` names are none.
    pub fn new(rules: &Rules, orders: &OrderSettings, zone: Tz) -> Self {
        let rates = rules.rates_in(&orders.base_currency).cloned().unwrap_or_default();
        Self { name: orders.base_currency.clone(), rates, max_age_days: orders.fx_max_age_days, zone }
    }

    /// The local day of an instant in microseconds since 1970.
    pub fn local_day(&self, ts: i64) -> Day {
        local_day(self.zone, ts)
    }

    /// An amount in ten-thousandths, rounded half away from zero; `None` without a rate.
    ///
    /// # Errors
    /// `InvalidInput` for an amount that is beyond DECIMAL(18,4) in the base currency.
    pub fn convert(&self, amount: i128, currency: &str, ts: i64) -> Result<Option<i128>> {
        if currency == self.name {
            return Ok(Some(amount));
        }
        let Some(rate) = self.rates.rate(currency, self.local_day(ts), self.max_age_days) else { return Ok(None) };
        let converted = amount.checked_mul(rate).map(|product| money::divide(product, RATE_ONE));
        converted.filter(|converted| money::is_amount(*converted)).map(Some).ok_or_else(|| {
            Error::invalid(format!(
                "an order in {currency} is too large for DECIMAL(18,4) in {}: check the rate of {currency} in fx_rates",
                self.name
            ))
        })
    }
}

/// The local day of an instant in microseconds since 1970.
pub fn local_day(zone: Tz, ts: i64) -> Day {
    let offset = DateTime::from_timestamp_micros(ts)
        .map_or(0, |instant| zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc());
    let days = ts.saturating_add(i64::from(offset) * 1_000_000).div_euclid(MICROSECONDS_PER_DAY);
    Day::try_from(days).unwrap_or(if days < 0 { Day::MIN } else { Day::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(rates: FxRates, max_age_days: u32) -> BaseCurrency {
        BaseCurrency { name: "USD".into(), rates: Arc::new(rates), max_age_days, zone: chrono_tz::Asia::Shanghai }
    }

    #[test]
    fn rates_convert_and_round_half_away_from_zero() {
        let mut rates = FxRates { base: "USD".into(), ..FxRates::default() };
        // 0.5 and 0.000064123456.
        rates.rates.entry("EUR".into()).or_default().insert(7, RATE_ONE / 2);
        rates.rates.entry("IDR".into()).or_default().insert(7, 64_123_456);
        rates.rates.entry("BIG".into()).or_default().insert(7, RATE_ONE * 1_000);
        let base = base(rates, 0);
        let convert = |amount, currency, day| base.convert(amount, currency, day * MICROSECONDS_PER_DAY).unwrap();
        assert_eq!(convert(123, "USD", 1), Some(123));
        assert_eq!(convert(123, "EUR", 7), Some(62), "0.0123 / 2 = 0.00615, up");
        assert_eq!(convert(-123, "EUR", 7), Some(-62), "away from zero");
        assert_eq!(convert(123, "EUR", 8), None, "no rate of that day");
        assert_eq!(convert(123, "CHF", 7), None);
        // 1,000,000 rupiah * 0.000064123456 = 64.123456.
        assert_eq!(convert(10_000_000_000, "IDR", 7), Some(641_235));
        let largest = 999_999_999_999_999_999;
        let refusal = base.convert(largest, "BIG", 7 * MICROSECONDS_PER_DAY).unwrap_err().to_string();
        assert!(refusal.contains("too large"), "{refusal}");
    }

    /// A35: 1.00 JPY at 0.00645 is 0.00645, half away from zero 0.0065.
    #[test]
    fn each_amount_is_rounded_by_itself() {
        let mut rates = FxRates::default();
        rates.rates.entry("JPY".into()).or_default().insert(0, RATE_ONE / 100_000 * 645);
        assert_eq!(base(rates, 7).convert(10_000, "JPY", 0).unwrap(), Some(65));
    }

    #[test]
    fn days_are_local() {
        let hour = 3_600_000_000;
        assert_eq!(local_day(chrono_tz::Asia::Shanghai, 16 * hour - 1), 0);
        assert_eq!(local_day(chrono_tz::Asia::Shanghai, 16 * hour), 1);
        assert_eq!(local_day(chrono_tz::America::New_York, 0), -1);
        // Berlin's clock goes forward on 2024-03-31: the day ends at 22:00 UTC.
        let end = chrono::DateTime::parse_from_rfc3339("2024-03-31T22:00:00Z").unwrap().timestamp_micros();
        assert_eq!(local_day(chrono_tz::Europe::Berlin, end) - local_day(chrono_tz::Europe::Berlin, end - 1), 1);
    }
}
