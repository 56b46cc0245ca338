//! Field columns with one value a row: text, times, decimals, types of events. Columns that are right already are
//! passed on as they are.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, PrimitiveArray, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use uuid::Uuid;

use super::super::coerce::{
    Reason, TimeParser, decimal_from_float, decimal_from_integer, decimal_from_text, quantity_from_float,
    quantity_from_integer, quantity_from_text, trimmed,
};
use super::super::draft::{MISSING_TIME, missing_event, unknown_kind};
use super::super::field::EventKind;
use super::rejects::Rejects;
use super::rendered::is_utf8;
use crate::error::{Error, Result};
use crate::ingest::input::{DECIMAL, QUANTITY};

/// Any column of single values as text. `prepare` trims a value or finds it empty.
pub fn text_array(name: &str, column: &ArrayRef, prepare: fn(&str) -> Option<&str>) -> Result<StringArray> {
    let texts = plain_text(name, column)?;
    if texts.iter().flatten().all(|text| prepare(text).is_some_and(|kept| kept.len() == text.len())) {
        return Ok(texts);
    }
    Ok(texts.iter().map(|text| text.and_then(prepare)).collect())
}

fn plain_text(name: &str, column: &ArrayRef) -> Result<StringArray> {
    match column.data_type() {
        DataType::Utf8 => Ok(column.as_string::<i32>().clone()),
        // Identifiers that passed through a program without nullable integers come as 123.0.
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let widened = cast(column, &DataType::Float64)?;
            let numbers = widened.as_primitive::<Float64Type>();
            Ok(numbers.iter().map(|number| number.map(|number| number.to_string())).collect())
        }
        DataType::FixedSizeBinary(16) => {
            let bytes = column.as_fixed_size_binary();
            let text = |bytes: &[u8]| Uuid::from_slice(bytes).ok().map(|uuid| uuid.to_string());
            Ok(bytes.iter().map(|bytes| bytes.and_then(text)).collect())
        }
        DataType::Binary if !is_utf8(column.as_binary()) => Err(unreadable(name, column.data_type(), "text")),
        other if other.is_nested() => Err(unreadable(name, other, "text")),
        other => {
            let texts = cast(column, &DataType::Utf8).map_err(|_| unreadable(name, other, "text"))?;
            Ok(texts.as_string::<i32>().clone())
        }
    }
}

/// A column whose type can never give the field's values.
pub fn unreadable(name: &str, actual: &DataType, wanted: &str) -> Error {
    Error::invalid(format!("column '{name}' is of type {actual}, which cannot be read as {wanted}"))
}

/// `ts`: instants in UTC, rows without one rejected. `is_utc`: the column's times are in UTC although it says no zone.
pub fn time_array(
    name: &str,
    column: &ArrayRef,
    is_utc: bool,
    parser: &TimeParser,
    rejects: &mut Rejects,
) -> Result<ArrayRef> {
    let local_micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let rows = Rows { name, rejects };
    let times: TimestampMicrosecondArray = match column.data_type() {
        DataType::Timestamp(_, zone) => {
            let micros = microseconds(column)?;
            match zone.is_some() || is_utc {
                true => rows.required(&micros, |time| parser.instant_of_utc_micros(time)),
                false => rows.required(&micros, |time| parser.instant_of_local_micros(time)),
            }
        }
        DataType::Date32 | DataType::Date64 => {
            let micros = cast(column, &local_micros)?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            rows.required(micros, |time| parser.instant_of_local_micros(time))
        }
        integer if integer.is_integer() => {
            let numbers = cast(column, &DataType::Int64)?;
            rows.required(numbers.as_primitive::<Int64Type>(), |number| parser.instant_of_integer(number))
        }
        DataType::Float32 | DataType::Float64 => {
            let numbers = cast(column, &DataType::Float64)?;
            rows.required(numbers.as_primitive::<Float64Type>(), |number| parser.instant_of_text(&number.to_string()))
        }
        other if other.is_nested() => return Err(unreadable(name, other, "a time")),
        _ => {
            let texts = text_array(name, column, trimmed)?;
            rows.collect((0..texts.len()).map(|row| match texts.is_valid(row) {
                true => parser.instant_of_text(texts.value(row)),
                false => Err(MISSING_TIME.to_owned()),
            }))
        }
    };
    Ok(Arc::new(times.with_timezone("UTC")))
}

