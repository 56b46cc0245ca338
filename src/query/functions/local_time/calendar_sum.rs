//! `ts + interval`: months and days are those of the calendar of a zone, hours and less are time that passes.
//!
//! As PostgreSQL adds: months first, then days, each at the same wall time, then the rest. A day that ends up at a skipped
//! time moves forward.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, TimeUnit};
use chrono::{DateTime, Days, Months, Utc};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, utils::take_function_args};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::field;
use crate::query::zone::{LocalClock, numbers_of, per_second, times_of};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct CalendarSum {
    signature: Signature,
    zone: Tz,
    minus: bool,
}

impl CalendarSum {
    /// (instant, interval): their sum, or with `minus` their difference.
    pub(in crate::query) fn new(zone: Tz, minus: bool) -> Self {
        Self { signature: Signature::any(2, Volatility::Immutable), zone, minus }
    }

    fn sums(&self, instants: &ArrayRef, intervals: &ArrayRef) -> Result<ArrayRef> {
        let DataType::Timestamp(unit, _) = instants.data_type() else { return internal_err!("no instants") };
        let mut adding = Adding { minus: self.minus, ..Adding::new(self.zone, *unit) };
        let numbers = numbers_of(instants)?;
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let rows = (0..numbers.len()).map(|row| {
            if numbers.is_null(row) || intervals.is_null(row) {
                return Ok(None);
            }
            match adding.add(numbers.value(row), intervals.value(row)) {
                None => exec_err!("a time and an interval add up to a time outside of what timestamps can hold"),
                sum => Ok(sum),
            }
        });
        Ok(times_of(rows.collect::<Result<Int64Array>>()?, instants.data_type())?)
    }
}

/// Adds intervals to instants in one unit.
pub(super) struct Adding {
    clock: LocalClock,
    unit: TimeUnit,
    minus: bool,
}

impl Adding {
    pub(super) fn new(zone: Tz, unit: TimeUnit) -> Self {
        Self { clock: LocalClock::new(zone), unit, minus: false }
    }

    /// `None` for a sum outside of what timestamps can hold.
    pub(super) fn add(&mut self, instant: i64, interval: IntervalMonthDayNano) -> Option<i64> {
        let scale = per_second(self.unit);
        let (mut seconds, fraction) = (instant.div_euclid(scale), instant.rem_euclid(scale));
        if interval.months != 0 {
            let months = Months::new(interval.months.unsigned_abs());
            let back = self.minus != (interval.months < 0);
            seconds = self.move_wall(seconds, |wall| {
                if back { wall.checked_sub_months(months) } else { wall.checked_add_months(months) }
            })?;
        }
        if interval.days != 0 {
            let days = Days::new(interval.days.unsigned_abs().into());
            let back = self.minus != (interval.days < 0);
            seconds =
                self.move_wall(
                    seconds,
                    |wall| {
                        if back { wall.checked_sub_days(days) } else { wall.checked_add_days(days) }
                    },
                )?;
        }
        let rest = interval.nanoseconds / (per_second(TimeUnit::Nanosecond) / scale);
        let sum = seconds.checked_mul(scale)?.checked_add(fraction)?;
        if self.minus { sum.checked_sub(rest) } else { sum.checked_add(rest) }
    }

    fn move_wall(&mut self, instant: i64, change: impl FnOnce(DateTime<Utc>) -> Option<DateTime<Utc>>) -> Option<i64> {
        let offset = self.clock.offset_at(instant);
        let wall = DateTime::from_timestamp(instant.checked_add(offset)?, 0)?;
        let moved = change(wall)?.timestamp();
        moved.checked_sub(self.clock.offset_of_wall_near(moved, offset))
    }
}

impl ScalarUDFImpl for CalendarSum {
    fn name(&self) -> &str {
        if self.minus { "calendar_difference" } else { "calendar_sum" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        match arguments.arg_fields.first() {
            Some(instants) => Ok(field(self.name(), instants.data_type().clone(), &arguments)),
            None => internal_err!("an instant and an interval are needed"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [instants, intervals] = take_function_args(self.name(), &arguments.args)?;
        match (instants, intervals) {
            (ColumnarValue::Scalar(instant), ColumnarValue::Scalar(interval)) => {
                let sum = self.sums(&instant.to_array()?, &interval.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&sum, 0)?))
            }
            _ => {
                let rows = arguments.number_rows;
                Ok(ColumnarValue::Array(self.sums(&instants.to_array(rows)?, &intervals.to_array(rows)?)?))
            }
        }
    }
}
