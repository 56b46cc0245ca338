//! `date_trunc` as DataFusion has it, without a calendar where none is needed, and beyond the nanoseconds of 64 bits, which
//! end in 2262: a day or a text is one of microseconds, and times that lie farther off are cut here.
//!
//! DataFusion takes each UTC instant apart by the rules of a time zone, 50 ns a row. UTC has no rules: its wall time is
//! the instant, and the function's own short way for times without a zone gives the same.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, NaiveTime};
use datafusion::common::types::{NativeType, logical_date, logical_string};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    Coercion, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, Signature, TypeSignature,
    TypeSignatureClass,
};

use super::numbers::has_length;
use super::variation::Variation;
use crate::error::Error;
use crate::query::zone::UTC;

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateTrunc {
    original: Arc<ScalarUDF>,
    signature: Signature,
}

impl DateTrunc {
    pub(super) fn new() -> Self {
        let text = || Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        let read = vec![TypeSignatureClass::Native(logical_string()), TypeSignatureClass::Native(logical_date())];
        let microseconds = NativeType::Timestamp(TimeUnit::Microsecond, None);
        let times = [
            Coercion::new_implicit(TypeSignatureClass::Timestamp, read, microseconds),
            Coercion::new_exact(TypeSignatureClass::Time),
            // Refused where their field is known, with what to write.
            Coercion::new_exact(TypeSignatureClass::Interval),
            Coercion::new_exact(TypeSignatureClass::Duration),
        ];
        let taken = times.map(|time| TypeSignature::Coercible(vec![text(), time])).to_vec();
        let original = datafusion::functions::datetime::date_trunc();
        let signature = Signature::one_of(taken, original.signature().volatility);
        Self { original, signature }
    }
}

impl Variation for DateTrunc {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        if arguments.arg_fields.get(1).is_some_and(|given| has_length(given.data_type())) {
            return Err(Error::invalid(
                "date_trunc cuts times, not lengths of time: write INTERVAL '1 hour' * trunc(extract(epoch FROM a - b) / 3600) \
                 for whole hours, and extract(hour FROM a - b) for the part",
            )
            .into());
        }
        self.original.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [unit, times] = arguments.args.as_slice()
            && let Some(unit) = unit_of(unit)
        {
            if let ColumnarValue::Scalar(time) = times
                && let Some(truncated) = truncate_fraction(time, unit)
            {
                return Ok(ColumnarValue::Scalar(truncated));
            }
            if is_far(times)? {
                return truncate_far(times, unit);
            }
        }
        let argument = arguments.args.get_mut(1).and_then(|value| Some((utc_instants(value)?, value)));
        let Some((instants, argument)) = argument else { return self.original.invoke_with_args(arguments) };
        *argument = ColumnarValue::Array(in_zone(&instants, None));
        match self.original.invoke_with_args(arguments)? {
            ColumnarValue::Array(truncated) => Ok(ColumnarValue::Array(in_zone(&truncated, Some("UTC")))),
            scalar => Ok(scalar),
        }
    }
}

/// Pieces of time, where the clock has no rules.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Microseconds(i64),
    Week,
    Months(u32),
}

/// `None` for what DataFusion refuses or does itself.
fn unit_of(name: &ColumnarValue) -> Option<Unit> {
    let ColumnarValue::Scalar(name) = name else { return None };
    Some(match name.try_as_str().flatten()?.to_ascii_lowercase().as_str() {
        "microsecond" => Unit::Microseconds(1),
        "millisecond" => Unit::Microseconds(1_000),
        "second" => Unit::Microseconds(1_000_000),
        "minute" => Unit::Microseconds(60_000_000),
        "hour" => Unit::Microseconds(3_600_000_000),
        "day" => Unit::Microseconds(MICROSECONDS_OF_A_DAY),
        "week" => Unit::Week,
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        _ => return None,
    })
}

/// A single time cut to a second or a part of one, which all zones have in common. DataFusion 55.2 cuts the fraction of one
/// before 1970 to the next millisecond, and that of columns to the one before. `None` for other units and types.
fn truncate_fraction(time: &ScalarValue, unit: Unit) -> Option<ScalarValue> {
    let Unit::Microseconds(piece @ ..=1_000_000) = unit else { return None };
    let begin = |time: i64, piece: i64| time.checked_sub(time.rem_euclid(piece));
    match time {
        ScalarValue::TimestampMicrosecond(Some(time), zone) => {
            Some(ScalarValue::TimestampMicrosecond(Some(begin(*time, piece)?), zone.clone()))
        }
        ScalarValue::TimestampNanosecond(Some(time), zone) => {
            Some(ScalarValue::TimestampNanosecond(Some(begin(*time, piece * 1_000)?), zone.clone()))
        }
        _ => None,
    }
}

