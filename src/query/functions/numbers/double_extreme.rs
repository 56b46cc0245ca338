//! `min` and `max` of DOUBLEs by group, in the order of ORDER BY: NaN is the largest.
//!
//! DataFusion 55.2 compares the values of a group by `<`, which NaN is not and has not: which of the values it gives depends on
//! their order. Here whole numbers of the same order are compared in their place. Without groups it is right.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF, EmitTo, GroupsAccumulator};

use crate::doubles::one_zero;
use crate::query::functions::aggregate_variation::{AggregateVariation, varies_so, vary_aggregate};
use crate::query::functions::sliding_frame::sliding_accumulator;

/// `min` or `max` as one of DOUBLEs; `None` for another aggregate, and for what is one already.
pub(in crate::query) fn extreme_of_doubles(function: &Arc<AggregateUDF>) -> Option<Arc<AggregateUDF>> {
    let is_extreme = matches!(function.name(), "min" | "max") && !varies_so::<ExtremeOfDoubles>(function);
    is_extreme.then(|| Arc::new(vary_aggregate(ExtremeOfDoubles { original: Arc::clone(function) })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExtremeOfDoubles {
    original: Arc<AggregateUDF>,
}

impl AggregateVariation for ExtremeOfDoubles {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        sliding_accumulator(&self.original, arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.original.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        let ranks = match arguments.return_field.data_type() {
            DataType::Float64 => DataType::Int64,
            DataType::Float32 => DataType::Int32,
            _ => return self.original.create_groups_accumulator(arguments),
        };
        let return_field = Arc::new(Field::new(arguments.name, ranks, true));
        let inner = self.original.create_groups_accumulator(AccumulatorArgs { return_field, ..arguments })?;
        Ok(Box::new(ByRank { inner }))
    }
}

/// An accumulator of ranks, to which DOUBLEs are given.
struct ByRank {
    inner: Box<dyn GroupsAccumulator>,
}

impl GroupsAccumulator for ByRank {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> DfResult<()> {
        self.inner.update_batch(&to_ranks(values)?, group_indices, filter, group_count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        Ok(from_ranks(&self.inner.evaluate(emit_to)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        Ok(self.inner.state(emit_to)?.iter().map(from_ranks).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], group_count: usize) -> DfResult<()> {
        self.inner.merge_batch(&to_ranks(states)?, group_indices, group_count)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> DfResult<Vec<ArrayRef>> {
        Ok(self.inner.convert_to_state(&to_ranks(values)?, filter)?.iter().map(from_ranks).collect())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }
}

/// Each DOUBLE as the whole number that is its place among all of them. NaN with a sign would be the least.
fn to_ranks(columns: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
    let rank = |column: &ArrayRef| -> DfResult<ArrayRef> {
        let values = one_zero(column)?;
        Ok(match values.data_type() {
            DataType::Float64 => map::<Float64Type, Int64Type>(&values, |value| fold_64(value.to_bits() as i64)),
            DataType::Float32 => map::<Float32Type, Int32Type>(&values, |value| fold_32(value.to_bits() as i32)),
            _ => values,
        })
    };
    columns.iter().map(rank).collect()
}

fn from_ranks(ranks: &ArrayRef) -> ArrayRef {
    match ranks.data_type() {
        DataType::Int64 => map::<Int64Type, Float64Type>(ranks, |rank| f64::from_bits(fold_64(rank) as u64)),
        DataType::Int32 => map::<Int32Type, Float32Type>(ranks, |rank| f32::from_bits(fold_32(rank) as u32)),
        _ => Arc::clone(ranks),
    }
}

fn map<Given: ArrowPrimitiveType, Made: ArrowPrimitiveType>(
    values: &ArrayRef,
    change: impl Fn(Given::Native) -> Made::Native,
) -> ArrayRef {
    Arc::new(values.as_primitive::<Given>().unary::<_, Made>(change))
}

/// Bits as a number of the same order, and back: below zero the larger bits are the smaller value, as in `f64::total_cmp`.
fn fold_64(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn fold_32(bits: i32) -> i32 {
    bits ^ (((bits >> 31) as u32) >> 1) as i32
}
