//! Sums and averages of intervals: their months, days and the rest each on its own, in 128 bits. DataFusion 55.2 wraps each
//! of them: 400 times 8766 hours were a negative length.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;

use super::length_factor::Factor;
use crate::error::Error;

const PARTS: [&str; 4] = ["months", "days", "nanoseconds", "count"];

/// What a partial sum looks like.
pub(super) fn state_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    let field = |part: &str| Field::new(format_state_name(args.name, part), DataType::Decimal128(38, 0), true).into();
    PARTS.into_iter().map(field).collect()
}

/// The sum of one group, also over a moving frame. No number of rows reaches the end of 128 bits.
#[derive(Debug, Default)]
pub(super) struct IntervalSum {
    /// In the order of `PARTS`.
    parts: [i128; 3],
    count: u64,
    /// Whether the result is the average.
    averages: bool,
}

impl IntervalSum {
    /// That which gives the average: the sum divided by the number of intervals, as in Postgres.
    pub(super) fn for_average() -> Self {
        Self { averages: true, ..Self::default() }
    }

    fn beyond(&self) -> Error {
        let name = if self.averages { "avg" } else { "sum" };
        Error::invalid(format!(
            "{name} is beyond INTERVAL, which holds 2,147,483,647 months, as many days and 2,562,047 hours: take the \
             seconds, {name}(extract(epoch FROM i))"
        ))
    }

    fn add(&mut self, column: &ArrayRef, sign: i128) {
        for interval in column.as_primitive::<IntervalMonthDayNanoType>().iter().flatten() {
            let parts = [interval.months.into(), interval.days.into(), interval.nanoseconds.into()];
            self.parts.iter_mut().zip(parts).for_each(|(sum, part): (&mut i128, i128)| *sum += sign * part);
        }
    }
}

/// `None` when a part is beyond its type.
fn fit([months, days, nanoseconds]: [i128; 3]) -> Option<IntervalMonthDayNano> {
    let (months, days) = (i32::try_from(months).ok()?, i32::try_from(days).ok()?);
    Some(IntervalMonthDayNano::new(months, days, i64::try_from(nanoseconds).ok()?))
}

fn valid(column: &ArrayRef) -> u64 {
    (column.len() - column.null_count()) as u64
}

impl Accumulator for IntervalSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.count += valid(&values[0]);
        self.add(&values[0], 1);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.count -= valid(&values[0]);
        self.add(&values[0], -1);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        if self.count == 0 {
            return Ok(ScalarValue::IntervalMonthDayNano(None));
        }
        let result = match self.averages {
            true => Factor::divide_parts(self.parts, self.count),
            false => fit(self.parts),
        };
        Ok(ScalarValue::IntervalMonthDayNano(Some(result.ok_or_else(|| self.beyond())?)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let is_there = self.count > 0;
        let [months, days, nanoseconds] = self.parts;
        let parts = [months, days, nanoseconds, self.count.into()];
        Ok(parts.map(|part| ScalarValue::Decimal128(is_there.then_some(part), 38, 0)).to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let total = |column: &ArrayRef| column.as_primitive::<Decimal128Type>().iter().flatten().sum::<i128>();
        let count = states.get(PARTS.len() - 1).map_or(0, total);
        self.count += u64::try_from(count).map_err(|_| Error::internal("fewer than no intervals"))?;
        for (sum, column) in self.parts.iter_mut().zip(states) {
            *sum += total(column);
        }
        Ok(())
    }
}
