//! Sums of integers, decimals and lengths of time in 128 bits, which hold every sum of 64 bits: what fails is the result
//! that does not fit, never an order of adding. Behind `sum` and `avg`, with and without groups, over moving frames, and
//! DISTINCT. A length is its microseconds.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, DurationMicrosecondType, Int64Type, UInt64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::{NullState, accumulate};

use super::sum_output::Output;
use crate::error::Error;

/// The type of a partial sum of values of a type.
pub(super) fn state_type(input: &DataType) -> DataType {
    match input {
        DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        _ => DataType::Decimal128(38, 0),
    }
}

/// The values of a column of integers or lengths, without a copy; `None` for decimals.
fn integers(column: &ArrayRef) -> Option<PrimitiveArray<Int64Type>> {
    let of_lengths = || Some(column.as_primitive_opt::<DurationMicrosecondType>()?.reinterpret_cast::<Int64Type>());
    column.as_primitive_opt::<Int64Type>().cloned().or_else(of_lengths)
}

/// The sum of a column of integers, lengths or decimals.
fn total(column: &ArrayRef, output: &Output) -> DfResult<i128> {
    if let Some(integers) = integers(column) {
        return Ok(total_of_integers(&integers));
    }
    let decimals = column.as_primitive::<Decimal128Type>();
    let mut sum = 0_i128;
    let mut wrapped = false;
    let mut add = |value: i128| {
        let (next, over) = sum.overflowing_add(value);
        sum = next;
        wrapped |= over;
    };
    match decimals.null_count() {
        0 => decimals.values().iter().for_each(|value| add(*value)),
        _ => decimals.iter().flatten().for_each(&mut add),
    }
    match wrapped {
        true => Err(output.beyond().into()),
        false => Ok(sum),
    }
}

/// Whether all values lie from -2^bits to 2^bits - 1: moved up by 2^bits, none has a bit above.
pub(super) fn all_within(values: &[i64], bits: u32) -> bool {
    let all = values.iter().fold(0, |all, value| all | value.wrapping_add(1 << bits));
    all.unsigned_abs() >> (bits + 1) == 0 && all >= 0
}

/// So few values that sums of halves of them, and of values below 2^40, fit in 64 bits.
const CHUNK: usize = 1 << 20;

fn total_of_integers(integers: &PrimitiveArray<Int64Type>) -> i128 {
    if integers.null_count() > 0 {
        return integers.iter().flatten().map(i128::from).sum();
    }
    let mut sum = 0_i128;
    for chunk in integers.values().chunks(CHUNK) {
        sum += match all_within(chunk, 40) {
            true => i128::from(chunk.iter().sum::<i64>()),
            // Upper and lower halves are added apart: loops of 64 bits, which the compiler makes wide.
            false => {
                let upper: i64 = chunk.iter().map(|value| value >> 32).sum();
                let lower: i64 = chunk.iter().map(|value| value & 0xFFFF_FFFF).sum();
                (i128::from(upper) << 32) + i128::from(lower)
            }
        };
    }
    sum
}

fn valid(column: &ArrayRef) -> u64 {
    (column.len() - column.null_count()) as u64
}

/// The sum of one group, also over a moving frame.
#[derive(Debug)]
pub(super) struct ExactSum {
    sum: i128,
    count: u64,
    state: DataType,
    output: Output,
}

impl ExactSum {
    pub(super) fn new(input: &DataType, output: Output) -> Self {
        Self { sum: 0, count: 0, state: state_type(input), output }
    }

    fn add(&mut self, sum: i128) -> DfResult<()> {
        self.sum = self.sum.checked_add(sum).ok_or_else(|| self.output.beyond())?;
        Ok(())
    }
}

