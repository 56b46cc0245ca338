//! A difference of instants as an INTERVAL: whole days and the time beyond them, as in Postgres and DuckDB. Arrow 59 makes
//! hours of all of it, so that beside an interval a difference had no days.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, IntervalMonthDayNanoArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationNanosecondType, Field, FieldRef, IntervalMonthDayNano, IntervalUnit,
};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::interval_length::LENGTH;
use crate::error::Error;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;
const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// The difference as an interval.
pub(in crate::query) fn days_and_time(difference: Expr) -> Expr {
    function().call(vec![difference])
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(DaysAndTime::new())));
    Arc::clone(&FUNCTION)
}

/// The days and the time of a number of microseconds, both of its sign.
pub(super) fn split(microseconds: i64) -> IntervalMonthDayNano {
    // Of 64 bits of microseconds, 107 million days are the most.
    let days = i32::try_from(microseconds / MICROSECONDS_OF_A_DAY).unwrap_or(i32::MAX);
    IntervalMonthDayNano::new(0, days, microseconds % MICROSECONDS_OF_A_DAY * 1_000)
}

fn split_nanoseconds(nanoseconds: i64) -> IntervalMonthDayNano {
    // Of 64 bits of nanoseconds, 106 thousand days are the most.
    let days = i32::try_from(nanoseconds / NANOSECONDS_OF_A_DAY).unwrap_or(i32::MAX);
    IntervalMonthDayNano::new(0, days, nanoseconds % NANOSECONDS_OF_A_DAY)
}

fn intervals_of(differences: &ArrayRef) -> DfResult<ArrayRef> {
    let intervals: IntervalMonthDayNanoArray = match differences.as_primitive_opt::<DurationNanosecondType>() {
        Some(nanoseconds) => nanoseconds.iter().map(|difference| difference.map(split_nanoseconds)).collect(),
        None => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let microseconds = cast_with_options(differences.as_ref(), &LENGTH, &strict)?;
            let microseconds = microseconds.as_primitive::<DurationMicrosecondType>();
            microseconds.iter().map(|difference| difference.map(split)).collect()
        }
    };
    Ok(Arc::new(intervals))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DaysAndTime {
    signature: Signature,
}

impl DaysAndTime {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DaysAndTime {
    fn name(&self) -> &str {
        "days_and_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [DataType::Duration(_)] => Ok(INTERVAL),
            _ => Err(Error::invalid("days_and_time(difference) takes a difference of two times").into()),
        }
    }

    /// NULL for NULL alone.
    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&INTERVAL)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let operand = arguments.args.first().ok_or_else(|| Error::internal("an interval of nothing"))?;
        let intervals = intervals_of(&operand.to_array(1)?)?;
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(intervals),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&intervals, 0)?),
        })
    }
}
