//! `interval * number` and `interval / number`, and those of a difference of instants, which DataFusion 55.2 refuses.
//!
//! As PostgreSQL scales: months, days and the rest each on its own; a fraction of a month is days, thirty to the month,
//! and a fraction of a day is time. The result is rounded to microseconds, a half to the even one. Integers and decimals
//! scale exactly.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, DurationMicrosecondArray, IntervalMonthDayNanoArray};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, FieldRef, Float64Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::interval_length::{LENGTH, has_length};
use super::length_factor::Factor;
use super::operands::{Class, sql_name};
use crate::error::Error;

/// The product of a length and a number, in either order, or the length divided by the number.
pub(super) fn scale_length(left: Expr, right: Expr, divides: bool) -> Expr {
    let [product, quotient] = functions();
    let function = if divides { quotient } else { product };
    function.call(vec![left, right])
}

pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    static FUNCTIONS: LazyLock<[Arc<ScalarUDF>; 2]> =
        LazyLock::new(|| [false, true].map(|divides| Arc::new(ScalarUDF::from(ScaleLength::new(divides)))));
    FUNCTIONS.clone()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ScaleLength {
    divides: bool,
    signature: Signature,
}

impl ScaleLength {
    fn new(divides: bool) -> Self {
        Self { divides, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn sign(&self) -> &'static str {
        if self.divides { "/" } else { "*" }
    }

    fn refusal(&self, types: &[DataType]) -> Error {
        let given: Vec<String> = types.iter().map(sql_name).collect();
        let form = if self.divides { "a length of time / a number" } else { "a length of time * a number" };
        Error::invalid(format!("{} is {form}, not one of {}", self.sign(), given.join(" and ")))
    }

    /// The factor of each row, by which it is multiplied.
    fn factors(&self, numbers: &ArrayRef) -> DfResult<Vec<Option<Factor>>> {
        let factor = |value: i128, scale: u32| match self.divides {
            true => Factor::divide_by(value, scale),
            false => Some(Factor::multiply_by(value, scale)),
        };
        let by_zero = || Error::invalid("division by zero in /: write nullif(divisor, 0) to get NULL instead");
        let exact = |value: Option<i128>, scale: u32| {
            value.map(|value| factor(value, scale).ok_or_else(|| by_zero().into())).transpose()
        };
        match numbers.data_type() {
            DataType::Int64 => {
                numbers.as_primitive::<Int64Type>().iter().map(|value| exact(value.map(i128::from), 0)).collect()
            }
            DataType::Decimal128(_, scale) => {
                let scale = u32::from(scale.unsigned_abs());
                numbers.as_primitive::<Decimal128Type>().iter().map(|value| exact(value, scale)).collect()
            }
            _ => {
                let double = |value: Option<f64>| match value {
                    Some(0.0) if self.divides => Err(by_zero().into()),
                    value => Ok(value.map(|value| Factor::Double { value, divides: self.divides })),
                };
                numbers.as_primitive::<Float64Type>().iter().map(double).collect()
            }
        }
    }

    fn scale(&self, lengths: &ArrayRef, numbers: &ArrayRef) -> DfResult<ArrayRef> {
        let factors = self.factors(numbers)?;
        if let Some(lengths) = lengths.as_primitive_opt::<DurationMicrosecondType>() {
            let beyond = || Error::invalid(format!("the result of {} is longer than 292,000 years", self.sign()));
            let scaled = lengths.iter().zip(factors).map(|(length, factor)| {
                let (Some(length), Some(factor)) = (length, factor) else { return Ok(None) };
                factor.scale(length).map(Some).ok_or_else(beyond)
            });
            return Ok(Arc::new(scaled.collect::<Result<DurationMicrosecondArray, Error>>()?));
        }
        let beyond = || {
            Error::invalid(format!(
                "the result of {} is beyond INTERVAL, which holds 2,147,483,647 months, as many days and 2,562,047 \
                 hours: write a long interval in days or months, such as INTERVAL '1 day' * 200000",
                self.sign()
            ))
        };
        let intervals = lengths.as_primitive::<IntervalMonthDayNanoType>();
        let scaled = intervals.iter().zip(factors).map(|(interval, factor)| {
            let (Some(interval), Some(factor)) = (interval, factor) else { return Ok(None) };
            factor.scale_interval(interval).map(Some).ok_or_else(beyond)
        });
        Ok(Arc::new(scaled.collect::<Result<IntervalMonthDayNanoArray, Error>>()?))
    }
}

/// The type as which a length is scaled; `None` for what is none.
fn length_type(given: &DataType) -> Option<DataType> {
    match given {
        DataType::Duration(_) => Some(LENGTH),
        DataType::Interval(_) => Some(DataType::Interval(IntervalUnit::MonthDayNano)),
        _ => None,
    }
}

fn number_type(given: &DataType) -> Option<DataType> {
    Some(match Class::of(given)? {
        Class::Decimal(_, scale) if scale < 0 => DataType::Float64,
        class if class.is_float() => DataType::Float64,
        _ if *given == DataType::UInt64 => DataType::Decimal128(20, 0),
        class => class.data_type(),
    })
}

impl ScalarUDFImpl for ScaleLength {
    fn name(&self) -> &str {
        if self.divides { "divide_length" } else { "multiply_length" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        Ok(names.join(&format!(" {} ", self.sign())))
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let coerced = match types {
            [length, number] if has_length(length) => length_type(length).zip(number_type(number)),
            [number, length] if !self.divides => number_type(number).zip(length_type(length)),
            _ => None,
        };
        coerced.map(|(left, right)| vec![left, right]).ok_or_else(|| self.refusal(types).into())
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        types.iter().find_map(length_type).ok_or_else(|| self.refusal(types).into())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let [left, right] = &arguments.args[..] else {
            return Err(Error::internal("a length is scaled by one number").into());
        };
        let (length, number) = if has_length(&left.data_type()) { (left, right) } else { (right, left) };
        if let (ColumnarValue::Scalar(length), ColumnarValue::Scalar(number)) = (length, number) {
            let scaled = self.scale(&length.to_array()?, &number.to_array()?)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&scaled, 0)?));
        }
        let rows = arguments.number_rows;
        Ok(ColumnarValue::Array(self.scale(&length.to_array(rows)?, &number.to_array(rows)?)?))
    }
}
