//! `a ^ b`, `power(a, b)` and `pow(a, b)`: a DOUBLE, whatever the operands are.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, Datum};
use arrow::compute::kernels::arity::binary;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::doubles::one_zero;
use crate::error::Error;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Power {
    signature: Signature,
    aliases: Vec<String>,
}

impl Power {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Float64, DataType::Float64];
        Self { signature: Signature::exact(types, Volatility::Immutable), aliases: vec!["pow".to_owned()] }
    }
}

impl ScalarUDFImpl for Power {
    fn name(&self) -> &str {
        "power"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Float64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// That of DataFusion's function.
    fn documentation(&self) -> Option<&Documentation> {
        static POWER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(datafusion::functions::math::power);
        POWER.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let [base, exponent] = &arguments.args[..] else {
            return Err(Error::internal("power without two arguments").into());
        };
        let raise = |base: &dyn Datum, exponent: &dyn Datum| {
            let ((base, base_is_scalar), (exponent, exponent_is_scalar)) = (base.get(), exponent.get());
            let (base, exponent) = (base.as_primitive::<Float64Type>(), exponent.as_primitive::<Float64Type>());
            let one = |array: &arrow::array::Float64Array| array.iter().next().flatten();
            let raised = match (base_is_scalar, exponent_is_scalar) {
                (true, false) => match one(base) {
                    Some(base) => exponent.unary(|exponent| f64::powf(base, exponent)),
                    None => arrow::array::Float64Array::new_null(exponent.len()),
                },
                (false, true) => match one(exponent) {
                    Some(exponent) => base.unary(|base| f64::powf(base, exponent)),
                    None => arrow::array::Float64Array::new_null(base.len()),
                },
                _ => binary::<_, _, _, Float64Type>(base, exponent, f64::powf)?,
            };
            one_zero(&(Arc::new(raised) as arrow::array::ArrayRef))
        };
        datafusion::physical_expr_common::datum::apply(base, exponent, raise)
    }
}
