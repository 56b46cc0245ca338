//! `bitmap_fused(formula, b1, ...)`: nested bitmap functions in one call.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use super::super::vocabulary::Kind;
use super::formula::Call;
use super::fuse::fuse;
use super::output::result_field;

const NAME: &str = "bitmap_fused";
const SYNTAX: &str = "bitmap_fused(formula, a1, ..., an)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fused {
    signature: Signature,
}

impl Fused {
    pub(crate) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// A call of this function; it is the same wherever it is registered.
    pub(super) fn call(call: &Call, leaves: Vec<Expr>) -> Expr {
        static FUSED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Fused::new())));
        let formula = Expr::Literal(ScalarValue::Utf8(Some(call.to_string())), None);
        FUSED.call(std::iter::once(formula).chain(leaves).collect())
    }

    /// The calls that a formula says, with as many leaves as given.
    pub(super) fn parse(formula: Option<&ScalarValue>) -> Result<Call> {
        let Some(text) = formula.and_then(|value| value.try_as_str()).flatten() else {
            return plan_err!("{SYNTAX}: argument 1 (formula) is a constant text");
        };
        Call::parse(text).or_else(|fault| plan_err!("{SYNTAX}: argument 1 (formula) is '{text}': {fault}"))
    }
}

impl ScalarUDFImpl for Fused {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What an argument must be is known from the formula only, and looked at with it.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Some((formula, leaves)) = given.split_first() else {
            return plan_err!("{SYNTAX}: no arguments were given");
        };
        if !formula.is_string() {
            return plan_err!("{SYNTAX}: argument 1 (formula) is {formula}, not a constant text");
        }
        let coerced = leaves.iter().enumerate().map(|(place, given)| match given {
            DataType::Null => Ok(DataType::Null),
            given => {
                let accepted = Kind::Set.accepted(given).or_else(|| Kind::Element.accepted(given));
                let refused = || plan_err!("{SYNTAX}: argument {} is {given}, no bitmap and no integer", place + 2);
                accepted.map_or_else(refused, Ok)
            }
        });
        std::iter::once(Ok(DataType::Utf8)).chain(coerced).collect()
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        internal_err!("{NAME}: the type of a result follows from the formula")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let call = Self::parse(args.scalar_arguments.first().copied().flatten())?;
        let leaves = args.arg_fields.get(1..).unwrap_or_default();
        let types: Vec<&DataType> = leaves.iter().map(|field| field.data_type()).collect();
        match call.check(&types) {
            Ok(()) => Ok(result_field(NAME, call.function, leaves)),
            Err(fault) => plan_err!("{SYNTAX}: argument 1 (formula) is '{call}': {fault}"),
        }
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// A leaf can become a call when projections are merged.
    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(Expr::Literal(formula, _)) = args.first() else { return Ok(ExprSimplifyResult::Original(args)) };
        let Ok(call) = Self::parse(Some(formula)) else { return Ok(ExprSimplifyResult::Original(args)) };
        let mut leaves = args;
        let formula = leaves.remove(0);
        Ok(fuse(&call, leaves).map_or_else(
            |leaves| ExprSimplifyResult::Original(std::iter::once(formula).chain(leaves).collect()),
            ExprSimplifyResult::Simplified,
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((ColumnarValue::Scalar(formula), leaves)) = args.args.split_first() else {
            return plan_err!("{SYNTAX}: argument 1 (formula) is a constant text");
        };
        super::evaluate(&Self::parse(Some(formula))?, leaves, args.number_rows)
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "What nested bitmap functions are planned as, seen in EXPLAIN: one evaluation of the whole expression, \
                 without a set built in between. There is no need to call it by hand.",
                SYNTAX,
            )
            .with_argument("formula", "a constant text: calls of bitmap functions over $1, $2, ...")
            .with_argument("a1, ..., an", "what $1, $2, ... stand for: bitmaps and numbers")
            .with_sql_example(
                "SELECT bitmap_fused('bitmap_count(bitmap_and($1, bitmap_or($2, $3)))', a, b, c) FROM sets",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
