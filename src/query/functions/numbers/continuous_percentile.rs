//! The continuous percentile of DOUBLEs and of lengths of time, behind `percentile_cont` and, of lengths, `median`. It keeps
//! every value. DataFusion 55.2 knows none of lengths, and cuts the place between two numbers to six digits.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, Field, FieldRef, Float64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;

use super::interval_length::LENGTH;
use super::sum_output::rounded_mean;

/// Whether values of the type are lengths of time.
pub(super) fn is_length(input: &DataType) -> bool {
    *input == LENGTH
}

/// What a partial result over values of the type looks like.
pub(super) fn state_fields(args: &StateFieldsArgs, values: &DataType) -> Vec<FieldRef> {
    let value = Field::new_list_field(values.clone(), true);
    vec![Arc::new(Field::new_list(format_state_name(args.name, "values"), value, true))]
}

/// The percentile, from 0, the least, to 1, the greatest, of one group of values of the type: lengths or DOUBLEs.
pub(super) fn accumulator(values: &DataType, percentile: Option<f64>, is_distinct: bool) -> Box<dyn Accumulator> {
    match is_length(values) {
        true => Box::new(ContinuousPercentile::<DurationMicrosecondType> {
            values: Vec::new(),
            percentile,
            is_distinct,
            between: length_between,
        }),
        false => Box::new(ContinuousPercentile::<Float64Type> {
            values: Vec::new(),
            percentile,
            is_distinct,
            between: number_between,
        }),
    }
}

/// Also over a moving frame.
#[derive(Debug)]
struct ContinuousPercentile<T: ArrowPrimitiveType> {
    /// In no order.
    values: Vec<T::Native>,
    /// Without one there is no value.
    percentile: Option<f64>,
    is_distinct: bool,
    /// What lies between two values, at this part of the way.
    between: fn(T::Native, T::Native, f64) -> T::Native,
}

fn length_between(lower: i64, upper: i64, part: f64) -> i64 {
    let (wide, upper) = (i128::from(lower), i128::from(upper));
    let between = match part {
        0.5 => rounded_mean(wide + upper, 2),
        _ => wide + ((upper - wide) as f64 * part).round_ties_even() as i128,
    };
    // Between two values of 64 bits.
    i64::try_from(between).unwrap_or(lower)
}

fn number_between(lower: f64, upper: f64, part: f64) -> f64 {
    let distance = upper - lower;
    match distance.is_infinite() && lower.is_finite() && upper.is_finite() {
        true => lower * (1.0 - part) + upper * part,
        // Of equals nothing is added, or of infinities NaN would be made.
        false => {
            if lower == upper {
                lower
            } else {
                lower + distance * part
            }
        }
    }
}

impl<T: ArrowPrimitiveType> ContinuousPercentile<T> {
    fn value_at(&self, values: &mut [T::Native]) -> Option<T::Native> {
        let last = values.len().checked_sub(1)?;
        let place = self.percentile? * last as f64;
        // Not beyond the last place: the percentile is at most 1.
        let at = (place as usize).min(last);
        let (_, lower, above) = values.select_nth_unstable_by(at, |one, other| one.compare(*other));
        let lower = *lower;
        let upper = above.iter().copied().min_by(|one, other| one.compare(*other));
        match upper.filter(|_| place.fract() > 0.0) {
            Some(upper) => Some((self.between)(lower, upper, place.fract())),
            None => Some(lower),
        }
    }

    fn of_column(column: &ArrayRef) -> impl Iterator<Item = T::Native> + '_ {
        column.as_primitive::<T>().iter().flatten()
    }

    fn column(values: Vec<T::Native>) -> PrimitiveArray<T> {
        PrimitiveArray::new(values.into(), None)
    }
}

impl<T: ArrowPrimitiveType + Debug> Accumulator for ContinuousPercentile<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.values.extend(Self::of_column(&values[0]));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let mut leaving: Vec<T::Native> = Self::of_column(&values[0]).collect();
        leaving.sort_unstable_by(|one, other| one.compare(*other));
        let mut left = vec![false; leaving.len()];
        self.values.retain(|value| {
            let first = leaving.partition_point(|other| other.is_lt(*value));
            let equals = leaving[first..].iter().take_while(|other| other.is_eq(*value)).count();
            match left[first..first + equals].iter_mut().find(|left| !**left) {
                Some(place) => {
                    *place = true;
                    false
                }
                None => true,
            }
        });
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let mut values = std::mem::take(&mut self.values);
        let percentile = match self.is_distinct {
            true => {
                // A moving frame takes away one of several equal values: all of them are kept.
                let mut distinct = values.clone();
                distinct.sort_unstable_by(|one, other| one.compare(*other));
                distinct.dedup_by(|one, other| one.is_eq(*other));
                self.value_at(&mut distinct)
            }
            false => self.value_at(&mut values),
        };
        self.values = values;
        match percentile {
            Some(value) => ScalarValue::try_from_array(&Self::column(vec![value]), 0),
            None => ScalarValue::try_new_null(&T::DATA_TYPE),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<T::Native>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let values: ArrayRef = Arc::new(Self::column(std::mem::take(&mut self.values)));
        Ok(vec![ScalarValue::List(Arc::new(SingleRowListArrayBuilder::new(values).build_list_array()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }
}
