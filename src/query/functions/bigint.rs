//! `row_number`, `rank`, `dense_rank`, `ntile`, `array_length`, `cardinality` and `array_position` as BIGINT. DataFusion 55.2
//! has them unsigned, which no client reads as the number that it is: beyond the wire it would be a DECIMAL(20,0).
//!
//! No row and no element has a number that BIGINT does not hold.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, LimitEffect, PartitionEvaluator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

const NUMBERS_OF_ROWS: [&str; 4] = ["row_number", "rank", "dense_rank", "ntile"];
const NUMBERS_OF_ELEMENTS: [&str; 3] = ["array_length", "cardinality", "array_position"];

/// Puts them in the place of DataFusion's.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for name in NUMBERS_OF_ROWS {
        let inner = state.udwf(name)?;
        state.register_udwf(Arc::new(WindowUDF::from(NumberOfRow { inner })))?;
    }
    for name in NUMBERS_OF_ELEMENTS {
        let inner = state.udf(name)?;
        state.register_udf(Arc::new(ScalarUDF::from(NumberOfElements { inner })))?;
    }
    Ok(())
}

fn as_bigint(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(DataType::Int64))
}

/// A function over windows that gives BIGINT UNSIGNED.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NumberOfRow {
    inner: Arc<WindowUDF>,
}

impl WindowUDFImpl for NumberOfRow {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn expressions(&self, arguments: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(arguments)
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(BigintEvaluator { inner: self.inner.partition_evaluator_factory(arguments)? }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(as_bigint(&self.inner.field(arguments)?))
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn limit_effect(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(arguments)
    }
}

/// The numbers of `inner` as BIGINT.
#[derive(Debug)]
struct BigintEvaluator {
    inner: Box<dyn PartitionEvaluator>,
}

impl PartitionEvaluator for BigintEvaluator {
    fn get_range(&self, row: usize, rows: usize) -> Result<Range<usize>> {
        self.inner.get_range(row, rows)
    }

    fn is_causal(&self) -> bool {
        self.inner.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(cast(&self.inner.evaluate_all(values, rows)?, &DataType::Int64)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.inner.evaluate(values, range)?.cast_to(&DataType::Int64)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        Ok(cast(&self.inner.evaluate_all_with_rank(rows, ranks)?, &DataType::Int64)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.inner.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.inner.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.inner.include_rank()
    }
}

/// A function of a list that gives BIGINT UNSIGNED.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NumberOfElements {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for NumberOfElements {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(as_bigint(&self.inner.return_field_from_args(arguments)?))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let return_field = Arc::new(arguments.return_field.as_ref().clone().with_data_type(DataType::UInt64));
        let arguments = ScalarFunctionArgs { return_field, ..arguments };
        self.inner.invoke_with_args(arguments)?.cast_to(&DataType::Int64, None)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
