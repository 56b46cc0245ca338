//! `sum`: of integers a BIGINT, of decimals a DECIMAL with ten digits more, of DOUBLE a DOUBLE, of lengths of time and of
//! intervals what they are. It fails beyond its type; DataFusion 55.2 wraps, decimals too.

use std::sync::Arc;

use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, FieldRef, Int64Type, IntervalUnit, TimeUnit,
};
use datafusion::common::Result as DfResult;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::exact_sums::{DistinctSum, ExactSum, GroupSums, state_type};
use super::interval_length::LENGTH;
use super::interval_sums::{self, IntervalSum};
use super::operands::{Class, sql_name};
use super::sum_output::Output;
use crate::error::Error;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sum {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl Sum {
    pub(super) fn new() -> Self {
        Self { inner: sum_udaf(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// Whether values of the type are added exactly.
pub(super) fn is_exact(input: &DataType) -> bool {
    matches!(input, DataType::Int64 | DataType::Decimal128(..) | DataType::Duration(TimeUnit::Microsecond))
}

pub(super) fn is_interval(input: &DataType) -> bool {
    matches!(input, DataType::Interval(_))
}

/// The type of the one argument as it is added up.
///
/// # Errors
/// `InvalidInput` for what cannot be added.
pub(super) fn coerced(name: &str, types: &[DataType]) -> DfResult<Vec<DataType>> {
    let class = types.first().and_then(Class::of);
    match (class, types) {
        (Some(class), [_]) if class.is_float() => Ok(vec![DataType::Float64]),
        (Some(class), [_]) => Ok(vec![class.data_type()]),
        (None, [DataType::Duration(_)]) => Ok(vec![LENGTH]),
        (None, [DataType::Interval(_)]) => Ok(vec![DataType::Interval(IntervalUnit::MonthDayNano)]),
        _ => {
            let given: Vec<String> = types.iter().map(sql_name).collect();
            Err(Error::invalid(format!(
                "{name} takes one number, not {}: cast text with CAST(x AS DOUBLE) or CAST(x AS DECIMAL(18,4))",
                given.join(", ")
            ))
            .into())
        }
    }
}

/// What a partial result of exact sums looks like.
pub(super) fn exact_state(args: &StateFieldsArgs, counts: bool) -> Vec<FieldRef> {
    let sum = state_type(args.input_fields[0].data_type());
    if args.is_distinct {
        let value = Field::new_list_field(sum, true);
        return vec![Arc::new(Field::new_list(format_state_name(args.name, "distinct values"), value, true))];
    }
    let mut fields = vec![Arc::new(Field::new(format_state_name(args.name, "sum"), sum, true))];
    if counts {
        fields.push(Arc::new(Field::new(format_state_name(args.name, "count"), DataType::UInt64, true)));
    }
    fields
}

/// The accumulator of all groups at once, for exact values.
pub(super) fn exact_groups(input: &DataType, output: Output) -> Box<dyn GroupsAccumulator> {
    match input {
        DataType::Int64 => Box::new(GroupSums::<Int64Type>::new(input, output)),
        DataType::Duration(_) => Box::new(GroupSums::<DurationMicrosecondType>::new(input, output)),
        _ => Box::new(GroupSums::<Decimal128Type>::new(input, output)),
    }
}

/// The accumulator of one group, for exact values.
pub(super) fn exact_accumulator(input: &DataType, is_distinct: bool, output: Output) -> Box<dyn Accumulator> {
    match is_distinct {
        true => Box::new(DistinctSum::new(input, output)),
        false => Box::new(ExactSum::new(input, output)),
    }
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        coerced("sum", types)
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        self.inner.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) => {
                let output = Output::Sum(args.return_field.data_type().clone());
                Ok(exact_accumulator(input, args.is_distinct, output))
            }
            input if is_interval(input) && args.is_distinct => Err(Error::invalid(
                "sum(DISTINCT i) of intervals: they are told apart by their length, write \
                 sum(DISTINCT extract(epoch FROM i)) for that in seconds",
            )
            .into()),
            input if is_interval(input) => Ok(Box::new(IntervalSum::default())),
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
            input if is_exact(input) => Ok(exact_state(&args, false)),
            input if is_interval(input) => Ok(interval_sums::state_fields(&args)),
            _ => self.inner.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct && !is_interval(args.expr_fields[0].data_type())
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        match args.expr_fields[0].data_type() {
            input if is_exact(input) => Ok(exact_groups(input, Output::Sum(args.return_field.data_type().clone()))),
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