/// Whether one of the times is beyond the nanoseconds of 64 bits, which DataFusion makes of it.
fn is_far(times: &ColumnarValue) -> Result<bool> {
    match times.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, zone) if zone.as_deref().is_none_or(|zone| zone == UTC) => {}
        _ => return Ok(false),
    }
    let far = |time: i64| time.checked_mul(1_000).is_none();
    Ok(match times {
        ColumnarValue::Scalar(ScalarValue::TimestampMicrosecond(time, _)) => time.is_some_and(far),
        ColumnarValue::Scalar(_) => false,
        ColumnarValue::Array(times) => times.as_primitive::<TimestampMicrosecondType>().iter().flatten().any(far),
    })
}

fn truncate_far(times: &ColumnarValue, unit: Unit) -> Result<ColumnarValue> {
    let truncate_one = |time: i64| {
        let refusal = || Error::invalid("date_trunc of a time outside of what timestamps can hold");
        truncate(time, unit).ok_or_else(|| DataFusionError::from(refusal()))
    };
    Ok(match times {
        ColumnarValue::Scalar(ScalarValue::TimestampMicrosecond(time, zone)) => {
            let time = time.map(truncate_one).transpose()?;
            ColumnarValue::Scalar(ScalarValue::TimestampMicrosecond(time, zone.clone()))
        }
        ColumnarValue::Scalar(other) => ColumnarValue::Scalar(other.clone()),
        ColumnarValue::Array(times) => {
            let times = times.as_primitive::<TimestampMicrosecondType>();
            let zone = times.timezone().map(Arc::from);
            let cut: TimestampMicrosecondArray = times.try_unary(truncate_one)?;
            ColumnarValue::Array(Arc::new(cut.with_timezone_opt::<Arc<str>>(zone)))
        }
    })
}

/// The beginning of the piece that the microsecond lies in.
fn truncate(time: i64, unit: Unit) -> Option<i64> {
    let begin = |piece: i64| time.checked_sub(time.rem_euclid(piece));
    match unit {
        Unit::Microseconds(piece) => begin(piece),
        Unit::Week => {
            // 1970 began on a Thursday, weeks begin on Mondays.
            let day = time.div_euclid(MICROSECONDS_OF_A_DAY);
            (day - (day + 3).rem_euclid(7)).checked_mul(MICROSECONDS_OF_A_DAY)
        }
        Unit::Months(months) => {
            let day = DateTime::from_timestamp_micros(time)?.date_naive();
            let month = day.month0() / months * months;
            let first = day.with_day(1)?.with_month0(month)?;
            Some(first.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
        }
    }
}

fn utc_instants(value: &ColumnarValue) -> Option<ArrayRef> {
    match (value, value.data_type()) {
        (ColumnarValue::Array(array), DataType::Timestamp(TimeUnit::Microsecond, Some(zone)))
            if zone.as_ref() == "UTC" =>
        {
            Some(Arc::clone(array))
        }
        _ => None,
    }
}

/// The same numbers under another zone; microseconds stay as they are.
fn in_zone(array: &ArrayRef, zone: Option<&str>) -> ArrayRef {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Arc::new(instants.clone().with_timezone_opt(zone)),
        None => Arc::clone(array),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::config::ConfigOptions;

    use super::*;
    use crate::query::functions::vary;

    fn truncated(function: &ScalarUDF, unit: &str, instants: &ArrayRef) -> ArrayRef {
        let zoned = Arc::new(Field::new("ts", instants.data_type().clone(), true));
        let arguments = ScalarFunctionArgs {
            args: vec![
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(unit.to_owned()))),
                ColumnarValue::Array(Arc::clone(instants)),
            ],
            arg_fields: vec![Arc::new(Field::new("unit", DataType::Utf8, false)), Arc::clone(&zoned)],
            number_rows: instants.len(),
            return_field: zoned,
            config_options: Arc::new(ConfigOptions::new()),
        };
        function.invoke_with_args(arguments).unwrap().into_array(instants.len()).unwrap()
    }

    /// The oracle is DataFusion's own function, which walks the calendar.
    #[test]
    fn the_short_way_gives_what_the_calendar_gives() {
        let steps = (-3_000..3_000_i64).map(|step| (step % 97 != 0).then_some(step * 1_234_567_890_123 + step));
        let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter(steps).with_timezone("UTC"));
        let (ours, theirs) = (vary(DateTrunc::new()), datafusion::functions::datetime::date_trunc());
        for unit in
            ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]
        {
            assert_eq!(&truncated(&ours, unit, &instants), &truncated(&theirs, unit, &instants), "{unit}");
        }
    }
}
