//! The continuous percentile of lengths of time, which `median` and `percentile_cont` of DataFusion 55.2 do not know. It
//! keeps every length, as they keep every number.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DurationMicrosecondArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;

use super::interval_length::LENGTH;
use super::sum_output::rounded_mean;

/// Whether values of the type are lengths that this file knows.
pub(super) fn is_length(input: &DataType) -> bool {
    *input == LENGTH
}

/// What a partial result looks like.
pub(super) fn state_fields(args: &StateFieldsArgs) -> Vec<FieldRef> {
    let length = Field::new_list_field(LENGTH, true);
    vec![Arc::new(Field::new_list(format_state_name(args.name, "lengths"), length, true))]
}

/// The percentile of one group, also over a moving frame.
#[derive(Debug)]
pub(super) struct LengthPercentile {
    /// In no order.
    lengths: Vec<i64>,
    /// From 0, the shortest, to 1, the longest.
    percentile: f64,
    is_distinct: bool,
}

impl LengthPercentile {
    pub(super) fn new(percentile: f64, is_distinct: bool) -> Self {
        Self { lengths: Vec::new(), percentile, is_distinct }
    }
}

fn value_at(lengths: &mut [i64], percentile: f64) -> Option<i64> {
    let last = lengths.len().checked_sub(1)?;
    let place = percentile * last as f64;
    let fraction = place.fract();
    // Not beyond the last place: the percentile is at most 1.
    let (_, lower, above) = lengths.select_nth_unstable((place as usize).min(last));
    let lower = *lower;
    let Some(upper) = above.iter().min().filter(|_| fraction > 0.0) else { return Some(lower) };
    let (lower_wide, upper) = (i128::from(lower), i128::from(*upper));
    let between = match fraction {
        0.5 => rounded_mean(lower_wide + upper, 2),
        _ => lower_wide + ((upper - lower_wide) as f64 * fraction).round_ties_even() as i128,
    };
    // Between two values of 64 bits.
    Some(i64::try_from(between).unwrap_or(lower))
}

impl Accumulator for LengthPercentile {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.lengths.extend(values[0].as_primitive::<DurationMicrosecondType>().iter().flatten());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let mut leaving: HashMap<i64, usize> = HashMap::new();
        for length in values[0].as_primitive::<DurationMicrosecondType>().iter().flatten() {
            *leaving.entry(length).or_default() += 1;
        }
        self.lengths.retain(|length| match leaving.get_mut(length) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let percentile = match self.is_distinct {
            true => {
                // A moving frame takes away one of several equal lengths: all of them are kept.
                let mut distinct = self.lengths.clone();
                distinct.sort_unstable();
                distinct.dedup();
                value_at(&mut distinct, self.percentile)
            }
            false => value_at(&mut self.lengths, self.percentile),
        };
        Ok(ScalarValue::DurationMicrosecond(percentile))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.lengths.capacity() * size_of::<i64>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let lengths: ArrayRef = Arc::new(DurationMicrosecondArray::from(std::mem::take(&mut self.lengths)));
        Ok(vec![ScalarValue::List(Arc::new(SingleRowListArrayBuilder::new(lengths).build_list_array()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        for lengths in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[lengths])?;
        }
        Ok(())
    }
}