/// A column of timestamps, digits beyond the microsecond cut: as in text, where the day and the second before 1970 stay what
/// they are, and not toward 1970. What is beyond 64 bits is as far as they go, which is in no year of events.
fn microseconds(column: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    if let Some(seconds) = column.as_primitive_opt::<TimestampSecondType>() {
        return Ok(seconds.unary(|seconds| seconds.saturating_mul(1_000_000)));
    }
    if let Some(milliseconds) = column.as_primitive_opt::<TimestampMillisecondType>() {
        return Ok(milliseconds.unary(|milliseconds| milliseconds.saturating_mul(1_000)));
    }
    if let Some(nanoseconds) = column.as_primitive_opt::<TimestampNanosecondType>() {
        return Ok(nanoseconds.unary(|nanoseconds| nanoseconds.div_euclid(1_000)));
    }
    let micros = column.as_primitive_opt::<TimestampMicrosecondType>();
    micros.cloned().ok_or_else(|| Error::internal("a timestamp of no unit"))
}

/// One column's rows on the way to a typed array; what fails is rejected.
struct Rows<'a> {
    name: &'a str,
    rejects: &'a mut Rejects,
}

impl Rows<'_> {
    fn collect<T: ArrowPrimitiveType>(
        self,
        values: impl Iterator<Item = Result<T::Native, Reason>>,
    ) -> PrimitiveArray<T> {
        values.enumerate().map(|(row, value)| self.rejects.keep(row, self.name, value)).collect()
    }

    /// Every row must have a value.
    fn required<S: ArrowPrimitiveType>(
        self,
        source: &PrimitiveArray<S>,
        read: impl Fn(S::Native) -> Result<i64, Reason>,
    ) -> TimestampMicrosecondArray {
        self.collect(source.iter().map(|value| value.map_or_else(|| Err(MISSING_TIME.to_owned()), &read)))
    }

    /// A row may lack a value.
    fn optional<S: ArrowPrimitiveType>(
        self,
        source: &PrimitiveArray<S>,
        read: impl Fn(S::Native) -> Result<i128, Reason>,
    ) -> Decimal128Array {
        let values = source.iter().enumerate();
        values.map(|(row, value)| self.rejects.keep(row, self.name, read(value?))).collect()
    }
}

/// How the numbers of a file become those of a column.
pub struct Numbers {
    data_type: DataType,
    from_text: fn(&str) -> Result<i128, Reason>,
    from_integer: fn(i128, i8) -> Result<i128, Reason>,
    from_float: fn(f64) -> Result<i128, Reason>,
}

/// Money.
pub static AMOUNTS: Numbers = Numbers {
    data_type: DECIMAL,
    from_text: decimal_from_text,
    from_integer: decimal_from_integer,
    from_float: decimal_from_float,
};

pub static QUANTITIES: Numbers = Numbers {
    data_type: QUANTITY,
    from_text: quantity_from_text,
    from_integer: quantity_from_integer,
    from_float: quantity_from_float,
};

