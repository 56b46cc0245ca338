//! `clv_summary(ts, amount, as_of [, period [, unit]])`: a customer's orders as (frequency, recency, age, mean spend).
//!
//! State of a group: one entry of 20 bytes a period with an order, and the first and last instant. Amounts are exact
//! decimals, so the result has the same bits for any partitioning.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, FieldRef, Fields, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use crate::local_time::LocalDays;

const NAME: &str = "clv_summary";
const SIGNATURE: &str = "clv_summary(ts, amount, as_of [, period [, unit]])";
const SCALE: i8 = 4;
const AMOUNT: DataType = DataType::Decimal128(38, SCALE);
/// Bytes of one entry of a state: period, sum.
const ENTRY: usize = 4 + 16;

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

fn fields() -> Fields {
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
            return plan_err!("{SIGNATURE}: ts and as_of are timestamps or dates, not {ts} and {as_of}");
        };
        let mut types = vec![ts, AMOUNT, as_of];
        types.extend(texts.iter().map(|_| DataType::Utf8));
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Orders::new(self.zone)))
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

/// Length of a month in days.
const MONTH: f64 = 365.25 / 12.0;

impl Period {
    /// Number of the period that holds a day (counted from 1970-01-01).
    fn number(self, day: i32) -> i32 {
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

/// What the arguments after the amount say; one for all rows of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rule {
    /// The last local day that counts, and the first instant that does not.
    last_day: i32,
    end: i64,
    period: Period,
    /// Units in a period.
    units: f64,
}

impl Rule {
    fn new(last_day: i32, end: i64, period: &str, unit: &str) -> Result<Self> {
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

    fn to_bytes(self) -> Vec<u8> {
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

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
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

#[derive(Debug)]
struct Orders {
    days: LocalDays,
    rule: Option<Rule>,
    /// Sum of amounts in ten-thousandths by period.
    sums: BTreeMap<i32, i128>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Orders {
    fn new(zone: Tz) -> Self {
        Self { days: LocalDays::new(zone), rule: None, sums: BTreeMap::new(), first: None, last: None }
    }

    fn set_rule(&mut self, rule: Rule) -> Result<()> {
        match self.rule.replace(rule) {
            Some(held) if held != rule => {
                exec_err!("{NAME}: as_of, period and unit must be the same for all rows of a customer")
            }
            _ => Ok(()),
        }
    }

    /// The rule of a row, `None` where as_of is NULL.
    fn rule_of(&mut self, values: &[ArrayRef], row: usize) -> Result<Option<Rule>> {
        let as_of = &values[2];
        if as_of.is_null(row) {
            return Ok(None);
        }
        let (last_day, end) = match as_of.as_primitive_opt::<Date32Type>() {
            Some(dates) => (dates.value(row), self.days.end_of(dates.value(row))),
            None => {
                let instant = as_of.as_primitive::<TimestampMicrosecondType>().value(row);
                (self.days.day_of(instant), instant.saturating_add(1))
            }
        };
        let text = |place: usize, default: &'static str| match values.get(place) {
            None => default.to_owned(),
            Some(texts) => texts.as_string::<i32>().value(row).to_owned(),
        };
        Rule::new(last_day, end, &text(3, "day"), &text(4, "week")).map(Some)
    }

    fn add(&mut self, rule: Rule, day: i32, instant: i64, amount: i128) {
        *self.sums.entry(rule.period.number(day)).or_default() += amount;
        self.first = Some(self.first.map_or(instant, |first| first.min(instant)));
        self.last = Some(self.last.map_or(instant, |last| last.max(instant)));
    }
}

impl Accumulator for Orders {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let amounts = values[1].as_primitive::<Decimal128Type>();
        let mut held: Option<(ScalarValue, Rule)> = None;
        for row in 0..values[0].len() {
            if values[0].is_null(row) {
                continue;
            }
            // Mostly one constant: it is read again only where it changes.
            let as_of = ScalarValue::try_from_array(&values[2], row)?;
            let rule = match &held {
                Some((known, rule)) if *known == as_of => *rule,
                _ => {
                    let Some(rule) = self.rule_of(values, row)? else { continue };
                    self.set_rule(rule)?;
                    held = Some((as_of, rule));
                    rule
                }
            };
            let (day, instant) = match values[0].as_primitive_opt::<Date32Type>() {
                // The first instant of a day is the end of the day before.
                Some(dates) => (dates.value(row), self.days.end_of(dates.value(row).saturating_sub(1))),
                None => {
                    let instant = values[0].as_primitive::<TimestampMicrosecondType>().value(row);
                    (self.days.day_of(instant), instant)
                }
            };
            if instant < rule.end {
                let amount = if amounts.is_null(row) { 0 } else { amounts.value(row) };
                self.add(rule, day, instant, amount);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (Some(rule), Some((first, _)), Some((last, _))) =
            (self.rule, self.sums.first_key_value(), self.sums.last_key_value())
        else {
            return ScalarValue::try_from(DataType::Struct(fields()));
        };
        let units = |periods: i32| f64::from(periods) * rule.units;
        let repeats = self.sums.len() as i64 - 1;
        let spent: i128 = self.sums.values().skip(1).sum();
        let mean = (repeats > 0).then(|| spent as f64 / 10_f64.powi(i32::from(SCALE)) / repeats as f64);
        let instant = |value: Option<i64>| Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone("UTC"));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![repeats])),
            Arc::new(Float64Array::from(vec![units(last - first)])),
            Arc::new(Float64Array::from(vec![units(rule.period.number(rule.last_day) - first)])),
            Arc::new(Float64Array::from(vec![mean])),
            instant(self.first),
            instant(self.last),
        ];
        Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields(), columns, None)?)))
    }

    fn size(&self) -> usize {
        // An estimate of the tree's nodes.
        size_of_val(self) + self.sums.len() * 48 + self.days.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::with_capacity(self.sums.len() * ENTRY);
        for (period, sum) in &self.sums {
            bytes.extend(period.to_le_bytes());
            bytes.extend(sum.to_le_bytes());
        }
        Ok(vec![
            ScalarValue::LargeBinary(Some(bytes)),
            ScalarValue::Int64(self.first),
            ScalarValue::Int64(self.last),
            ScalarValue::LargeBinary(self.rule.map(Rule::to_bytes)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (periods, rules) = (states[0].as_binary::<i64>(), states[3].as_binary::<i64>());
        let (first, last) = (states[1].as_primitive::<Int64Type>(), states[2].as_primitive::<Int64Type>());
        for row in 0..periods.len() {
            if rules.is_null(row) {
                continue;
            }
            let damaged = || exec_err!("{NAME}: a state is damaged");
            let Some(rule) = Rule::from_bytes(rules.value(row)) else { return damaged() };
            self.set_rule(rule)?;
            let mut rest = periods.value(row);
            while let Some((period, after)) = rest.split_first_chunk() {
                let Some((sum, after)) = after.split_first_chunk() else { return damaged() };
                *self.sums.entry(i32::from_le_bytes(*period)).or_default() += i128::from_le_bytes(*sum);
                rest = after;
            }
            if !first.is_null(row) {
                self.first = Some(self.first.map_or(first.value(row), |held| held.min(first.value(row))));
                self.last = Some(self.last.map_or(last.value(row), |held| held.max(last.value(row))));
            }
        }
        Ok(())
    }
}
