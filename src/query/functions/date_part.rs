//! `date_part(part, time)` and `extract(part FROM time)` as DataFusion has them, and a refusal of numbers that says what to
//! write: the difference of two dates is one. DataFusion 55.2 lists the types that it takes, as a fault of its own.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::FieldRef;
use datafusion::common::Result;
use datafusion::common::types::{NativeType, logical_string};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    Coercion, Expr, ReturnFieldArgs, ScalarUDF, Signature, TypeSignature, TypeSignatureClass,
};

use super::variation::{Variation, vary};
use crate::error::Error;

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(vary(DatePart::new())));
    Arc::clone(&FUNCTION)
}

/// Plans `extract` as this function: DataFusion's own planner does not look up which one has the name.
#[derive(Debug)]
pub(in crate::query) struct ExtractPlanner;

impl ExprPlanner for ExtractPlanner {
    fn plan_extract(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(function().call(arguments)))
    }
}

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct DatePart {
    original: Arc<ScalarUDF>,
    signature: Signature,
}

impl DatePart {
    fn new() -> Self {
        let original = datafusion::functions::datetime::date_part();
        let text = Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        // Integers alone stay what they are: a DOUBLE that did would be a type that a parameter here may have.
        let numbers = vec![TypeSignatureClass::Numeric];
        let number = Coercion::new_implicit(TypeSignatureClass::Integer, numbers, NativeType::Int64);
        let taken = vec![original.signature().type_signature.clone(), TypeSignature::Coercible(vec![text, number])];
        let signature = Signature::one_of(taken, original.signature().volatility);
        Self { original, signature }
    }
}

/// # Errors
/// `InvalidInput` for a number.
fn refuse_numbers(arguments: &ReturnFieldArgs<'_>) -> Result<()> {
    match arguments.arg_fields.get(1).is_some_and(|given| given.data_type().is_numeric()) {
        true => Err(Error::invalid(
            "extract and date_part take a time or a length of time, and this is a number: the difference of two dates is \
             the number of days already, write b - a alone; for hours and the like take CAST(b AS TIMESTAMP) - \
             CAST(a AS TIMESTAMP), and of seconds since 1970 from_unixtime(x)",
        )
        .into()),
        false => Ok(()),
    }
}

impl Variation for DatePart {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        refuse_numbers(&arguments)?;
        self.original.return_field_from_args(arguments)
    }
}
