//! What every aggregate over timelines says to DataFusion. A function gives its types and what it makes of a timeline; it
//! knows nothing of accumulators and states.

use std::fmt::Debug;
use std::hash::Hash;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::timelines::{Timelines, no_distinct, state_fields};

/// One function.
pub(super) trait TimelineFunction: Debug + Eq + Hash + Send + Sync + 'static {
    fn name(&self) -> &'static str;

    fn aliases(&self) -> Vec<String> {
        Vec::new()
    }

    /// # Errors
    /// With the signature, for types that the function does not take.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>>;

    /// # Errors
    /// With the signature, for types that the function does not take.
    fn return_type(&self, given: &[DataType]) -> Result<DataType>;

    /// # Errors
    /// When a default of the type does not exist.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue>;

    /// # Errors
    /// For constants that the function does not take.
    fn timelines(&self, args: &AccumulatorArgs) -> Result<Timelines>;

    fn documentation(&self) -> &Documentation;
}

/// The function as DataFusion takes it.
pub(super) fn aggregate<F: TimelineFunction>(function: F) -> AggregateUDF {
    let (signature, aliases) = (Signature::user_defined(Volatility::Immutable), function.aliases());
    Over { function, signature, aliases }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Over<F> {
    function: F,
    signature: Signature,
    aliases: Vec<String>,
}

impl<F: TimelineFunction> Over<F> {
    /// # Errors
    /// For DISTINCT, too: equal rows are events of their own.
    fn timelines(&self, args: &AccumulatorArgs) -> Result<Timelines> {
        no_distinct(self.function.name(), args)?;
        self.function.timelines(args)
    }
}

impl<F: TimelineFunction> AggregateUDFImpl for Over<F> {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.function.return_type(given)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.function.default_value(data_type)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(self.timelines(&args)?))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.timelines(&args)?))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(state_fields())
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.function.documentation())
    }
}
