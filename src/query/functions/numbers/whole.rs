//! `ceil`, `floor` and `trunc`: whole numbers of the operand's kind. DataFusion 55.2 keeps a decimal's precision, so that
//! `ceil(0.5)` did not fit, and cuts decimals as DOUBLE, which holds 15 digits.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::operands::{Class, sql_name};
use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    Up,
    Down,
    TowardsZero,
}

impl Direction {
    /// The whole part of `value / one`.
    fn of_decimal(self, value: i128, one: i128) -> i128 {
        let (whole, rest) = (value / one, value % one);
        match self {
            Direction::Up if rest > 0 => whole + 1,
            Direction::Down if rest < 0 => whole - 1,
            _ => whole,
        }
    }
}

/// One of the three functions. `trunc(x, n)` is DataFusion's.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Whole {
    direction: Direction,
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl Whole {
    fn new(direction: Direction, inner: Arc<ScalarUDF>) -> Self {
        Self { direction, inner, signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub(super) fn ceil() -> Self {
        Self::new(Direction::Up, datafusion::functions::math::ceil())
    }

    pub(super) fn floor() -> Self {
        Self::new(Direction::Down, datafusion::functions::math::floor())
    }

    pub(super) fn trunc() -> Self {
        Self::new(Direction::TowardsZero, datafusion::functions::math::trunc())
    }
}

impl ScalarUDFImpl for Whole {
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
        match (class, types.len()) {
            (Some(class), 1) => Ok(vec![class.data_type()]),
            (Some(_), 2) if self.direction == Direction::TowardsZero => Ok(vec![DataType::Float64, DataType::Int64]),
            _ => {
                let given: Vec<String> = types.iter().map(sql_name).collect();
                Err(Error::invalid(format!("{}(number) was given {}", self.name(), given.join(", "))).into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        Ok(match types {
            [DataType::Decimal128(precision, scale)] => {
                let whole = i16::from(*precision) - i16::from(*scale) + 1;
                let whole = u8::try_from(whole.max(1)).unwrap_or(DECIMAL128_MAX_PRECISION);
                DataType::Decimal128(whole.min(DECIMAL128_MAX_PRECISION), 0)
            }
            [one] => one.clone(),
            _ => DataType::Float64,
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let [operand] = &arguments.args[..] else { return self.inner.invoke_with_args(arguments) };
        match operand.data_type() {
            DataType::Int64 => return Ok(operand.clone()),
            DataType::Decimal128(_, scale) if scale > 0 => {}
            _ => return self.inner.invoke_with_args(arguments),
        }
        let column = operand.to_array(1)?;
        let whole = self.of_column(&column, arguments.return_field.data_type())?;
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(whole),
            ColumnarValue::Scalar(_) => {
                ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&whole, 0)?)
            }
        })
    }
}

impl Whole {
    fn of_column(&self, column: &ArrayRef, target: &DataType) -> DfResult<ArrayRef> {
        let decimals = column.as_primitive::<Decimal128Type>();
        let one = 10_i128.pow(u32::from(decimals.scale().unsigned_abs()));
        let whole = decimals.unary::<_, Decimal128Type>(|value| self.direction.of_decimal(value, one));
        Ok(Arc::new(whole.with_data_type(target.clone())))
    }
}
