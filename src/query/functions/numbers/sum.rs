//! `sum`: of integers a BIGINT, of decimals a DECIMAL with ten digits more, of DOUBLE a DOUBLE. It fails beyond its type;
//! DataFusion 55.2 wraps, decimals too. Sums of lengths of time are DataFusion's.

use std::sync::Arc;

use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::Result as DfResult;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::exact_sums::{DistinctSum, ExactSum, GroupSums, Output, state_type};
use super::interval_length::has_length;
use super::operands::{Class, sql_name};
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
    matches!(input, DataType::Int64 | DataType::Decimal128(..))
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
        (None, [length]) if has_length(length) => Ok(types.to_vec()),
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
            _ => self.inner.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match is_exact(args.expr_fields[0].data_type()) {
            true => self.accumulator(args),
            false => self.inner.create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        match is_exact(args.input_fields[0].data_type()) {
            true => Ok(exact_state(&args, false)),
            false => self.inner.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
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
