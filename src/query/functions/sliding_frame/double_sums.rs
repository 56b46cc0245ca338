//! `sum` and `avg` of DOUBLE over frames that slide: the numbers themselves, so that a row costs a few additions and no
//! memory of its own. A NULL is no part of a sum, and none of the queue: those that leave say themselves whether they
//! are one.

use std::collections::vec_deque::Iter;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::queue::{Merge, TwoPartQueue, Whole};
use crate::error::Error;

/// One number after the other, as the groups of GROUP BY and running sums are added up: a small frame gives to the last
/// digit what its rows give as a group.
#[derive(Debug)]
struct Addition;

impl Merge for Addition {
    type Row = f64;
    type Partial = f64;

    fn merge(&self, before: Option<&f64>, numbers: Iter<'_, f64>, behind: Option<&f64>) -> DfResult<f64> {
        let sum = numbers.fold(before.copied().unwrap_or(0.0), |sum, number| sum + number);
        Ok(sum + behind.copied().unwrap_or(0.0))
    }
}

#[derive(Debug)]
pub(super) struct SlidingDoubles {
    queue: TwoPartQueue<Addition>,
    is_average: bool,
}

impl SlidingDoubles {
    pub(super) fn new(is_average: bool) -> Self {
        Self { queue: TwoPartQueue::new(Addition), is_average }
    }
}

fn numbers(values: &[ArrayRef]) -> DfResult<&Float64Array> {
    let numbers = values.first().and_then(|column| column.as_primitive_opt::<Float64Type>());
    numbers.ok_or_else(|| Error::internal("a sum of DOUBLEs is given something else").into())
}

fn of_rows_only() -> Error {
    Error::internal("a frame that slides is of rows, not of partial results")
}

impl Accumulator for SlidingDoubles {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let numbers = numbers(values)?;
        match numbers.null_count() {
            0 => numbers.values().iter().for_each(|number| self.queue.push(*number)),
            _ => numbers.iter().flatten().for_each(|number| self.queue.push(number)),
        }
        Ok(())
    }

    /// Rows leave in the order in which they came: how many says which.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let numbers = numbers(values)?;
        self.queue.forget_oldest(numbers.len() - numbers.null_count())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let count = self.queue.len();
        if count == 0 {
            return Ok(ScalarValue::Float64(None));
        }
        let Whole { merge, front, rows, back } = self.queue.whole()?;
        let sum = merge.merge(front, rows, back)?;
        Ok(ScalarValue::Float64(Some(if self.is_average { sum / count as f64 } else { sum })))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.queue.len() + self.queue.partials().count()) * size_of::<f64>()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Err(of_rows_only().into())
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> DfResult<()> {
        Err(of_rows_only().into())
    }
}

#[cfg(test)]
mod tests;