/// Numbers from integers, floats, decimals of any scale and text.
pub fn decimal_array(name: &str, column: &ArrayRef, numbers: &Numbers, rejects: &mut Rejects) -> Result<ArrayRef> {
    let rows = Rows { name, rejects };
    let decimals = match column.data_type() {
        DataType::UInt64 => {
            let wide = cast(column, &DataType::Decimal128(20, 0))?;
            rows.optional(wide.as_primitive::<Decimal128Type>(), |units| (numbers.from_integer)(units, 0))
        }
        integer if integer.is_integer() => {
            let wide = cast(column, &DataType::Int64)?;
            rows.optional(wide.as_primitive::<Int64Type>(), |number| (numbers.from_integer)(i128::from(number), 0))
        }
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            let wide = cast(column, &DataType::Decimal128(38, *scale))?;
            rows.optional(wide.as_primitive::<Decimal128Type>(), |units| (numbers.from_integer)(units, *scale))
        }
        // By its own shortest text: widened to 64 bits, 0.1 would be 0.10000000149. And a cast to 38 digits makes NULL of
        // what has more.
        DataType::Float16 | DataType::Float32 | DataType::Decimal256(..) => {
            let texts = cast(column, &DataType::Utf8)?;
            text_decimals(texts.as_string::<i32>(), numbers, rows)
        }
        DataType::Float64 => rows.optional(column.as_primitive::<Float64Type>(), numbers.from_float),
        DataType::Utf8 | DataType::Binary => text_decimals(&text_array(name, column, trimmed)?, numbers, rows),
        other => return Err(unreadable(name, other, "a decimal number")),
    };
    Ok(Arc::new(decimals.with_data_type(numbers.data_type.clone())))
}

fn text_decimals(texts: &StringArray, numbers: &Numbers, rows: Rows<'_>) -> Decimal128Array {
    let values = texts.iter().enumerate();
    values.map(|(row, text)| rows.rejects.keep(row, rows.name, (numbers.from_text)(text?))).collect()
}

/// `type`: the default where there is none, unknown ones rejected.
pub fn kind_array(
    column: Option<(&str, &ArrayRef)>,
    default: EventKind,
    rows: usize,
    rejects: &mut Rejects,
) -> Result<StringArray> {
    let Some((name, column)) = column else {
        return Ok(StringArray::from_iter_values(std::iter::repeat_n(default.name(), rows)));
    };
    let texts = text_array(name, column, trimmed)?;
    for (row, text) in texts.iter().enumerate() {
        if let Some(text) = text.filter(|text| EventKind::from_name(text).is_none()) {
            let _ = rejects.keep::<()>(row, name, Err(unknown_kind(text, name)));
        }
    }
    if texts.null_count() == 0 {
        return Ok(texts);
    }
    Ok(StringArray::from_iter_values(texts.iter().map(|text| text.unwrap_or(default.name()))))
}

/// `event`: the default where an action has none; a track event without a name is rejected.
pub fn event_array(
    column: Option<(&str, &ArrayRef)>,
    default: Option<&str>,
    kinds: &StringArray,
    rejects: &mut Rejects,
) -> Result<ArrayRef> {
    let (name, texts) = match column {
        Some((name, column)) => (name, Some(text_array(name, column, trimmed)?)),
        None => ("event", None),
    };
    if let Some(texts) = texts.as_ref().filter(|texts| texts.null_count() == 0) {
        return Ok(Arc::new(texts.clone()));
    }
    let mut events = StringBuilder::with_capacity(kinds.len(), kinds.len() * default.map_or(8, str::len));
    for row in 0..kinds.len() {
        let kind = EventKind::from_name(kinds.value(row)).unwrap_or_default();
        let own = texts.as_ref().filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
        let event = own.or(default.filter(|_| kind.is_action()));
        if event.is_none() && kind == EventKind::Track {
            let _ = rejects.keep::<()>(row, name, Err(missing_event()));
        }
        events.append_option(event);
    }
    Ok(Arc::new(events.finish()))
}

/// A text column with a default for rows without a value.
pub fn with_default(texts: StringArray, default: Option<&str>) -> ArrayRef {
    match default {
        Some(default) if texts.null_count() > 0 => {
            Arc::new(StringArray::from_iter_values(texts.iter().map(|text| text.unwrap_or(default))))
        }
        _ => Arc::new(texts),
    }
}
