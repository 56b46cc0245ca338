//! What `sum` and `avg` make of an exact sum, and what they say where it does not fit their type.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, DurationMicrosecondArray, Float64Array, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::{Result as DfResult, ScalarValue};

use super::operands::{sql_name, wider_types};
use super::quotient::to_double;
use crate::error::Error;

/// What is made of a sum.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// The sum itself, in this type.
    Sum(DataType),
    /// The sum, which has so many decimals, by the number of values.
    Average(i8),
    /// The sum of lengths of time by their number, to the nearest microsecond as a length divided by a number is: a half
    /// goes to the even one, as in PostgreSQL.
    AverageLength,
}

impl Output {
    pub(super) fn is_average(&self) -> bool {
        matches!(self, Output::Average(_) | Output::AverageLength)
    }

    pub(super) fn beyond(&self) -> Error {
        let (name, result, wider) = match self {
            Output::Sum(DataType::Duration(_)) => {
                return Error::invalid(
                    "sum of lengths of time is beyond 292,000 years: add their seconds, sum(extract(epoch FROM x))",
                );
            }
            Output::Sum(data_type) => ("sum", sql_name(data_type), wider_types(data_type)),
            Output::Average(_) | Output::AverageLength => ("avg", "DECIMAL(38)".to_owned(), "DOUBLE".to_owned()),
        };
        Error::invalid(format!("{name} is beyond {result}: cast the values to {wider}"))
    }

    fn mean(scale: i8, sum: i128, count: u64) -> f64 {
        to_double(sum) / (count as f64 * 10_f64.powi(i32::from(scale)))
    }

    /// 64 bits hold the mean of values that they hold, but not every sum.
    fn whole(&self, sum: i128, count: u64) -> DfResult<i64> {
        let result = if self.is_average() { rounded_mean(sum, count) } else { sum };
        i64::try_from(result).map_err(|_| self.beyond().into())
    }

    /// The result of one group; NULL of no values.
    pub(super) fn scalar(&self, sum: i128, count: u64) -> DfResult<ScalarValue> {
        let sum = (count > 0).then_some(sum);
        let whole = || sum.map(|sum| self.whole(sum, count)).transpose();
        Ok(match self {
            Output::Sum(DataType::Decimal128(precision, scale)) => {
                if sum.is_some_and(|sum| !fits(sum, *precision)) {
                    return Err(self.beyond().into());
                }
                ScalarValue::Decimal128(sum, *precision, *scale)
            }
            Output::Sum(DataType::Duration(_)) | Output::AverageLength => ScalarValue::DurationMicrosecond(whole()?),
            Output::Sum(_) => ScalarValue::Int64(whole()?),
            Output::Average(scale) => ScalarValue::Float64(sum.map(|sum| Self::mean(*scale, sum, count))),
        })
    }

    /// The results of many groups.
    pub(super) fn column(&self, sums: Vec<i128>, counts: &[u64], nulls: Option<NullBuffer>) -> DfResult<ArrayRef> {
        Ok(match self {
            Output::Sum(data_type @ DataType::Decimal128(precision, _)) => {
                if sums.iter().any(|sum| !fits(*sum, *precision)) {
                    return Err(self.beyond().into());
                }
                let sums = PrimitiveArray::<Decimal128Type>::new(sums.into(), nulls);
                Arc::new(sums.with_data_type(data_type.clone()))
            }
            Output::Sum(data_type) => {
                let sums: Vec<i64> =
                    sums.into_iter().map(i64::try_from).collect::<Result<_, _>>().map_err(|_| self.beyond())?;
                match data_type {
                    DataType::Duration(_) => Arc::new(DurationMicrosecondArray::new(sums.into(), nulls)),
                    _ => Arc::new(PrimitiveArray::<Int64Type>::new(sums.into(), nulls)),
                }
            }
            Output::Average(scale) => {
                let means = sums.into_iter().zip(counts).map(|(sum, count)| Self::mean(*scale, sum, *count));
                Arc::new(Float64Array::new(means.collect::<Vec<f64>>().into(), nulls))
            }
            Output::AverageLength => {
                let means: Vec<i64> = sums
                    .into_iter()
                    .zip(counts)
                    .map(|(sum, count)| self.whole(sum, *count))
                    .collect::<DfResult<_>>()?;
                Arc::new(DurationMicrosecondArray::new(means.into(), nulls))
            }
        })
    }
}

/// Whether a decimal has no more digits than its type.
fn fits(sum: i128, precision: u8) -> bool {
    10_u128.checked_pow(u32::from(precision)).is_none_or(|above| sum.unsigned_abs() < above)
}

/// The nearest whole mean, of two the even one. 0 of no values, which are NULL.
pub(super) fn rounded_mean(sum: i128, count: u64) -> i128 {
    let count = i128::from(count.max(1));
    let (whole, rest) = (sum / count, sum % count);
    match (rest.abs() * 2).cmp(&count) {
        Ordering::Less => whole,
        Ordering::Equal if whole % 2 == 0 => whole,
        _ => whole + rest.signum(),
    }
}
