//! Reference tables of a workspace: names of days, exchange rates. Small by construction, so they are held in memory.
//!
//! Each import writes a whole new object; a revision of the settings names the one that holds. Must not know files of
//! users or SQL.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Date32Builder, Decimal128Builder, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Field, Schema, SchemaRef};

use crate::error::{Error, RUN_CHECK, Result};

/// A rate: DECIMAL(24,12), held as an integer of [`RATE_ONE`]ths; small currencies need the digits.
pub const RATE: DataType = DataType::Decimal128(24, 12);
/// A rate of one.
pub const RATE_ONE: i128 = 1_000_000_000_000;

/// The years of the table `dates`.
pub const FIRST_YEAR: i32 = 1990;
pub const LAST_YEAR: i32 = 2049;

/// Days as Date32 counts them: since 1970-01-01.
pub type Day = i32;

/// Festivals and sales days, as imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayNames {
    pub names: BTreeMap<Day, Vec<String>>,
}

/// Units of the base currency for one unit of another, by currency and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FxRates {
    /// Currency that the rates are in.
    pub base: String,
    pub rates: BTreeMap<String, BTreeMap<Day, i128>>,
}

fn dates_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("day", DataType::Date32, false),
            Field::new("name", DataType::Utf8, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// Columns of the table `fx_rates`, and of its objects.
pub fn fx_rates_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("day", DataType::Date32, false),
            Field::new("currency", DataType::Utf8, false),
            Field::new("rate", RATE, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

fn damaged() -> Error {
    Error::corrupt("an object of a reference table is damaged").with_help(RUN_CHECK)
}

fn columns<const N: usize>(batch: &RecordBatch) -> Result<[&ArrayRef; N]> {
    let columns: Vec<&ArrayRef> = batch.columns().iter().filter(|column| column.null_count() == 0).collect();
    columns.try_into().map_err(|_| damaged())
}

impl DayNames {
    pub(super) fn schema() -> SchemaRef {
        dates_schema()
    }

    /// The names that an import says of a day take the place of those it had.
    pub fn merge(&mut self, imported: Self) {
        self.names.extend(imported.names);
    }

    pub(super) fn to_batch(&self) -> Result<RecordBatch> {
        let (mut days, mut names) = (Date32Builder::new(), StringBuilder::new());
        for (day, name) in self.names.iter().flat_map(|(day, names)| names.iter().map(move |name| (day, name))) {
            days.append_value(*day);
            names.append_value(name);
        }
        Ok(RecordBatch::try_new(dates_schema(), vec![Arc::new(days.finish()), Arc::new(names.finish())])?)
    }

    pub(super) fn from_batches(batches: &[RecordBatch]) -> Result<Self> {
        let mut found = Self::default();
        for batch in batches {
            let [days, names] = columns(batch)?;
            let days: &Date32Array = days.as_primitive_opt::<Date32Type>().ok_or_else(damaged)?;
            let names: &StringArray = names.as_string_opt().ok_or_else(damaged)?;
            for row in 0..batch.num_rows() {
                found.names.entry(days.value(row)).or_default().push(names.value(row).to_owned());
            }
        }
        Ok(found)
    }
}

impl FxRates {
    /// The imported rates take the place of those of the same day and currency.
    pub fn merge(&mut self, imported: Self) {
        for (currency, days) in imported.rates {
            self.rates.entry(currency).or_default().extend(days);
        }
    }

    /// The rate of the day, or the last one that is at most `max_age` days older.
    pub fn rate(&self, currency: &str, day: Day, max_age: u32) -> Option<i128> {
        let oldest = day.saturating_sub_unsigned(max_age);
        self.rates.get(currency)?.range(oldest..=day).next_back().map(|(_, rate)| *rate)
    }

    /// All rates by day and currency, as the table shows them.
    pub fn to_batch(&self) -> Result<RecordBatch> {
        let each =
            self.rates.iter().flat_map(|(currency, days)| days.iter().map(move |(day, rate)| (day, currency, rate)));
        let mut rows: Vec<(&Day, &String, &i128)> = each.collect();
        rows.sort_unstable();
        let (mut days, mut currencies) = (Date32Builder::new(), StringBuilder::new());
        let mut rates = Decimal128Builder::new().with_data_type(RATE);
        for (day, currency, rate) in rows {
            days.append_value(*day);
            currencies.append_value(currency);
            rates.append_value(*rate);
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(days.finish()), Arc::new(currencies.finish()), Arc::new(rates.finish())];
        Ok(RecordBatch::try_new(fx_rates_schema(), columns)?)
    }

    pub(super) fn from_batches(base: &str, batches: &[RecordBatch]) -> Result<Self> {
        let mut found = Self { base: base.to_owned(), ..Self::default() };
        for batch in batches {
            let [days, currencies, rates] = columns(batch)?;
            let days = days.as_primitive_opt::<Date32Type>().ok_or_else(damaged)?;
            let currencies: &StringArray = currencies.as_string_opt().ok_or_else(damaged)?;
            let rates = rates.as_primitive_opt::<Decimal128Type>().ok_or_else(damaged)?;
            for row in 0..batch.num_rows() {
                let of_currency = found.rates.entry(currencies.value(row).to_owned()).or_default();
                of_currency.insert(days.value(row), rates.value(row));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::objects;

    #[test]
    fn both_tables_survive_their_objects() {
        let mut names = DayNames::default();
        names.names.insert(19_763, vec!["春节".into(), "Spring Festival".into()]);
        let bytes = objects::encode_parquet(dates_schema(), &[names.to_batch().unwrap()]).unwrap();
        assert_eq!(DayNames::from_batches(&objects::decode_parquet(bytes.into()).unwrap()).unwrap(), names);

        let mut rates = FxRates { base: "USD".into(), ..FxRates::default() };
        rates.rates.entry("IDR".into()).or_default().insert(19_763, 64_123_456);
        rates.rates.entry("EUR".into()).or_default().insert(-1, 2 * RATE_ONE);
        let bytes = objects::encode_parquet(fx_rates_schema(), &[rates.to_batch().unwrap()]).unwrap();
        assert_eq!(FxRates::from_batches("USD", &objects::decode_parquet(bytes.into()).unwrap()).unwrap(), rates);
        assert_eq!(rates.rate("IDR", 19_763, 0), Some(64_123_456));
    }

    /// A18: banks say rates of working days only.
    #[test]
    fn a_rate_holds_for_some_days() {
        let mut rates = FxRates::default();
        rates.rates.entry("EUR".into()).or_default().extend([(10, 1), (12, 2)]);
        let of = |day, age| rates.rate("EUR", day, age);
        assert_eq!([of(10, 7), of(11, 7), of(12, 7), of(19, 7)], [Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!([of(20, 7), of(11, 0), of(9, 7)], [None; 3], "too old, another day, before the first");
        assert_eq!(rates.rate("CHF", 10, 7), None);
        assert_eq!(of(i32::MIN, u32::MAX), None);
    }
}
