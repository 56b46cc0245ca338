//! `array_agg` of DISTINCT values and `string_agg` that sort for themselves, in place of DataFusion's: put there by a rule
//! over plans.
//!
//! DataFusion 55.2 sorts the rows of a group for one of its aggregates and turns the others round. Those of DISTINCT values
//! sort by what they are told and forget that they were turned: `array_agg(x ORDER BY x DESC), array_agg(DISTINCT x ORDER
//! BY x)` had the second one descending. Two of `string_agg` it refused, though they sort as `array_agg` does.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, ReversedUDAF, Signature};

/// The function of a call with an order that needs no sorted input; `None` for another one, and for `array_agg` of all
/// values, which asks for none.
pub(in crate::query) fn sort_alone(function: &Arc<AggregateUDF>, is_distinct: bool) -> Option<Arc<AggregateUDF>> {
    let is_meant = match function.name() {
        "array_agg" => is_distinct,
        "string_agg" => true,
        _ => false,
    };
    if !is_meant || function.inner().is::<SelfSorting>() {
        return None;
    }
    let inner = Arc::clone(function);
    Some(Arc::new(AggregateUDF::from(SelfSorting { inner, is_distinct })))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SelfSorting {
    inner: Arc<AggregateUDF>,
    /// Sorts values, not keys beside them.
    is_distinct: bool,
}

impl AggregateUDFImpl for SelfSorting {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> DfResult<FieldRef> {
        self.inner.return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> DfResult<Vec<FieldRef>> {
        self.inner.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> DfResult<Box<dyn Accumulator>> {
        self.inner.accumulator(arguments)
    }

    /// Without a requirement there are no columns of keys, which those of DISTINCT values do not read.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.is_distinct {
            true => AggregateOrderSensitivity::Insensitive,
            false => AggregateOrderSensitivity::SoftRequirement,
        }
    }

    /// Rows that come sorted are sorted once more, which is cheap.
    fn with_beneficial_ordering(self: Arc<Self>, _is_sorted: bool) -> DfResult<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.is_distinct {
            true => ReversedUDAF::NotSupported,
            false => ReversedUDAF::Reversed(Arc::new(AggregateUDF::from(self.clone()))),
        }
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