impl Accumulator for ExactSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.count += valid(&values[0]);
        self.add(total(&values[0], &self.output)?)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.count -= valid(&values[0]);
        self.add(-total(&values[0], &self.output)?)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.output.scalar(self.sum, self.count)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let sum = (self.count > 0).then_some(self.sum);
        let DataType::Decimal128(precision, scale) = self.state else {
            return Err(Error::internal("a partial sum of another type").into());
        };
        let mut state = vec![ScalarValue::Decimal128(sum, precision, scale)];
        if self.output.is_average() {
            state.push(ScalarValue::UInt64(Some(self.count)));
        }
        Ok(state)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.count += match states.get(1) {
            Some(counts) => arrow::compute::sum(counts.as_primitive::<UInt64Type>()).unwrap_or(0),
            None => valid(&states[0]),
        };
        self.add(total(&states[0], &self.output)?)
    }
}

/// The sum of the distinct values of one group, also over a moving frame.
#[derive(Debug)]
pub(super) struct DistinctSum {
    /// How often each value is there.
    counts: HashMap<i128, u64>,
    state: DataType,
    output: Output,
}

impl DistinctSum {
    pub(super) fn new(input: &DataType, output: Output) -> Self {
        Self { counts: HashMap::new(), state: state_type(input), output }
    }

    fn each(column: &ArrayRef, mut take: impl FnMut(i128)) {
        match integers(column) {
            Some(integers) => integers.iter().flatten().for_each(|value| take(i128::from(value))),
            None => column.as_primitive::<Decimal128Type>().iter().flatten().for_each(take),
        }
    }
}

impl Accumulator for DistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        Self::each(&values[0], |value| *self.counts.entry(value).or_default() += 1);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        Self::each(&values[0], |value| {
            let left = self.counts.get_mut(&value).map(|count| {
                *count -= 1;
                *count
            });
            if left == Some(0) {
                self.counts.remove(&value);
            }
        });
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let mut sum = 0_i128;
        for value in self.counts.keys() {
            sum = sum.checked_add(*value).ok_or_else(|| self.output.beyond())?;
        }
        self.output.scalar(sum, self.counts.len() as u64)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * (size_of::<(i128, u64)>() + 1)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let values = PrimitiveArray::<Decimal128Type>::from_iter_values(self.counts.keys().copied());
        let values: ArrayRef = Arc::new(values.with_data_type(self.state.clone()));
        Ok(vec![ScalarValue::List(Arc::new(
            datafusion::common::utils::SingleRowListArrayBuilder::new(values).build_list_array(),
        ))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }
}

/// One sum a group: 64 bits as long as they hold it, which is twice as fast, and 128 beside them from then on.
#[derive(Default)]
struct WideSums {
    narrow: Vec<i64>,
    /// Empty until a sum leaves 64 bits; then one a group, to which `narrow` adds.
    wide: Vec<i128>,
}

impl WideSums {
    fn resize(&mut self, groups: usize) {
        self.narrow.resize(groups, 0);
        if !self.wide.is_empty() {
            self.wide.resize(groups, 0);
        }
    }

    /// Whether 128 bits hold the sum.
    #[inline]
    fn add(&mut self, group: usize, value: i128) -> bool {
        if let Ok(small) = i64::try_from(value)
            && let Some(sum) = self.narrow[group].checked_add(small)
        {
            self.narrow[group] = sum;
            return true;
        }
        self.add_wide(group, value)
    }

    #[cold]
    fn add_wide(&mut self, group: usize, value: i128) -> bool {
        self.wide.resize(self.narrow.len(), 0);
        let narrow = std::mem::take(&mut self.narrow[group]);
        match self.wide[group].checked_add(value).and_then(|sum| sum.checked_add(i128::from(narrow))) {
            Some(sum) => {
                self.wide[group] = sum;
                true
            }
            None => false,
        }
    }

    /// The sums of the groups to emit, which are forgotten.
    fn take(&mut self, emit_to: EmitTo) -> Vec<i128> {
        let narrow = emit_to.take_needed(&mut self.narrow);
        if self.wide.is_empty() {
            return narrow.into_iter().map(i128::from).collect();
        }
        let wide = emit_to.take_needed(&mut self.wide);
        // The two halves together may leave 128 bits only beyond every type; the check of the type then sees the limit.
        wide.into_iter().zip(narrow).map(|(wide, narrow)| wide.saturating_add(i128::from(narrow))).collect()
    }

