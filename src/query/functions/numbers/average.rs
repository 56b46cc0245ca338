//! `avg`: a DOUBLE, of integers and decimals by their exact sum. DataFusion 55.2 adds integers as DOUBLE, where 15 digits
//! are kept, cuts the average of decimals, and wraps that of lengths of time. Of differences it is one, of intervals an
//! interval; of distinct ones, which are told apart by their length, a rule gives it the lengths.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::interval_length::LENGTH;
use super::interval_sums::{self, IntervalSum};
use super::sum::{coerced, exact_accumulator, exact_groups, exact_state, is_exact, is_interval};
use super::sum_output::Output;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Average {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl Average {
    pub(super) fn new() -> Self {
        Self { inner: avg_udaf(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn output(input: &DataType) -> Output {
    match input {
        DataType::Decimal128(_, scale) => Output::Average(*scale),
        DataType::Duration(_) => Output::AverageLength,
        _ => Output::Average(0),
    }
}

impl AggregateUDFImpl for Average {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        coerced("avg", types)
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [DataType::Duration(_)] => Ok(LENGTH),
            [interval @ DataType::Interval(_)] => Ok(interval.clone()),
            [input] if is_exact(input) => Ok(DataType::Float64),
            _ => self.inner.return_type(types),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) => Ok(exact_accumulator(input, args.is_distinct, output(input))),
            input if is_interval(input) => Ok(Box::new(IntervalSum::for_average())),
            _ => self.inner.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) || is_interval(input) => self.accumulator(args),
            _ => self.inner.create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        match args.input_fields[0].data_type() {
            input if is_exact(input) => Ok(exact_state(&args, true)),
            input if is_interval(input) => Ok(interval_sums::state_fields(&args)),
            _ => self.inner.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) => !args.is_distinct,
            input if is_interval(input) => false,
            _ => self.inner.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) => Ok(exact_groups(input, output(input))),
            _ => self.inner.create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
