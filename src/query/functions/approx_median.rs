//! `approx_median` as DataFusion has it, and a refusal of lengths of time that says what to write: DataFusion 55.2 takes
//! them for a fault of its own.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Coercion, Documentation, Signature, TypeSignature, TypeSignatureClass,
};

use super::numbers::has_length;
use crate::error::Error;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ApproxMedian {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl ApproxMedian {
    pub(super) fn new() -> Self {
        let inner = datafusion::functions_aggregate::approx_median::approx_median_udaf();
        let lengths = [TypeSignatureClass::Interval, TypeSignatureClass::Duration];
        let lengths = lengths.map(|length| TypeSignature::Coercible(vec![Coercion::new_exact(length)]));
        let taken = [inner.signature().type_signature.clone()].into_iter().chain(lengths).collect();
        let signature = Signature::one_of(taken, inner.signature().volatility);
        Self { inner, signature }
    }
}

impl AggregateUDFImpl for ApproxMedian {
    fn name(&self) -> &str {
        self.inner.name()
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
            false => self.inner.return_type(types),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
