//! The number of values, or of rows, in a group.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF, GroupsAccumulator};

use crate::query::functions::aggregate_variation::AggregateVariation;
use crate::query::functions::result_of::{ResultOfGroup, ResultsOfGroups};

/// An aggregate that gives BIGINT UNSIGNED, and 0 for no rows, never NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NumberOfGroup {
    pub(super) original: Arc<AggregateUDF>,
}

impl AggregateVariation for NumberOfGroup {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(ResultOfGroup { inner: self.original.accumulator(arguments)?, change: as_bigint }))
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let inner = self.original.create_sliding_accumulator(arguments)?;
        Ok(Box::new(ResultOfGroup { inner, change: as_bigint }))
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.original.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let inner = self.original.create_groups_accumulator(arguments)?;
        Ok(Box::new(ResultsOfGroups { inner, change: all_as_bigint }))
    }
}

fn as_bigint(number: &ScalarValue) -> Result<ScalarValue> {
    number.cast_to(&DataType::Int64)
}

fn all_as_bigint(numbers: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(numbers, &DataType::Int64)?)
}
