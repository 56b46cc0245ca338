//! `date_part(part, time)` and `extract(part FROM time)` as DataFusion has them, and a refusal of numbers that says what to
//! write: the difference of two dates is one. DataFusion 55.2 lists the types that it takes, as a fault of its own.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::types::{NativeType, logical_string};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, TypeSignatureClass,
};

use crate::error::Error;

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(DatePart::new())));
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
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl DatePart {
    fn new() -> Self {
        let inner = datafusion::functions::datetime::date_part();
        let text = Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        // Integers alone stay what they are: a DOUBLE that did would be a type that a parameter here may have.
        let numbers = vec![TypeSignatureClass::Numeric];
        let number = Coercion::new_implicit(TypeSignatureClass::Integer, numbers, NativeType::Int64);
        let taken = vec![inner.signature().type_signature.clone(), TypeSignature::Coercible(vec![text, number])];
        let signature = Signature::one_of(taken, inner.signature().volatility);
        Self { inner, signature }
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

impl ScalarUDFImpl for DatePart {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        refuse_numbers(&arguments)?;
        self.inner.return_field_from_args(arguments)
    }

    fn preimage(&self, arguments: &[Expr], literal: &Expr, context: &SimplifyContext) -> Result<PreimageResult> {
        self.inner.preimage(arguments, literal, context)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(arguments)
    }
}
