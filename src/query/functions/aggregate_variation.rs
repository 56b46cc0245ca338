//! Aggregates that do a few things otherwise than the one that they stand for: such a variation holds the original and
//! says what differs. The name, what the planner asks of it and what holds whatever the values are is the original's, in
//! this one place. Must know no function.
//!
//! What depends on how values are gathered (groups at once, frames that slide, rows that come sorted, simpler calls in
//! its place) is not the original's but for what a variation says: it would pass by what differs. Neither are values
//! that are read from statistics.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Operator, ReversedUDAF,
    SetMonotonicity, Signature,
};

/// What differs, of the same arguments and results as in `AggregateUDFImpl`.
pub(in crate::query) trait AggregateVariation: Debug + Eq + Hash + Send + Sync + 'static {
    fn original(&self) -> &Arc<AggregateUDF>;

    fn signature(&self) -> &Signature {
        self.original().signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.original().coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.original().return_type(types)
    }

    /// Of [`Self::return_type`].
    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let original = self.original();
        Ok(Arc::new(Field::new(original.name(), self.return_type(&types)?, original.is_nullable())))
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.original().default_value(data_type)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.original().state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.original().accumulator(arguments)
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(arguments)
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs) -> bool {
        false
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.original().create_groups_accumulator(arguments)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.original().order_sensitivity()
    }

    /// The same for rows that come sorted, where it knows one.
    fn with_beneficial_ordering(&self, _is_sorted: bool) -> Result<Option<Arc<AggregateUDF>>> {
        Ok(None)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::NotSupported
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        None
    }

    fn simplify_expr_op_literal(
        &self,
        _call: &AggregateFunction,
        _argument: &Expr,
        _operator: Operator,
        _literal: &Expr,
        _argument_is_left: bool,
    ) -> Result<Option<Expr>> {
        Ok(None)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AggregateVariant<V>(V);

/// The aggregate that differs so.
pub(in crate::query) fn vary_aggregate<V: AggregateVariation>(variation: V) -> AggregateUDF {
    AggregateUDF::from(AggregateVariant(variation))
}

/// Whether an aggregate was made by [`vary_aggregate`] of this very kind of variation.
pub(in crate::query) fn varies_so<V: AggregateVariation>(function: &AggregateUDF) -> bool {
    function.inner().is::<AggregateVariant<V>>()
}

impl<V: AggregateVariation> AggregateUDFImpl for AggregateVariant<V> {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.0.return_field(fields)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.0.default_value(data_type)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.0.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(arguments)
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.0.create_groups_accumulator(arguments)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn with_beneficial_ordering(self: Arc<Self>, is_sorted: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let function = self.0.with_beneficial_ordering(is_sorted)?;
        Ok(function.map(|function| Arc::clone(function.inner())))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.0.simplify()
    }

    fn simplify_expr_op_literal(
        &self,
        call: &AggregateFunction,
        argument: &Expr,
        operator: Operator,
        literal: &Expr,
        argument_is_left: bool,
    ) -> Result<Option<Expr>> {
        self.0.simplify_expr_op_literal(call, argument, operator, literal, argument_is_left)
    }

    fn name(&self) -> &str {
        self.0.original().name()
    }

    fn aliases(&self) -> &[String] {
        self.0.original().aliases()
    }

    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.0.original().schema_name(params)
    }

    fn human_display(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.0.original().human_display(params)
    }

    fn window_function_schema_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.0.original().window_function_schema_name(params)
    }

    fn display_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.0.original().display_name(params)
    }

    fn window_function_display_name(&self, params: &WindowFunctionParams) -> Result<String> {
        self.0.original().window_function_display_name(params)
    }

    fn is_nullable(&self) -> bool {
        self.0.original().is_nullable()
    }

    fn is_descending(&self) -> Option<bool> {
        self.0.original().is_descending()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.original().inner().set_monotonicity(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.0.original().supports_null_handling_clause()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.0.original().supports_within_group_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.original().documentation()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions_aggregate::array_agg::array_agg_udaf;
    use datafusion::functions_aggregate::average::avg_udaf;
    use datafusion::functions_aggregate::count::count_udaf;
    use datafusion::functions_aggregate::min_max::max_udaf;
    use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
    use datafusion::functions_aggregate::sum::sum_udaf;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Same(Arc<AggregateUDF>);

    impl AggregateVariation for Same {
        fn original(&self) -> &Arc<AggregateUDF> {
            &self.0
        }
    }

    /// Each of them answers one question otherwise than DataFusion's default does.
    #[test]
    fn what_holds_whatever_the_values_are_is_passed_on() {
        for original in [array_agg_udaf(), avg_udaf(), count_udaf(), max_udaf(), percentile_cont_udaf()] {
            let same = vary_aggregate(Same(Arc::clone(&original)));
            let shape = |function: &AggregateUDF| {
                let names = (function.name().to_owned(), function.aliases().to_vec(), function.signature().clone());
                let clauses = (function.supports_null_handling_clause(), function.supports_within_group_clause());
                let monotonicity = function.inner().set_monotonicity(&DataType::Int64);
                (names, function.documentation().cloned(), clauses, function.is_nullable(), monotonicity)
            };
            assert_eq!(shape(&same), shape(&original));
            assert_eq!(same.is_descending(), original.is_descending());
            assert!(varies_so::<Same>(&same) && !varies_so::<Same>(&original));
        }
    }

    #[test]
    fn ways_around_the_values_are_not() {
        // DataFusion's sum is the same from either end, its percentile of 0 is min.
        let [sum, percentile] = [sum_udaf(), percentile_cont_udaf()].map(|original| vary_aggregate(Same(original)));
        assert!(matches!(sum.reverse_udf(), ReversedUDAF::NotSupported));
        assert!(percentile.simplify().is_none() && percentile_cont_udaf().simplify().is_some());
    }
}
