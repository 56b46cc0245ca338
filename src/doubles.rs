//! DOUBLE and REAL as the program holds them: there is one zero and one NaN. A column that comes from outside, or out
//! of a computation, loses its -0 and its other NaNs here, so that whoever compares, sorts or hashes bits need not
//! ask.
//!
//! Must not know where a column comes from.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeListArray, GenericListArray, OffsetSizeTrait,
    PrimitiveArray, StructArray,
};
use arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type};
use arrow::error::ArrowError;

/// Whether values of the type are such numbers, or lists or structs that hold some.
pub fn holds_doubles(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float32 | DataType::Float64 => true,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            holds_doubles(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().any(|field| holds_doubles(field.data_type())),
        _ => false,
    }
}

/// The column with 0 for each -0, and the one NaN for each NaN; itself where it holds neither.
///
/// # Errors
/// None that a column of these types can bring about.
pub fn one_zero(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Float64 => {
            let is_meant = |value: f64| value.is_nan() | (value.to_bits() == (-0.0_f64).to_bits());
            Ok(replace(column, column.as_primitive::<Float64Type>(), is_meant, one_zero_double))
        }
        DataType::Float32 => {
            let is_meant = |value: f32| value.is_nan() | (value.to_bits() == (-0.0_f32).to_bits());
            let unify = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            Ok(replace(column, column.as_primitive::<Float32Type>(), is_meant, unify))
        }
        nested if !holds_doubles(nested) => Ok(Arc::clone(column)),
        DataType::List(field) => within_list(column, column.as_list::<i32>(), field),
        DataType::LargeList(field) => within_list(column, column.as_list::<i64>(), field),
        DataType::FixedSizeList(field, size) => {
            let list = column.as_fixed_size_list();
            let values = one_zero(list.values())?;
            if Arc::ptr_eq(&values, list.values()) {
                return Ok(Arc::clone(column));
            }
            let nulls = list.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(field), *size, values, nulls)?))
        }
        DataType::Struct(fields) => {
            let record = column.as_struct();
            let columns = record.columns().iter().map(one_zero).collect::<Result<Vec<_>, _>>()?;
            if columns.iter().zip(record.columns()).all(|(new, old)| Arc::ptr_eq(new, old)) {
                return Ok(Arc::clone(column));
            }
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, record.nulls().cloned())?))
        }
        _ => Ok(Arc::clone(column)),
    }
}

/// The number, but 0 for -0, and the one NaN for each NaN.
#[inline]
pub fn one_zero_double(value: f64) -> f64 {
    // -0 + 0 is 0.
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

/// Looks first, without a branch for each value: most columns stay what they are.
fn replace<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    numbers: &PrimitiveArray<T>,
    is_meant: impl Fn(T::Native) -> bool,
    unify: impl Fn(T::Native) -> T::Native,
) -> ArrayRef {
    match numbers.values().iter().fold(false, |found, value| found | is_meant(*value)) {
        true => Arc::new(numbers.unary::<_, T>(unify)),
        false => Arc::clone(column),
    }
}

fn within_list<O: OffsetSizeTrait>(
    column: &ArrayRef,
    list: &GenericListArray<O>,
    field: &FieldRef,
) -> Result<ArrayRef, ArrowError> {
    let values = one_zero(list.values())?;
    if Arc::ptr_eq(&values, list.values()) {
        return Ok(Arc::clone(column));
    }
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Ok(Arc::new(GenericListArray::try_new(Arc::clone(field), offsets, values, nulls)?))
}

#[cfg(test)]
mod tests;
