//! `day, currency, rate`: units of the base currency for one unit of the currency on that day. A column `base` may name
//! that currency.

use std::path::Path;

use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{DataType, Decimal128Type};

use super::rows::{Columns, read};
use crate::error::Result;
use crate::workspace::currency;
use crate::workspace::reference::{FxRates, RATE, RATE_ONE};

/// # Errors
/// `InvalidInput` with the line of the first faulty row: a rate that is none, two rates of one day and currency, another
/// rate of the base currency than 1, a rate in another base currency.
pub fn read_fx_rates(path: &Path, base: &str) -> Result<FxRates> {
    let mut found = FxRates { base: base.to_owned(), ..FxRates::default() };
    let columns =
        Columns { needed: &[&["day", "date"], &["currency"], &["rate"]], optional: &[&["base", "base_currency"]] };
    read(path, columns, |row| {
        let (date, day) = row.day()?;
        let currency = currency(row.value(1, "currency")?).map_err(|error| row.fault(error))?;
        let text = row.value(2, "rate")?;
        let rate = rate(text).ok_or_else(|| {
            row.fault(format!(
                "'{text}' is not a rate: write units of {base} for one unit of {currency}, a number above 0 with up to 12 \
                 digits on each side of the point"
            ))
        })?;
        if currency == base && rate != RATE_ONE {
            return Err(row.fault(format!(
                "{base} is the base currency: its rate is 1, not {text}; {}",
                other_base("of this file")
            )));
        }
        if let Some(named) = row.values(3).next()
            && !named.eq_ignore_ascii_case(base)
        {
            let of_file = other_base(&format!("'{named}'"));
            return Err(row.fault(format!("the rate is in {named}, the base currency is {base}; {of_file}")));
        }
        match found.rates.entry(currency.clone()).or_default().insert(day, rate) {
            Some(held) if held != rate => Err(row.fault(format!("{currency} has two rates on {date}"))),
            _ => Ok(()),
        }
    })?;
    Ok(found)
}

fn other_base(which: &str) -> String {
    format!(
        "if rates are to be in the base currency {which}, set it first: convoke workspace set NAME base_currency=CODE"
    )
}

fn rate(text: &str) -> Option<i128> {
    let DataType::Decimal128(precision, scale) = RATE else { return None };
    parse_decimal::<Decimal128Type>(text, precision, scale).ok().filter(|rate| *rate > 0)
}
