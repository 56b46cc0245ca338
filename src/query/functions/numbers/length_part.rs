//! `extract(part FROM length)`: years, months and days of an interval, and its hours, minutes and seconds below each other,
//! as in Postgres. A difference of instants is days and the time beyond them.
//!
//! DataFusion 55.2 gives a difference's whole length in each part, but for the days; of an interval it drops the fraction
//! of a second, and counts a year as 360 days where Postgres has 365.25.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Float64Array, Int32Array, Int64Array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Field, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::days_and_time::split;
use super::interval_length::LENGTH;
use crate::error::Error;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const SECONDS_OF_A_DAY: f64 = 86_400.0;
const DAYS_OF_A_YEAR: f64 = 365.25;
const DAYS_OF_A_MONTH: f64 = 30.0;

/// A part of a length of time, by the name that `date_part` knows.
///
/// # Errors
/// `InvalidInput` for what lengths do not have, such as a day of the week.
pub(in crate::query) fn length_part(part: &str, length: Expr) -> DfResult<Expr> {
    let part = Part::named(part)?;
    Ok(function().call(vec![lit(part.name()), length]))
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(LengthPart::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
}

impl Part {
    const ALL: [Part; 12] = [
        Part::Year,
        Part::Quarter,
        Part::Month,
        Part::Week,
        Part::Day,
        Part::Hour,
        Part::Minute,
        Part::Second,
        Part::Millisecond,
        Part::Microsecond,
        Part::Nanosecond,
        Part::Epoch,
    ];

    fn name(self) -> &'static str {
        match self {
            Part::Year => "year",
            Part::Quarter => "quarter",
            Part::Month => "month",
            Part::Week => "week",
            Part::Day => "day",
            Part::Hour => "hour",
            Part::Minute => "minute",
            Part::Second => "second",
            Part::Millisecond => "millisecond",
            Part::Microsecond => "microsecond",
            Part::Nanosecond => "nanosecond",
            Part::Epoch => "epoch",
        }
    }

    /// The names that DataFusion's `date_part` takes, in quotes or without.
    fn named(name: &str) -> DfResult<Self> {
        let written = name.trim_matches(['\'', '"']).to_ascii_lowercase();
        let one = match written.as_str() {
            "y" | "yr" | "yrs" => "year",
            "qtr" => "quarter",
            "mon" | "mons" => "month",
            "w" => "week",
            "d" => "day",
            "h" | "hr" | "hrs" => "hour",
            "m" | "min" | "mins" => "minute",
            "s" | "sec" | "secs" => "second",
            "ms" | "msec" | "msecs" | "msecond" | "mseconds" => "millisecond",
            "us" | "usec" | "usecs" | "usecond" | "useconds" => "microsecond",
            "nanosec" | "nanosecs" | "ns" => "nanosecond",
            other => other.strip_suffix('s').unwrap_or(other),
        };
        Self::ALL.into_iter().find(|part| part.name() == one).ok_or_else(|| {
            let all = Self::ALL.map(Part::name).join(", ");
            Error::invalid(format!("a length of time has no '{name}': its parts are {all}")).into()
        })
    }

    fn data_type(self) -> DataType {
        match self {
            Part::Epoch => DataType::Float64,
            Part::Nanosecond => DataType::Int64,
            _ => DataType::Int32,
        }
    }

    /// Of the parts that are whole numbers.
    fn of(self, length: IntervalMonthDayNano) -> i64 {
        let (months, days, nanoseconds) = (i64::from(length.months), i64::from(length.days), length.nanoseconds);
        match self {
            Part::Year => months / 12,
            Part::Quarter => months % 12 / 3 + 1,
            Part::Month => months % 12,
            Part::Week => days / 7,
            Part::Day => days,
            Part::Hour => nanoseconds / HOUR,
            Part::Minute => nanoseconds % HOUR / MINUTE,
            Part::Second | Part::Epoch => nanoseconds % MINUTE / SECOND,
            Part::Millisecond => nanoseconds % MINUTE / 1_000_000,
            Part::Microsecond => nanoseconds % MINUTE / 1_000,
            Part::Nanosecond => nanoseconds % MINUTE,
        }
    }
}

fn seconds_of(length: IntervalMonthDayNano) -> f64 {
    let (years, months) = (length.months / 12, length.months % 12);
    let days = f64::from(years) * DAYS_OF_A_YEAR + f64::from(months) * DAYS_OF_A_MONTH + f64::from(length.days);
    days * SECONDS_OF_A_DAY + length.nanoseconds as f64 / 1e9
}

fn of_column(part: Part, column: &ArrayRef) -> DfResult<ArrayRef> {
    let lengths: Box<dyn Iterator<Item = Option<IntervalMonthDayNano>> + '_> =
        if let Some(intervals) = column.as_primitive_opt::<IntervalMonthDayNanoType>() {
            Box::new(intervals.iter())
        } else {
            let differences = column.as_primitive::<DurationMicrosecondType>();
            if part == Part::Epoch {
                // In one division: the nearest number.
                return Ok(Arc::new(differences.unary::<_, arrow::datatypes::Float64Type>(|all| all as f64 / 1e6)));
            }
            Box::new(differences.iter().map(|difference| difference.map(split)))
        };
    Ok(match part {
        Part::Epoch => Arc::new(lengths.map(|length| length.map(seconds_of)).collect::<Float64Array>()),
        Part::Nanosecond => {
            Arc::new(lengths.map(|length| length.map(|length| part.of(length))).collect::<Int64Array>())
        }
        // Days are of 32 bits, and all else is less.
        _ => Arc::new(
            lengths.map(|length| length.and_then(|length| i32::try_from(part.of(length)).ok())).collect::<Int32Array>(),
        ),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LengthPart {
    signature: Signature,
}

impl LengthPart {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for LengthPart {
    fn name(&self) -> &str {
        "length_part"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        match types {
            [_, DataType::Duration(_)] => Ok(vec![DataType::Utf8, LENGTH]),
            [_, DataType::Interval(_)] => Ok(vec![DataType::Utf8, DataType::Interval(IntervalUnit::MonthDayNano)]),
            _ => Err(Error::invalid("length_part(part, length of time) was given something else").into()),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Err(Error::internal("the part says the type").into())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let part = arguments.scalar_arguments.first().copied().flatten().and_then(|part| part.try_as_str().flatten());
        let part = Part::named(part.ok_or_else(|| Error::invalid("the part of a length of time is a literal text"))?)?;
        let nullable = arguments.arg_fields.get(1).is_none_or(|length| length.is_nullable());
        Ok(Arc::new(Field::new(self.name(), part.data_type(), nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let [ColumnarValue::Scalar(part), length] = &arguments.args[..] else {
            return Err(Error::internal("a part of one length").into());
        };
        let part = Part::named(part.try_as_str().flatten().unwrap_or_default())?;
        let column = length.to_array(1)?;
        let parts = match column.data_type() {
            DataType::Interval(IntervalUnit::MonthDayNano) => of_column(part, &column)?,
            _ => {
                let strict = CastOptions { safe: false, ..CastOptions::default() };
                of_column(part, &cast_with_options(column.as_ref(), &LENGTH, &strict)?)?
            }
        };
        Ok(match length {
            ColumnarValue::Array(_) => ColumnarValue::Array(parts),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&parts, 0)?),
        })
    }
}
