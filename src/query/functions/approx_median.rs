//! `approx_median` as DataFusion has it, and a refusal of lengths of time that says what to write: DataFusion 55.2 takes
//! them for a fault of its own.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, Coercion, Signature, TypeSignature, TypeSignatureClass};

use super::aggregate_variation::AggregateVariation;
use super::numbers::has_length;
use crate::error::Error;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ApproxMedian {
    original: Arc<AggregateUDF>,
    signature: Signature,
}

impl ApproxMedian {
    pub(super) fn new() -> Self {
        let original = datafusion::functions_aggregate::approx_median::approx_median_udaf();
        let lengths = [TypeSignatureClass::Interval, TypeSignatureClass::Duration];
        let lengths = lengths.map(|length| TypeSignature::Coercible(vec![Coercion::new_exact(length)]));
        let taken = [original.signature().type_signature.clone()].into_iter().chain(lengths).collect();
        let signature = Signature::one_of(taken, original.signature().volatility);
        Self { original, signature }
    }
}

impl AggregateVariation for ApproxMedian {
    fn original(&self) -> &Arc<AggregateUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first().is_some_and(has_length) {
            true => Err(Error::invalid(
                "approx_median takes a number, not a length of time: write median(x), which is exact, or \
                 approx_median(extract(epoch FROM x)) for seconds",
            )
            .into()),
            false => self.original.return_type(types),
        }
    }
}
