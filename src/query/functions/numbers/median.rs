//! `median`: a DOUBLE, of lengths of time a length. DataFusion 55.2 gives the mean of the two middle values in their own
//! type, so that the median of 1 and 2 was 1, and knows none of lengths. A rule gives it the lengths of intervals.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::functions_aggregate::median::median_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, Signature, Volatility};

use super::continuous_percentile::{accumulator, is_length, state_fields};
use super::interval_length::{LENGTH, has_length};
use super::operands::{Class, sql_name};
use crate::error::Error;
use crate::query::functions::aggregate_variation::AggregateVariation;

const MIDDLE: f64 = 0.5;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Median {
    original: Arc<AggregateUDF>,
    signature: Signature,
}

impl Median {
    pub(super) fn new() -> Self {
        Self { original: median_udaf(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateVariation for Median {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        match types {
            [length] if has_length(length) => Ok(vec![LENGTH]),
            [number] if Class::of(number).is_some() => Ok(vec![DataType::Float64]),
            _ => {
                let given: Vec<String> = types.iter().map(sql_name).collect();
                Err(Error::invalid(format!(
                    "median takes one number or length of time, not {}: cast text with CAST(x AS DOUBLE)",
                    given.join(", ")
                ))
                .into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [length] if has_length(length) => Ok(LENGTH),
            _ => Ok(DataType::Float64),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match is_length(args.expr_fields[0].data_type()) {
            true => Ok(accumulator(&LENGTH, Some(MIDDLE), args.is_distinct)),
            false => self.original.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        match is_length(args.expr_fields[0].data_type()) {
            true => self.accumulator(args),
            false => self.original.create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        match is_length(args.input_fields[0].data_type()) {
            true => Ok(state_fields(&args, &LENGTH)),
            false => self.original.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !is_length(args.expr_fields[0].data_type()) && self.original.groups_accumulator_supported(args)
    }
}
