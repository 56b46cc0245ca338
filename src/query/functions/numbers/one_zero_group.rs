//! An aggregate as it is, but that its results are of `one_zero`: a call around it has no place in a plan of groups.
//! And a frame that slides gives what each frame by itself would. Must not know which aggregates need it.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, Expr, GroupsAccumulator, Operator, ReversedUDAF};

use super::one_zero::one_zero_value;
use crate::doubles::one_zero;
use crate::query::functions::aggregate_variation::{AggregateVariation, varies_so, vary_aggregate};
use crate::query::functions::result_of::{ResultOfGroup, ResultsOfGroups};
use crate::query::functions::sliding_frame::sliding_accumulator;

/// The aggregate with one zero in its results, and with frames that slide.
pub(in crate::query) fn one_zero_of_group(function: &Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    Arc::new(vary_aggregate(OneZeroOfGroup { original: Arc::clone(function) }))
}

pub(in crate::query) fn has_one_zero(function: &AggregateUDF) -> bool {
    varies_so::<OneZeroOfGroup>(function)
}

/// Named as what it holds: a plan shows the aggregate that the user wrote. Values from statistics, which DataFusion
/// gives for counts and extremes, are none of such an aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OneZeroOfGroup {
    original: Arc<AggregateUDF>,
}

impl AggregateVariation for OneZeroOfGroup {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn return_field(&self, fields: &[FieldRef]) -> DfResult<FieldRef> {
        self.original.return_field(fields)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(one_zero_of(self.original.accumulator(args)?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        Ok(one_zero_of(sliding_accumulator(&self.original, args)?))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.original.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DfResult<Box<dyn GroupsAccumulator>> {
        let inner = self.original.create_groups_accumulator(args)?;
        Ok(Box::new(ResultsOfGroups { inner, change: |results| Ok(one_zero(results)?) }))
    }

    fn with_beneficial_ordering(&self, is_sorted: bool) -> DfResult<Option<Arc<AggregateUDF>>> {
        let original = AggregateUDF::clone(&self.original).with_beneficial_ordering(is_sorted)?;
        Ok(original.map(|original| one_zero_of_group(&Arc::new(original))))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.original.order_sensitivity()
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.original.simplify()
    }

    fn simplify_expr_op_literal(
        &self,
        call: &AggregateFunction,
        argument: &Expr,
        operator: Operator,
        literal: &Expr,
        argument_is_left: bool,
    ) -> DfResult<Option<Expr>> {
        self.original.simplify_expr_op_literal(call, argument, operator, literal, argument_is_left)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.original.reverse_udf() {
            // The same function over rows from the last to the first: in a window its list would be turned round.
            ReversedUDAF::Reversed(inner) if inner.name() == self.original.name() => ReversedUDAF::NotSupported,
            ReversedUDAF::Reversed(inner) => ReversedUDAF::Reversed(one_zero_of_group(&inner)),
            other => other,
        }
    }
}

fn one_zero_of(inner: Box<dyn Accumulator>) -> Box<dyn Accumulator> {
    Box::new(ResultOfGroup { inner, change: one_zero_value })
}
