//! Division of two numbers as a DOUBLE, or cut to a whole number. By zero it fails, unless an operand is a DOUBLE.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, PrimitiveArray, Scalar};
use arrow::compute::kernels::arity::try_binary;
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Decimal128Type, Float64Type, Int64Type};
use arrow::error::ArrowError;

type Outcome<T> = Result<T, ArrowError>;

/// Operands of one kind.
enum Operands {
    Doubles(ArrayRef, ArrayRef),
    Integers(ArrayRef, ArrayRef),
    /// Brought to the same number of decimals by these factors, so that their quotient is that of the numbers.
    Decimals(ArrayRef, ArrayRef, i128, i128),
}

/// `left / right` as DOUBLE.
pub(super) fn divide(left: &dyn Datum, right: &dyn Datum) -> Outcome<ArrayRef> {
    let (scalars, operands) = operands(left, right)?;
    match operands {
        Operands::Doubles(left, right) => with_datums(&left, &right, scalars, |left, right| numeric::div(left, right)),
        Operands::Integers(left, right) => {
            let divide = |left: i64, right: i64| match right {
                0 => Err(ArrowError::DivideByZero),
                _ => Ok(left as f64 / right as f64),
            };
            apply_each::<Int64Type, Float64Type>(&left, &right, scalars, divide)
        }
        Operands::Decimals(left, right, left_factor, right_factor) => {
            let divide = |left: i128, right: i128| match right {
                0 => Err(ArrowError::DivideByZero),
                _ => Ok(scaled(left, left_factor) / scaled(right, right_factor)),
            };
            apply_each::<Decimal128Type, Float64Type>(&left, &right, scalars, divide)
        }
    }
}

/// `left / right` without its fraction: BIGINT, or DOUBLE when an operand is one.
pub(super) fn divide_whole(left: &dyn Datum, right: &dyn Datum) -> Outcome<ArrayRef> {
    let (scalars, operands) = operands(left, right)?;
    match operands {
        Operands::Doubles(left, right) => {
            let quotient = with_datums(&left, &right, scalars, |left, right| numeric::div(left, right))?;
            Ok(Arc::new(quotient.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::trunc)))
        }
        Operands::Integers(left, right) => with_datums(&left, &right, scalars, |left, right| numeric::div(left, right)),
        Operands::Decimals(left, right, left_factor, right_factor) => {
            let beyond = || ArrowError::ArithmeticOverflow("a whole quotient beyond 64 bits".to_owned());
            let divide = |left: i128, right: i128| {
                let left = left.checked_mul(left_factor).ok_or_else(beyond)?;
                let right = right.checked_mul(right_factor).ok_or_else(beyond)?;
                let quotient = left.checked_div(right).ok_or(ArrowError::DivideByZero)?;
                i64::try_from(quotient).map_err(|_| beyond())
            };
            apply_each::<Decimal128Type, Int64Type>(&left, &right, scalars, divide)
        }
    }
}

/// Multiplied exactly where 128 bits hold it.
fn scaled(value: i128, factor: i128) -> f64 {
    match value.checked_mul(factor) {
        Some(product) => to_double(product),
        None => to_double(value) * factor as f64,
    }
}

/// Most values fit in 64 bits, which the processor converts itself.
pub(super) fn to_double(value: i128) -> f64 {
    match i64::try_from(value) {
        Ok(small) => small as f64,
        Err(_) => value as f64,
    }
}

fn operands(left: &dyn Datum, right: &dyn Datum) -> Outcome<((bool, bool), Operands)> {
    let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |array: &dyn Array, to: &DataType| cast_with_options(array, to, &strict);
    let is_double = |array: &dyn Array| array.data_type().is_floating();
    let scale_of = |array: &dyn Array| match array.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    };
    let integers = [left, right].into_iter().all(|array| matches!(array.data_type(), DataType::Int64));
    let operands = if is_double(left) || is_double(right) {
        Operands::Doubles(cast(left, &DataType::Float64)?, cast(right, &DataType::Float64)?)
    } else if integers {
        Operands::Integers(cast(left, &DataType::Int64)?, cast(right, &DataType::Int64)?)
    } else {
        let (left_scale, right_scale) = (scale_of(left), scale_of(right));
        let decimals = |array: &dyn Array| match array.data_type() {
            DataType::Decimal128(..) => Ok(arrow::array::make_array(array.to_data())),
            _ => cast(array, &DataType::Decimal128(19, 0)),
        };
        let shift = i32::from(right_scale) - i32::from(left_scale);
        let factor = |places: i32| 10_i128.checked_pow(places.max(0).unsigned_abs()).unwrap_or(i128::MAX);
        Operands::Decimals(decimals(left)?, decimals(right)?, factor(shift), factor(-shift))
    };
    Ok(((left_is_scalar, right_is_scalar), operands))
}

/// Calls a kernel with the operands as what they were: one value for all rows, or a column.
fn with_datums(
    left: &ArrayRef,
    right: &ArrayRef,
    (left_is_scalar, right_is_scalar): (bool, bool),
    kernel: impl Fn(&dyn Datum, &dyn Datum) -> Outcome<ArrayRef>,
) -> Outcome<ArrayRef> {
    match (left_is_scalar, right_is_scalar) {
        (true, true) => kernel(&Scalar::new(Arc::clone(left)), &Scalar::new(Arc::clone(right))),
        (true, false) => kernel(&Scalar::new(Arc::clone(left)), right),
        (false, true) => kernel(left, &Scalar::new(Arc::clone(right))),
        (false, false) => kernel(left, right),
    }
}

/// Rows where both operands are there.
fn apply_each<T, R>(
    left: &ArrayRef,
    right: &ArrayRef,
    scalars: (bool, bool),
    divide: impl Fn(T::Native, T::Native) -> Outcome<R::Native>,
) -> Outcome<ArrayRef>
where
    T: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
{
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let one = |array: &PrimitiveArray<T>| (array.null_count() == 0).then(|| array.value(0));
    let divided: PrimitiveArray<R> = match scalars {
        (false, false) | (true, true) => try_binary(left, right, divide)?,
        (true, false) => match one(left) {
            Some(left) => right.try_unary(|right| divide(left, right))?,
            None => PrimitiveArray::new_null(right.len()),
        },
        (false, true) => match one(right) {
            Some(right) => left.try_unary(|left| divide(left, right))?,
            None => PrimitiveArray::new_null(left.len()),
        },
    };
    Ok(Arc::new(divided))
}
