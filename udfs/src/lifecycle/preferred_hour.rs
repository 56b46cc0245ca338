//! `preferred_hour(ts, prior)`: the local hour at which a person is best reached. State of a group: 24 counts and the prior.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::{damaged, instant};
use super::timelines::no_distinct;
use crate::local_time::hour_of;

const NAME: &str = "preferred_hour";
const SIGNATURE: &str = "preferred_hour(ts, prior)";
const HOURS: usize = 24;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PreferredHour {
    signature: Signature,
    zone: Tz,
}

impl PreferredHour {
    pub(super) fn new(zone: Tz) -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), zone }
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl AggregateUDFImpl for PreferredHour {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [ts, prior] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        if !matches!(ts, DataType::Timestamp(_, _) | DataType::Null) {
            return plan_err!("{SIGNATURE}: argument 1 (ts) is {ts}, not a timestamp");
        }
        match prior {
            DataType::Null => {}
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                if item.data_type().is_numeric() || item.data_type().is_null() => {}
            other => return plan_err!("{SIGNATURE}: argument 2 (prior) is {other}, not a list of {HOURS} numbers"),
        }
        Ok(vec![instant(), list_of(DataType::Float64)])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        no_distinct(NAME, &args)?;
        Ok(Box::new(Hours { zone: self.zone, counts: [0; HOURS], prior: None }))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("counts", list_of(DataType::Int64), true)),
            Arc::new(Field::new("prior", list_of(DataType::Float64), true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The local hour, 0 to 23, with the highest score: half of the rows in that hour, a quarter of those in the \
                 hour before and in the hour after (23 and 0 are neighbours), and the hour's prior. Of equal scores the \
                 earliest hour. Rows with a NULL ts are skipped; without rows and without a prior above 0 it is NULL.",
                SIGNATURE,
            )
            .with_argument("ts", "time of an open, click or order")
            .with_argument(
                "prior",
                "list of 24 numbers not below 0, by hour from 0, the same for all rows: what the whole population would give, \
                 scaled to as many rows as it shall weigh; or NULL",
            )
            .with_sql_example("SELECT person, preferred_hour(ts, NULL) FROM events WHERE event = 'Email Opened' GROUP BY person")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug)]
struct Hours {
    zone: Tz,
    counts: [i64; HOURS],
    prior: Option<[f64; HOURS]>,
}

impl Hours {
    fn set_prior(&mut self, lists: &ArrayRef) -> Result<()> {
        let lists = lists.as_list::<i32>();
        let mut before: Option<(i32, i32)> = None;
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            // A constant comes as one list many times, or as many equal ones.
            let place = (lists.value_offsets()[row], lists.value_offsets()[row + 1]);
            if before.replace(place) == Some(place) {
                continue;
            }
            let list = lists.value(row);
            let prior = checked(list.as_primitive::<Float64Type>())?;
            if self.prior.replace(prior).is_some_and(|held| held != prior) {
                return exec_err!("{NAME}: argument 2 (prior) must be the same for all rows of a group");
            }
        }
        Ok(())
    }
}

fn checked(numbers: &Float64Array) -> Result<[f64; HOURS]> {
    let valid = numbers.null_count() == 0 && numbers.values().iter().all(|number| *number >= 0.0 && number.is_finite());
    match <[f64; HOURS]>::try_from(&numbers.values()[..]) {
        Ok(prior) if valid => Ok(prior),
        _ => exec_err!(
            "{NAME}: argument 2 (prior) is {:?}: it is a list of {HOURS} numbers, none below 0",
            numbers.values()
        ),
    }
}

/// The hour with the highest score, if any is above 0.
fn best(counts: &[i64; HOURS], prior: Option<&[f64; HOURS]>) -> Option<i64> {
    let score = |hour: usize| {
        let count = |hour: usize| counts[hour % HOURS] as f64;
        let near = 0.5 * count(hour) + 0.25 * (count(hour + HOURS - 1) + count(hour + 1));
        near + prior.map_or(0.0, |prior| prior[hour])
    };
    let mut best = None;
    let mut highest = 0.0;
    for hour in 0..HOURS {
        if score(hour) > highest {
            highest = score(hour);
            best = Some(hour as i64);
        }
    }
    best
}

impl Accumulator for Hours {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for time in values[0].as_primitive::<TimestampMicrosecondType>().iter().flatten() {
            self.counts[hour_of(self.zone, time)] += 1;
        }
        self.set_prior(&values[1])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(best(&self.counts, self.prior.as_ref())))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let counts = Int64Array::from(self.counts.to_vec());
        let prior = match self.prior {
            Some(prior) => {
                let prior = Float64Array::from(prior.to_vec());
                SingleRowListArrayBuilder::new(Arc::new(prior)).build_list_scalar()
            }
            None => ScalarValue::try_from(list_of(DataType::Float64))?,
        };
        Ok(vec![SingleRowListArrayBuilder::new(Arc::new(counts)).build_list_scalar(), prior])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            let counts = list.as_primitive::<Int64Type>();
            if counts.len() != HOURS {
                return Err(damaged(NAME));
            }
            self.counts.iter_mut().zip(counts.values()).for_each(|(held, count)| *held += count);
        }
        self.set_prior(&states[1])
    }
}
