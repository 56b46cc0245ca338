//! `net_in_base(amount, currency, day)`: money in the workspace's base currency, by the rate of that very day.
//!
//! NULL without a rate: a rate of another day would be a guess. A function and not a join, so that a query that does not
//! ask for it pays nothing.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::error::Error;
use crate::store::events::schema::DECIMAL;
use crate::workspace::reference::{FxRates, RATE_ONE};

/// Ten-thousandths of the largest DECIMAL(18,4).
const LARGEST: i128 = 999_999_999_999_999_999;

#[derive(Debug)]
pub(in crate::query) struct NetInBase {
    signature: Signature,
    base: String,
    rates: Arc<FxRates>,
}

impl NetInBase {
    pub(in crate::query) fn new(base: String, rates: Arc<FxRates>) -> Self {
        let arguments = vec![DECIMAL, DataType::Utf8, DataType::Date32];
        Self { signature: Signature::exact(arguments, Volatility::Stable), base, rates }
    }

    fn convert(&self, amount: i128, currency: &str, day: i32) -> DfResult<Option<i128>> {
        if currency == self.base {
            return Ok(Some(amount));
        }
        let Some(rate) = self.rates.rate(currency, day) else { return Ok(None) };
        let converted = amount.checked_mul(rate).map(rounded).filter(|converted| converted.abs() <= LARGEST);
        let too_large = || {
            Error::invalid(format!(
                "an order in {currency} is too large for DECIMAL(18,4) in {}: check the rate of {currency} in fx_rates",
                self.base
            ))
        };
        Ok(Some(converted.ok_or_else(too_large)?))
    }
}

/// Half away from zero, as commercial rounding is.
fn rounded(product: i128) -> i128 {
    let half = RATE_ONE / 2 * product.signum();
    product.saturating_add(half) / RATE_ONE
}

/// Two instances are one function when they hold the same rates, never by comparing all of them.
impl PartialEq for NetInBase {
    fn eq(&self, other: &Self) -> bool {
        self.base == other.base && Arc::ptr_eq(&self.rates, &other.rates)
    }
}

impl Eq for NetInBase {}

impl Hash for NetInBase {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base.hash(state);
    }
}

impl ScalarUDFImpl for NetInBase {
    fn name(&self) -> &str {
        "net_in_base"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DECIMAL)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let amounts = columns[0].as_primitive::<Decimal128Type>();
        let currencies = columns[1].as_string::<i32>();
        let days = columns[2].as_primitive::<Date32Type>();
        let mut converted = Vec::with_capacity(amounts.len());
        for row in 0..amounts.len() {
            let known = !amounts.is_null(row) && !currencies.is_null(row) && !days.is_null(row);
            converted.push(match known {
                true => self.convert(amounts.value(row), currencies.value(row), days.value(row))?,
                false => None,
            });
        }
        let converted = Decimal128Array::from_iter(converted).with_precision_and_scale(18, 4)?;
        Ok(ColumnarValue::Array(Arc::new(converted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_the_day_convert_and_round_half_away_from_zero() {
        let mut rates = FxRates { base: "USD".into(), ..FxRates::default() };
        // 0.5 and 0.000064123456.
        rates.rates.entry("EUR".into()).or_default().insert(7, RATE_ONE / 2);
        rates.rates.entry("IDR".into()).or_default().insert(7, 64_123_456);
        rates.rates.entry("BIG".into()).or_default().insert(7, RATE_ONE * 1_000);
        let function = NetInBase::new("USD".into(), Arc::new(rates));
        let convert = |amount, currency, day| function.convert(amount, currency, day).unwrap();
        assert_eq!(convert(123, "USD", 1), Some(123));
        assert_eq!(convert(123, "EUR", 7), Some(62), "0.0123 / 2 = 0.00615, up");
        assert_eq!(convert(-123, "EUR", 7), Some(-62), "away from zero");
        assert_eq!(convert(123, "EUR", 8), None, "no rate of that day");
        assert_eq!(convert(123, "CHF", 7), None);
        // 1,000,000 rupiah * 0.000064123456 = 64.123456.
        assert_eq!(convert(10_000_000_000, "IDR", 7), Some(641_235));
        assert!(function.convert(LARGEST, "BIG", 7).unwrap_err().to_string().contains("too large"));
    }
}
