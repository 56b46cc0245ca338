//! `array_agg` of DISTINCT values and `string_agg` that sort for themselves, in place of DataFusion's: put there by a rule
//! over plans.
//!
//! DataFusion 55.2 sorts the rows of a group for one of its aggregates and turns the others round. Those of DISTINCT values
//! sort by what they are told and forget that they were turned: `array_agg(x ORDER BY x DESC), array_agg(DISTINCT x ORDER
//! BY x)` had the second one descending. Two of `string_agg` it refused, though they sort as `array_agg` does.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{AggregateUDF, ReversedUDAF};

use super::aggregate_variation::{AggregateVariation, varies_so, vary_aggregate};

/// The function of a call with an order that needs no sorted input; `None` for another one, and for `array_agg` of all
/// values, which asks for none.
pub(in crate::query) fn sort_alone(function: &Arc<AggregateUDF>, is_distinct: bool) -> Option<Arc<AggregateUDF>> {
    let is_meant = match function.name() {
        "array_agg" => is_distinct,
        "string_agg" => true,
        _ => false,
    };
    if !is_meant || varies_so::<SelfSorting>(function) {
        return None;
    }
    let original = Arc::clone(function);
    Some(Arc::new(vary_aggregate(SelfSorting { original, is_distinct })))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SelfSorting {
    original: Arc<AggregateUDF>,
    /// Sorts values, not keys beside them.
    is_distinct: bool,
}

impl AggregateVariation for SelfSorting {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    /// Without a requirement there are no columns of keys, which those of DISTINCT values do not read.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match self.is_distinct {
            true => AggregateOrderSensitivity::Insensitive,
            false => AggregateOrderSensitivity::SoftRequirement,
        }
    }

    /// Rows that come sorted are sorted once more, which is cheap.
    fn with_beneficial_ordering(&self, _is_sorted: bool) -> DfResult<Option<Arc<AggregateUDF>>> {
        Ok(Some(Arc::new(vary_aggregate(self.clone()))))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.is_distinct {
            true => ReversedUDAF::NotSupported,
            false => ReversedUDAF::Reversed(Arc::new(vary_aggregate(self.clone()))),
        }
    }
}
