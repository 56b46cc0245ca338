//! Types of numbers: what two operands are brought to, and what comes of them.

use arrow::datatypes::DataType;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE};
use datafusion::common::Result as DfResult;

use crate::error::Error;

/// Whether values of the type can be added and multiplied.
pub(in crate::query) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// What an operand counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    /// Precision and scale.
    Decimal(u8, i8),
    Float32,
    Float64,
}

impl Class {
    /// `None` for what is no number; a NULL without a type is an integer.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Class::Integer,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => Class::Decimal(*precision, *scale),
            DataType::Float32 => Class::Float32,
            DataType::Float16 | DataType::Float64 => Class::Float64,
            other if other.is_integer() => Class::Integer,
            _ => return None,
        })
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Class::Float32 | Class::Float64)
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            Class::Integer => DataType::Int64,
            Class::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Class::Float32 => DataType::Float32,
            Class::Float64 => DataType::Float64,
        }
    }
}

/// The type as which both operands of `+ - * %` are computed: one of equal class, decimals each with their own digits.
pub(super) fn common_types(left: &DataType, right: &DataType) -> Option<(DataType, DataType)> {
    let (left_class, right_class) = (Class::of(left)?, Class::of(right)?);
    Some(match (left_class, right_class) {
        (Class::Integer, Class::Integer) => (DataType::Int64, DataType::Int64),
        (Class::Float32, Class::Float32) => (DataType::Float32, DataType::Float32),
        (left_class, right_class) if left_class.is_float() || right_class.is_float() => {
            (DataType::Float64, DataType::Float64)
        }
        // A NULL, or a parameter without a type, is taken for what stands beside it.
        _ if left.is_null() => (right_class.data_type(), right_class.data_type()),
        _ if right.is_null() => (left_class.data_type(), left_class.data_type()),
        _ => (as_decimal(left, left_class), as_decimal(right, right_class)),
    })
}

fn as_decimal(data_type: &DataType, class: Class) -> DataType {
    match class {
        Class::Decimal(..) => class.data_type(),
        _ => DataType::Decimal128(digits(data_type), 0),
    }
}

/// Digits of the largest integer of a type.
fn digits(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::UInt64 => 20,
        _ => 19,
    }
}

/// The digits that the exact result of an operation needs, as Arrow's kernels give it; beyond 38 it may not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) precision: u16,
    pub(super) scale: i8,
}

impl Needed {
    pub(super) fn data_type(self) -> DataType {
        let precision = u8::try_from(self.precision).unwrap_or(u8::MAX).min(DECIMAL128_MAX_PRECISION);
        DataType::Decimal128(precision, self.scale)
    }

    /// Whether a result may have more digits than its type.
    pub(super) fn may_overflow(self) -> bool {
        self.precision > u16::from(DECIMAL128_MAX_PRECISION)
    }
}

/// Digits of a sum or difference.
pub(super) fn of_sum((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> Needed {
    let scale = s1.max(s2);
    let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
    Needed { precision: u16::try_from(i16::from(scale) + whole + 1).unwrap_or(1), scale }
}

/// Digits of a remainder.
pub(super) fn of_remainder((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> Needed {
    let scale = s1.max(s2);
    let whole = (i16::from(p1) - i16::from(s1)).min(i16::from(p2) - i16::from(s2));
    Needed { precision: u16::try_from(i16::from(scale) + whole).unwrap_or(1), scale }
}

/// Digits of a product.
///
/// # Errors
/// `InvalidInput` when it has more decimals than a DECIMAL can have.
pub(super) fn of_product((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DfResult<Needed> {
    let scale = s1.saturating_add(s2);
    if scale > DECIMAL128_MAX_SCALE {
        return Err(Error::invalid(format!(
            "the product of DECIMAL({p1},{s1}) and DECIMAL({p2},{s2}) has {scale} decimals, more than 38: cast an operand \
             to fewer decimals, or to DOUBLE"
        ))
        .into());
    }
    Ok(Needed { precision: u16::from(p1) + u16::from(p2) + 1, scale })
}

/// What to cast the operands of a result to that is beyond `result`.
pub(super) fn wider_types(result: &DataType) -> String {
    match result {
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0) => "DOUBLE".to_owned(),
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, _) => "a DECIMAL of fewer decimals, or to DOUBLE".to_owned(),
        DataType::Decimal128(_, scale) => format!("DECIMAL({DECIMAL128_MAX_PRECISION},{scale}) or to DOUBLE"),
        _ => "DECIMAL(38,0) or to DOUBLE".to_owned(),
    }
}

/// A type as a user writes it.
pub(in crate::query) fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::UInt8 => "TINYINT UNSIGNED".into(),
        DataType::UInt16 => "SMALLINT UNSIGNED".into(),
        DataType::UInt32 => "INT UNSIGNED".into(),
        DataType::UInt64 => "BIGINT UNSIGNED".into(),
        DataType::Float32 => "REAL".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "TEXT".into(),
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Timestamp(..) => "TIMESTAMP".into(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("DECIMAL({precision},{scale})"),
        other => other.to_string(),
    }
}
