//! Casts of numbers to fewer digits: half away from zero, as Postgres rounds decimals, and never in silence too large.
//!
//! DataFusion 55.2 cuts the digits, and its optimizer moves such a cast from a column onto the constant beside it
//! (apache/datafusion#22142): `CAST(net AS INT) = 10` found only what is 10 to the last digit. A call stays where it is.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::operands::sql_name;
use crate::error::Error;

/// Whether a cast of one type of numbers to another may drop digits.
pub(in crate::query) fn loses_digits(from: &DataType, to: &DataType) -> bool {
    let (from_scale, to_scale) = (decimals_of(from), decimals_of(to));
    match (from_scale, to_scale) {
        (Some(from_scale), Some(to_scale)) => from_scale > to_scale,
        // A DOUBLE has any number of decimals.
        (None, Some(_)) => from.is_floating(),
        _ => false,
    }
}

/// Decimals of an exact type of numbers.
fn decimals_of(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        other if other.is_integer() => Some(0),
        _ => None,
    }
}

/// The cast as a call; with `or_null` what does not fit is NULL.
pub(in crate::query) fn round_cast(operand: Expr, to: &DataType, or_null: bool) -> DfResult<Expr> {
    // The type is the second argument's: a name or a field of the function would not reach another process.
    let target = lit(ScalarValue::try_from(to)?);
    Ok(FUNCTIONS[usize::from(or_null)].call(vec![operand, target]))
}

/// The call of a cast under a name of its own, for conditions: as a key of a join it is a column beside the one that is
/// cast. `None` for another call, and for one that is so already.
pub(in crate::query) fn as_key(call: &ScalarFunction) -> Option<Expr> {
    let cast = call.func.inner().downcast_ref::<RoundCast>().filter(|cast| !cast.is_key)?;
    Some(KEYS[usize::from(cast.or_null)].call(call.args.clone()))
}

static FUNCTIONS: LazyLock<[Arc<ScalarUDF>; 2]> =
    LazyLock::new(|| [false, true].map(|or_null| Arc::new(ScalarUDF::from(RoundCast::new(or_null, false)))));

static KEYS: LazyLock<[Arc<ScalarUDF>; 2]> =
    LazyLock::new(|| [false, true].map(|or_null| Arc::new(ScalarUDF::from(RoundCast::new(or_null, true)))));

pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    FUNCTIONS.clone()
}

/// `round_cast(x, a NULL of the type)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct RoundCast {
    or_null: bool,
    /// Whether its name tells it from what is cast.
    is_key: bool,
    signature: Signature,
}

impl RoundCast {
    fn new(or_null: bool, is_key: bool) -> Self {
        Self { or_null, is_key, signature: Signature::any(2, Volatility::Immutable) }
    }

    /// Whether a value that does not fit fails.
    pub(in crate::query) fn can_fail(&self) -> bool {
        !self.or_null
    }
}

impl ScalarUDFImpl for RoundCast {
    fn name(&self) -> &str {
        if self.or_null { "try_round_cast" } else { "round_cast" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Named as DataFusion names a cast: by what is cast.
    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let operand = arguments.first().map(|operand| operand.schema_name().to_string()).unwrap_or_default();
        Ok(match arguments.get(1) {
            Some(Expr::Literal(target, _)) if self.is_key => {
                format!("{}({operand},{})", self.name(), target.data_type())
            }
            _ => operand,
        })
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        let target = types.get(1).cloned();
        Ok(target.ok_or_else(|| Error::internal("a cast without its type"))?)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = self.or_null || arguments.arg_fields.first().is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, inputs: &[&Interval]) -> DfResult<Interval> {
        let target = inputs.get(1).ok_or_else(|| Error::internal("a cast without its type"))?;
        Interval::make_unbounded(&target.data_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let target = arguments.return_field.data_type();
        let operand = arguments.args.first().ok_or_else(|| Error::internal("a cast without a value"))?;
        let column = operand.to_array(1)?;
        let cast = self.cast(&column, target)?;
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(cast),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?),
        })
    }
}

impl RoundCast {
    fn cast(&self, column: &ArrayRef, target: &DataType) -> DfResult<ArrayRef> {
        let options = CastOptions { safe: self.or_null, ..CastOptions::default() };
        let from = column.data_type();
        let cast = |column: &dyn Array, to: &DataType| {
            cast_with_options(column, to, &options).map_err(|error| {
                Error::invalid(format!(
                    "a value of type {} is beyond {}: cast to a wider type, or write TRY_CAST to get NULL instead",
                    sql_name(from),
                    sql_name(target)
                ))
                .with_source(error)
            })
        };
        let rounded: ArrayRef = if !target.is_integer() {
            // Arrow rounds half away from zero where it makes decimals.
            return Ok(cast(column, target)?);
        } else if let Some(doubles) = column.as_primitive_opt::<Float64Type>() {
            Arc::new(doubles.unary::<_, Float64Type>(f64::round))
        } else if let Some(reals) = column.as_primitive_opt::<Float32Type>() {
            Arc::new(reals.unary::<_, Float32Type>(f32::round))
        } else {
            cast(column, &DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0))?
        };
        Ok(cast(&rounded, target)?)
    }
}
