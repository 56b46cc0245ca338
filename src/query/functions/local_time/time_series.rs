//! `generate_series` and `range` of times as values: as DataFusion has them, but in microseconds, and with the days and
//! months of the session's zone. Those of numbers and of days stay DataFusion's.
//!
//! DataFusion 55.2 counts in nanoseconds, which end in 2262, with NULL beyond, and in the zone that the start carries.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};

use super::calendar_sum::Adding;
use crate::error::Error;
use crate::query::functions::variation::{Variation, vary};
use crate::query::zone::{numbers_of, times_of};

/// The functions by name, and whether they include their end.
const SERIES: [(&str, bool); 2] = [("generate_series", true), ("range", false)];

/// Values of the lists of one batch, a gigabyte: their places are numbered by 32 bits.
const MOST_VALUES: usize = 1 << 27;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::query) struct TimeSeries {
    original: Arc<ScalarUDF>,
    includes_end: bool,
    zone: Tz,
}

/// Around the functions that `find` knows by name.
pub(super) fn functions(find: impl Fn(&str) -> Result<Arc<ScalarUDF>>) -> Result<Vec<Arc<ScalarUDF>>> {
    let functions = SERIES.into_iter().map(|(name, includes_end)| -> Result<Arc<ScalarUDF>> {
        let series = TimeSeries { original: find(name)?, includes_end, zone: Tz::UTC };
        Ok(Arc::new(vary(series)))
    });
    functions.collect()
}

impl TimeSeries {
    /// The same with the days and months of the zone.
    pub(in crate::query) fn in_zone(&self, zone: Tz) -> Self {
        Self { zone, ..self.clone() }
    }

    fn lists(&self, arguments: [&ArrayRef; 3], item: &DataType) -> Result<ArrayRef> {
        let DataType::Timestamp(unit, _) = item else { return internal_err!("a series of times is one of timestamps") };
        let [starts, ends, steps] = arguments;
        let (starts, ends) = (in_unit(starts, *unit)?, in_unit(ends, *unit)?);
        let steps = steps.as_primitive::<IntervalMonthDayNanoType>();
        let mut adding = Adding::new(self.zone, *unit);
        let (mut values, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..starts.len() {
            let is_known = starts.is_valid(row) && ends.is_valid(row) && steps.is_valid(row);
            let before = values.len();
            if is_known {
                self.count(&mut adding, starts.value(row), ends.value(row), steps.value(row), &mut values)?;
            }
            lengths.push(values.len() - before);
            known.push(is_known);
        }
        let values = times_of(Int64Array::from(values), item)?;
        let field = Arc::new(Field::new_list_field(item.clone(), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(field, offsets, values, Some(NullBuffer::from(known)))?))
    }

    fn count(
        &self,
        adding: &mut Adding,
        start: i64,
        end: i64,
        step: IntervalMonthDayNano,
        values: &mut Vec<i64>,
    ) -> Result<()> {
        let name = self.original.name();
        let nowhere = || {
            Error::invalid(format!(
                "{name}: the step leads nowhere: write one of a microsecond or more, such as INTERVAL '1 day'"
            ))
        };
        let beyond = || Error::invalid(format!("{name}: its second time is outside of what timestamps can hold"));
        let second = adding.add(start, step).ok_or_else(beyond)?;
        if second == start {
            return Err(nowhere().into());
        }
        let rises = second > start;
        let mut current = start;
        loop {
            let is_over = match (self.includes_end, rises) {
                (true, true) => current > end,
                (true, false) => current < end,
                (false, true) => current >= end,
                (false, false) => current <= end,
            };
            if is_over {
                return Ok(());
            }
            if values.len() >= MOST_VALUES {
                return Err(Error::invalid(format!(
                    "{name} of more than {MOST_VALUES} times in the lists of some thousand rows: take shorter lists or \
                     coarser steps, or write FROM {name}(start, stop, step), of which the rows are streamed"
                ))
                .into());
            }
            values.push(current);
            // Beyond all times there is none left.
            let Some(next) = adding.add(current, step) else { return Ok(()) };
            if next == current || (next > current) != rises {
                return Err(nowhere().into());
            }
            current = next;
        }
    }
}

/// The numbers of times in another unit.
///
/// # Errors
/// For a time that the unit cannot hold.
fn in_unit(times: &ArrayRef, unit: TimeUnit) -> Result<Int64Array> {
    let DataType::Timestamp(_, zone) = times.data_type() else { return internal_err!("a series of times has times") };
    let target = DataType::Timestamp(unit, zone.clone());
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(numbers_of(&cast_with_options(times, &target, &options)?)?)
}

/// The type of the times of a series; `None` of one of numbers, of days, or with a NULL.
fn item_of(types: &[DataType]) -> Option<DataType> {
    let [start @ DataType::Timestamp(..), end @ DataType::Timestamp(..), step] = types else { return None };
    if step.is_null() {
        return None;
    }
    let (mut unit, mut zone) = (TimeUnit::Microsecond, None);
    for time in [start, end] {
        let DataType::Timestamp(given, held) = time else { continue };
        unit = unit.max(*given);
        zone = zone.or_else(|| held.clone());
    }
    Some(DataType::Timestamp(unit, zone))
}

impl Variation for TimeSeries {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match item_of(types) {
            Some(item) => Ok(DataType::List(Arc::new(Field::new_list_field(item, true)))),
            None => self.original.return_type(types),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        match item_of(&types) {
            Some(_) => Ok(Arc::new(Field::new(self.original.name(), self.return_type(&types)?, true))),
            None => self.original.return_field_from_args(arguments),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = arguments.args.iter().map(ColumnarValue::data_type).collect();
        let Some(item) = item_of(&types) else { return self.original.invoke_with_args(arguments) };
        let [start, end, step] = arguments.args.as_slice() else {
            return internal_err!("a series of times has two ends and a step");
        };
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { arguments.number_rows };
        let lists = self.lists([&start.to_array(rows)?, &end.to_array(rows)?, &step.to_array(rows)?], &item)?;
        match is_constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&lists, 0)?)),
            false => Ok(ColumnarValue::Array(lists)),
        }
    }
}