    fn size(&self) -> usize {
        self.narrow.capacity() * size_of::<i64>() + self.wide.capacity() * size_of::<i128>()
    }
}

/// The sums of all groups.
pub(super) struct GroupSums<T> {
    sums: WideSums,
    /// Values of each group, for averages.
    counts: Vec<u64>,
    nulls: NullState,
    output: Output,
    state: DataType,
    input: std::marker::PhantomData<T>,
}

impl<T> GroupSums<T> {
    pub(super) fn new(input: &DataType, output: Output) -> Self {
        Self {
            sums: WideSums::default(),
            counts: Vec::new(),
            nulls: NullState::new(),
            output,
            state: state_type(input),
            input: std::marker::PhantomData,
        }
    }

    fn add<V>(
        &mut self,
        values: &PrimitiveArray<V>,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
        counts: bool,
    ) -> DfResult<()>
    where
        V: ArrowPrimitiveType + Send,
        V::Native: Into<i128>,
    {
        self.sums.resize(total);
        let sums = &mut self.sums;
        let mut fits = true;
        if counts {
            self.counts.resize(total, 0);
            // A loop of its own: both in one are slower than one after the other.
            accumulate(groups, values, filter, |group, _| self.counts[group] += 1);
        }
        self.nulls.accumulate(groups, values, filter, total, |group, value| fits &= sums.add(group, value.into()));
        match fits {
            true => Ok(()),
            false => Err(self.output.beyond().into()),
        }
    }

    fn take_counts(&mut self, emit_to: EmitTo) -> Vec<u64> {
        match self.output.is_average() {
            true => emit_to.take_needed(&mut self.counts),
            false => Vec::new(),
        }
    }
}

impl<T> GroupsAccumulator for GroupSums<T>
where
    T: ArrowPrimitiveType + Send,
    T::Native: Into<i128>,
{
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> DfResult<()> {
        let counts = self.output.is_average();
        self.add(values[0].as_primitive::<T>(), groups, filter, total, counts)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        let sums = self.sums.take(emit_to);
        let counts = self.take_counts(emit_to);
        let nulls = self.nulls.build(emit_to);
        self.output.column(sums, &counts, nulls)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let sums = self.sums.take(emit_to);
        let counts = self.take_counts(emit_to);
        let sums = PrimitiveArray::<Decimal128Type>::new(sums.into(), self.nulls.build(emit_to));
        let mut state: Vec<ArrayRef> = vec![Arc::new(sums.with_data_type(self.state.clone()))];
        if self.output.is_average() {
            state.push(Arc::new(UInt64Array::from(counts)));
        }
        Ok(state)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> DfResult<()> {
        self.add(states[0].as_primitive::<Decimal128Type>(), groups, None, total, false)?;
        if let Some(counts) = states.get(1) {
            self.counts.resize(total, 0);
            for (group, count) in groups.iter().zip(counts.as_primitive::<UInt64Type>().values()) {
                self.counts[*group] += count;
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> DfResult<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<T>();
        let sums = values.unary::<_, Decimal128Type>(Into::into);
        let kept = filter.map(|filter| {
            let kept = match filter.nulls() {
                Some(known) => filter.values() & known.inner(),
                None => filter.values().clone(),
            };
            NullBuffer::new(kept)
        });
        let nulls = NullBuffer::union(sums.nulls(), kept.as_ref());
        let counts = self.output.is_average().then(|| match &nulls {
            Some(nulls) => UInt64Array::from_iter_values(nulls.iter().map(u64::from)),
            None => UInt64Array::from_value(1, sums.len()),
        });
        let sums = PrimitiveArray::<Decimal128Type>::new(sums.values().clone(), nulls);
        let mut state: Vec<ArrayRef> = vec![Arc::new(sums.with_data_type(self.state.clone()))];
        if let Some(counts) = counts {
            state.push(Arc::new(counts));
        }
        Ok(state)
    }

    fn size(&self) -> usize {
        self.sums.size() + self.counts.capacity() * size_of::<u64>() + self.nulls.size()
    }
}
