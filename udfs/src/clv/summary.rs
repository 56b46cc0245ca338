//! `clv_summary(ts, amount, as_of [, period [, unit]])`: a customer's orders as (frequency, recency, age, mean spend).
//!
//! State of a customer: one entry of 32 bytes a period with an order (a few more until they are brought together), and the
//! first and last instant. Amounts are exact decimals, so the result has the same bits for any partitioning.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, DocSection, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::summary_state::Customers;

pub(super) const NAME: &str = "clv_summary";
const SIGNATURE: &str = "clv_summary(ts, amount, as_of [, period [, unit]])";
pub(super) const SCALE: i8 = 4;
const AMOUNT: DataType = DataType::Decimal128(38, SCALE);

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Summary {
    signature: Signature,
    zone: Tz,
}

impl Summary {
    pub(super) fn new(zone: Tz) -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), zone }
    }
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        Fields::from(vec![
            Field::new("frequency", DataType::Int64, true),
            Field::new("recency", DataType::Float64, true),
            Field::new("age", DataType::Float64, true),
            Field::new("monetary_value", DataType::Float64, true),
            Field::new("first_at", instant(), true),
            Field::new("last_at", instant(), true),
        ])
    });
    FIELDS.clone()
}

/// A date stays one, every instant becomes microseconds in UTC.
fn time_type(given: &DataType) -> Option<DataType> {
    match given {
        DataType::Date32 | DataType::Date64 => Some(DataType::Date32),
        DataType::Timestamp(_, _) | DataType::Null => Some(instant()),
        _ => None,
    }
}

impl AggregateUDFImpl for Summary {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [ts, amount, as_of, texts @ ..] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        if texts.len() > 2 || texts.iter().any(|text| !text.is_string()) {
            return plan_err!("{SIGNATURE}: period and unit are texts");
        }
        if !(amount.is_numeric() || *amount == DataType::Null) {
            return plan_err!("{SIGNATURE}: argument 2 (amount) is {amount}, not a number");
        }
        let (Some(ts), Some(as_of)) = (time_type(ts), time_type(as_of)) else {
            return plan_err!(
                "{SIGNATURE}: ts and as_of are timestamps or dates, not {ts} and {as_of}: write DATE '2024-06-30', or \
                 CAST(x AS DATE) of a text"
            );
        };
        let mut types = vec![ts, AMOUNT, as_of];
        types.extend(texts.iter().map(|_| DataType::Utf8));
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Customers::new(self.zone)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Customers::new(self.zone)))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("periods", DataType::LargeBinary, true)),
            Arc::new(Field::new("first", DataType::Int64, true)),
            Arc::new(Field::new("last", DataType::Int64, true)),
            Arc::new(Field::new("rule", DataType::LargeBinary, true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The orders of a customer as struct(frequency, recency, age, monetary_value, first_at, last_at). Several \
                 orders of one period count once; frequency counts the periods after the first, recency is the age at the \
                 last of them, both in `unit`; monetary_value is the mean amount of the repeat periods, NULL without one. \
                 Orders after as_of and rows with a NULL ts are ignored; a NULL amount counts as 0.",
                SIGNATURE,
            )
            .with_argument("ts", "time of the order; a date is a local day")
            .with_argument("amount", "what was paid; refunds are negative")
            .with_argument("as_of", "end of observation, the same for all rows of a customer; a date means the end of that local day")
            .with_argument("period", "'day' (default), 'week' (from Monday) or 'month', in local time")
            .with_argument("unit", "of recency and age: 'week' (default), 'day', 'month' (30.4375 days) or 'period'")
            .with_sql_example("SELECT person, clv_summary(ts, net, DATE '2026-06-30') FROM orders WHERE net > 0 GROUP BY person")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
