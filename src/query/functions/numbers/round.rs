//! `round(x, n)` of decimals: with a literal n the result has n decimals, half away from zero. DataFusion 55.2 says so when
//! it plans, casts the literal, takes it for a column and keeps all decimals. Other numbers are DataFusion's.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array};
use arrow::compute::kernels::arity::try_binary;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Int64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::operands::{Class, sql_name};
use crate::error::Error;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Round {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl Round {
    pub(super) fn new() -> Self {
        Self { inner: datafusion::functions::math::round(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The type of a decimal that is rounded to `places`, which is `None` where each row has its own.
fn rounded_type(precision: u8, scale: i8, places: Option<i64>) -> DataType {
    let scale_after = match places {
        Some(places) => i8::try_from(places.clamp(0, i64::from(scale.max(0)))).unwrap_or(scale),
        None => scale,
    };
    // 9.99 becomes 10: one digit more before the point, which those that fall behind it make room for.
    let dropped = u8::try_from(i16::from(scale) - i16::from(scale_after)).unwrap_or(0);
    let precision = (precision + 1).saturating_sub(dropped).max(1);
    DataType::Decimal128(precision.min(DECIMAL128_MAX_PRECISION), scale_after)
}

/// `value`, of `scale` decimals, rounded to `places` and written with `scale_after` decimals.
fn round_decimal(value: i128, scale: i8, places: i64, scale_after: i8) -> Result<i128, ArrowError> {
    let beyond = || ArrowError::ArithmeticOverflow("a rounded number beyond 38 digits".to_owned());
    let power = |exponent: i64| u32::try_from(exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent));
    let dropped = i64::from(scale).saturating_sub(places);
    let rounded = match (dropped > 0, power(dropped)) {
        (false, _) => value,
        // Nothing is left of it.
        (true, None) => 0,
        (true, Some(unit)) => {
            let (whole, rest) = (value / unit, value % unit);
            let up = if rest.unsigned_abs() >= unit.unsigned_abs() / 2 { rest.signum() } else { 0 };
            (whole + up).checked_mul(unit).ok_or_else(beyond)?
        }
    };
    let shift = power(i64::from(scale) - i64::from(scale_after)).ok_or_else(beyond)?;
    Ok(rounded / shift)
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let class = types.first().and_then(Class::of);
        let places = types.get(1);
        let (Some(class), true) = (class, places.is_none_or(|places| places.is_integer() || places.is_null())) else {
            let given: Vec<String> = types.iter().map(sql_name).collect();
            return Err(Error::invalid(format!("round(number, decimals) was given {}", given.join(", "))).into());
        };
        let places = match class {
            Class::Decimal(..) => DataType::Int64,
            _ => DataType::Int32,
        };
        Ok([class.data_type(), places].into_iter().take(types.len()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        Ok(match types.first() {
            Some(DataType::Decimal128(precision, scale)) => rounded_type(*precision, *scale, None),
            Some(number) => number.clone(),
            None => return Err(Error::internal("round of nothing").into()),
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let DataType::Decimal128(precision, scale) = arguments.arg_fields[0].data_type() else {
            return self.inner.return_field_from_args(arguments);
        };
        let places = match arguments.scalar_arguments.get(1) {
            None => Some(0),
            Some(Some(ScalarValue::Int64(places))) => *places,
            Some(_) => None,
        };
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), rounded_type(*precision, *scale, places), nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let (DataType::Decimal128(_, scale), DataType::Decimal128(precision, scale_after)) =
            (arguments.args[0].data_type(), arguments.return_field.data_type())
        else {
            return self.inner.invoke_with_args(arguments);
        };
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { arguments.number_rows };
        let values = arguments.args[0].to_array(rows)?;
        let values = values.as_primitive::<Decimal128Type>();
        let rounded: Decimal128Array = match arguments.args.get(1) {
            None => values.try_unary(|value| round_decimal(value, scale, 0, *scale_after))?,
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(places)))) => {
                values.try_unary(|value| round_decimal(value, scale, *places, *scale_after))?
            }
            Some(places) => {
                let places = places.to_array(rows)?;
                try_binary(values, places.as_primitive::<Int64Type>(), |value, places| {
                    round_decimal(value, scale, places, *scale_after)
                })?
            }
        };
        let rounded: ArrayRef = Arc::new(rounded.with_precision_and_scale(*precision, *scale_after)?);
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&rounded, 0)?),
            false => ColumnarValue::Array(rounded),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
