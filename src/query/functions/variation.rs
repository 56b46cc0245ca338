//! Scalar functions that do a few things otherwise than the function of DataFusion that they stand for: such a variation
//! holds the original and says what differs. All else, the name, the order of results and what the optimizer asks
//! included, is the original's, in this one place. Must know no function.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};

/// What differs, of the same arguments and results as in `ScalarUDFImpl`.
///
/// Values that differ must keep the order and the NULLs of the original's.
pub(in crate::query) trait Variation: Debug + Eq + Hash + Send + Sync + 'static {
    fn original(&self) -> &Arc<ScalarUDF>;

    fn signature(&self) -> &Signature {
        self.original().signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.original().inner().coerce_types(types)
    }

    /// Where it differs, [`Self::return_field_from_args`] does.
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.original().return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.original().return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.original().invoke_with_args(arguments)
    }

    /// `None` where settings change nothing.
    fn with_updated_config(&self, _config: &ConfigOptions) -> Option<ScalarUDF> {
        None
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Variant<V>(V);

/// The function that differs so.
pub(in crate::query) fn vary<V: Variation>(variation: V) -> ScalarUDF {
    ScalarUDF::from(Variant(variation))
}

/// What differs in a function made by [`vary`] of this very kind of variation.
pub(in crate::query) fn variation_of<V: Variation>(function: &ScalarUDF) -> Option<&V> {
    function.inner().downcast_ref::<Variant<V>>().map(|variant| &variant.0)
}

impl<V: Variation> Variant<V> {
    fn original(&self) -> &Arc<dyn ScalarUDFImpl> {
        self.0.original().inner()
    }
}

impl<V: Variation> ScalarUDFImpl for Variant<V> {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.0.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.0.invoke_with_args(arguments)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        self.0.with_updated_config(config)
    }

    fn name(&self) -> &str {
        self.original().name()
    }

    fn aliases(&self) -> &[String] {
        self.original().aliases()
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        self.original().schema_name(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.original().documentation()
    }

    fn is_strict(&self) -> bool {
        self.original().is_strict()
    }

    fn simplify(&self, arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.original().simplify(arguments, info)
    }

    fn preimage(&self, arguments: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.original().preimage(arguments, literal, info)
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.original().conditional_arguments(arguments)
    }

    fn short_circuits(&self) -> bool {
        self.original().short_circuits()
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.original().evaluate_bounds(inputs)
    }

    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> Result<Option<Vec<Interval>>> {
        self.original().propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.original().output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.original().preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.original().strictly_order_preserving(inputs)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.original().struct_field_mapping(literals)
    }

    fn placement(&self, arguments: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.original().placement(arguments)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions::core::coalesce;
    use datafusion::functions::datetime::{date_trunc, to_char};
    use datafusion::functions::math::{ceil, floor};

    use super::*;

    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Same(Arc<ScalarUDF>);

    impl Variation for Same {
        fn original(&self) -> &Arc<ScalarUDF> {
            &self.0
        }
    }

    #[test]
    fn what_a_variation_does_not_say_is_the_original() {
        for original in [ceil(), coalesce(), date_trunc(), floor(), to_char()] {
            let same = vary(Same(Arc::clone(&original)));
            let shape = |function: &ScalarUDF| {
                let names = (function.name().to_owned(), function.aliases().to_vec(), function.signature().clone());
                (names, function.documentation().cloned(), function.is_strict(), function.short_circuits())
            };
            assert_eq!(shape(&same), shape(&original));
            assert!(variation_of::<Same>(&same).is_some() && variation_of::<Same>(&original).is_none());
        }
        // One is strict, one leaves arguments alone, one has another name.
        assert!(vary(Same(ceil())).is_strict() && vary(Same(coalesce())).short_circuits());
        assert_eq!(vary(Same(to_char())).aliases(), ["date_format"]);
    }

    #[test]
    fn bounds_and_types_are_passed_on() {
        let same = vary(Same(floor()));
        let one_to_two = Interval::make(Some(1.5), Some(2.5)).unwrap();
        let bounds = same.evaluate_bounds(&[&one_to_two]).unwrap();
        assert_eq!(bounds, floor().evaluate_bounds(&[&one_to_two]).unwrap());
        // By default bounds have no type.
        assert_eq!(bounds.data_type(), DataType::Float64);
        assert_eq!(same.return_type(&[DataType::Float64]).unwrap(), DataType::Float64);
    }
}
