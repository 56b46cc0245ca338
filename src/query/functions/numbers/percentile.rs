//! `percentile_cont(p) WITHIN GROUP (ORDER BY x)` and `percentile_cont(x, p)`: of numbers a DOUBLE, of lengths of time and
//! intervals a length. A rule gives it the lengths of intervals. DataFusion 55.2 cuts the place between two numbers to six
//! digits: 1176299999.0 for 1176300000.0.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, ColumnarValue, Signature, Volatility};

use super::continuous_percentile::{accumulator, state_fields};
use super::interval_length::{LENGTH, has_length};
use super::operands::{Class, sql_name};
use crate::error::Error;
use crate::query::functions::aggregate_variation::AggregateVariation;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Percentile {
    original: Arc<AggregateUDF>,
    signature: Signature,
}

impl Percentile {
    pub(super) fn new() -> Self {
        Self { original: percentile_cont_udaf(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The percentile among values that are counted from the least; `None` for NULL.
fn percentile(args: &AccumulatorArgs) -> DfResult<Option<f64>> {
    let refusal = || {
        Error::invalid("percentile_cont takes one percentile from 0 to 1 for all rows, such as percentile_cont(x, 0.9)")
    };
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let given = args.exprs.get(1).ok_or_else(refusal)?.evaluate(&nothing).map_err(|_| refusal())?;
    let ColumnarValue::Scalar(ScalarValue::Float64(percentile)) = given else { return Err(refusal().into()) };
    let Some(percentile) = percentile else { return Ok(None) };
    if !(0.0..=1.0).contains(&percentile) {
        return Err(refusal().into());
    }
    let descends = args.order_bys.first().is_some_and(|key| key.options.descending);
    Ok(Some(if descends { 1.0 - percentile } else { percentile }))
}

impl AggregateVariation for Percentile {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        match types {
            [value, percentile] if has_length(value) && Class::of(percentile).is_some() => {
                Ok(vec![LENGTH, DataType::Float64])
            }
            [value, percentile] if Class::of(value).is_some() && Class::of(percentile).is_some() => {
                Ok(vec![DataType::Float64, DataType::Float64])
            }
            _ => {
                let given: Vec<String> = types.iter().map(sql_name).collect();
                Err(Error::invalid(format!(
                    "percentile_cont takes numbers or lengths of time and a percentile from 0 to 1, not {}: write \
                     percentile_cont(x, 0.9) or percentile_cont(0.9) WITHIN GROUP (ORDER BY x)",
                    given.join(", ")
                ))
                .into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        Ok(types.first().filter(|value| has_length(value)).map_or(DataType::Float64, |_| LENGTH))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(accumulator(args.expr_fields[0].data_type(), percentile(&args)?, args.is_distinct))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        Ok(state_fields(&args, args.input_fields[0].data_type()))
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.original.simplify()
    }
}
