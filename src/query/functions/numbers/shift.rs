//! `x << n` and `x >> n` of integers. DataFusion 55.2 takes n modulo 64 and drops the bits that leave the number:
//! `1 << 64` was 1, `128 >> 70` 2, `1 << 63` negative. Here what does not fit fails.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Left,
    Right,
}

/// The functions of both directions, one instance each for all plans.
pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    static FUNCTIONS: LazyLock<[Arc<ScalarUDF>; 2]> =
        LazyLock::new(|| [Direction::Left, Direction::Right].map(|way| Arc::new(ScalarUDF::from(Shift::new(way)))));
    FUNCTIONS.clone()
}

pub(super) fn shift(direction: Direction, value: Expr, bits: Expr) -> Expr {
    let [left, right] = functions();
    match direction {
        Direction::Left => left.call(vec![value, bits]),
        Direction::Right => right.call(vec![value, bits]),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    direction: Direction,
    signature: Signature,
}

impl Shift {
    fn new(direction: Direction) -> Self {
        let integers = vec![DataType::Int64, DataType::Int64];
        Self { direction, signature: Signature::exact(integers, Volatility::Immutable) }
    }

    fn of_number(&self, value: i64, bits: i64) -> Result<i64> {
        let moved = u32::try_from(bits).ok().filter(|bits| *bits < i64::BITS);
        let Some(moved) = moved else {
            return Err(Error::invalid(format!("a shift by {bits} bits is out of range: shift by 0 to 63")));
        };
        match self.direction {
            Direction::Right => Ok(value >> moved),
            Direction::Left => i64::try_from(i128::from(value) << moved).map_err(|_| {
                Error::invalid(format!(
                    "the result of {value} << {bits} is beyond BIGINT: write CAST(x AS DOUBLE) * 2 ^ n"
                ))
            }),
        }
    }
}

impl ScalarUDFImpl for Shift {
    fn name(&self) -> &str {
        match self.direction {
            Direction::Left => "shift_left",
            Direction::Right => "shift_right",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let sign = match self.direction {
            Direction::Left => " << ",
            Direction::Right => " >> ",
        };
        let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        Ok(names.join(sign))
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Int64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [values, bits] = &columns[..] else { return Err(Error::internal("a shift without two numbers").into()) };
        let (values, bits) = (values.as_primitive::<Int64Type>(), bits.as_primitive::<Int64Type>());
        let moved = values.iter().zip(bits).map(|pair| match pair {
            (Some(value), Some(bits)) => self.of_number(value, bits).map(Some),
            _ => Ok(None),
        });
        let moved: ArrayRef = Arc::new(moved.collect::<Result<Int64Array>>()?);
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&moved, 0)?),
            false => ColumnarValue::Array(moved),
        })
    }
}
