//! Columns of instants as wall times and days, and of wall times, days and texts as instants.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::clock::LocalClock;
use super::text::{Written, read_day, read_time};

const SECONDS_A_DAY: i64 = 86_400;

/// What becomes of a value that is no time, or lies outside of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::query) enum OnError {
    Fail,
    Null,
}

pub(in crate::query) fn is_instant(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

/// A day or a time of a calendar without a zone.
pub(in crate::query) fn is_wall_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64)
}

pub(in crate::query) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The numbers of timestamps, in their own unit.
pub(in crate::query) fn numbers_of(times: &dyn Array) -> Result<Int64Array, ArrowError> {
    Ok(cast(times, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// Timestamps of numbers.
pub(in crate::query) fn times_of(numbers: Int64Array, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    cast(&numbers, data_type)
}

/// What the clock of `zone` shows at each instant.
pub(in crate::query) fn walls_of(instants: &dyn Array, unit: TimeUnit, zone: Tz) -> Result<ArrayRef, ArrowError> {
    let target = DataType::Timestamp(unit, None);
    if zone == Tz::UTC {
        return cast(instants, &target);
    }
    let DataType::Timestamp(held, _) = instants.data_type() else { return cast(instants, &target) };
    let (held, scale) = (*held, per_second(*held));
    let mut clock = LocalClock::new(zone);
    let walls = map_numbers(&numbers_of(instants)?, |instant| {
        let offset = clock.offset_at(instant.div_euclid(scale));
        instant.saturating_add(offset * scale)
    });
    cast(&times_of(walls, &DataType::Timestamp(held, None))?, &target)
}

/// The day that the calendar of `zone` shows at each instant.
pub(in crate::query) fn days_of_instants(instants: &dyn Array, zone: Tz) -> Result<ArrayRef, ArrowError> {
    let DataType::Timestamp(unit, _) = instants.data_type() else { return cast(instants, &DataType::Date32) };
    let scale = per_second(*unit);
    let mut clock = LocalClock::new(zone);
    let days = map_numbers(&numbers_of(instants)?, |instant| {
        let seconds = instant.div_euclid(scale);
        let day = seconds.saturating_add(clock.offset_at(seconds)).div_euclid(SECONDS_A_DAY);
        day.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
    });
    cast(&cast(&days, &DataType::Int32)?, &DataType::Date32)
}

fn map_numbers(numbers: &Int64Array, change: impl FnMut(i64) -> i64) -> Int64Array {
    // What stands under a NULL is changed, too: it counts for nothing.
    let values = numbers.values().iter().copied().map(change).collect();
    Int64Array::new(values, numbers.nulls().cloned())
}

/// Days, wall times or texts as instants of type `target`; a text that names a zone or an offset is an instant already.
///
/// # Errors
/// For a text that is no time and a time outside of `target`, unless they become NULL.
pub(in crate::query) fn instants_of(
    times: &dyn Array,
    target: &DataType,
    zone: Tz,
    on_error: OnError,
) -> Result<ArrayRef, ArrowError> {
    let DataType::Timestamp(unit, _) = target else { return cast(times, target) };
    let unit = *unit;
    let mut clock = LocalClock::new(zone);
    let scale = per_second(unit);
    let instant_of = |clock: &mut LocalClock, wall: i64| {
        let offset = clock.offset_of_wall(wall.div_euclid(scale));
        wall.checked_sub(offset * scale)
    };
    if let Some(texts) = texts(times)? {
        return from_texts(&texts, target, on_error, |written| match written {
            Written::Instant(instant) => number_of(instant, unit),
            Written::Wall(wall) => instant_of(&mut clock, number_of(wall.and_utc(), unit)?),
        });
    }
    let walls = numbers_of(&strictly(times, &DataType::Timestamp(unit, None), on_error)?)?;
    let instants: Int64Array = walls
        .iter()
        .map(|wall| {
            let Some(wall) = wall else { return Ok(None) };
            match instant_of(&mut clock, wall) {
                None if on_error == OnError::Fail => Err(out_of_range(target)),
                instant => Ok(instant),
            }
        })
        .collect::<Result<_, ArrowError>>()?;
    times_of(instants, target)
}

/// Texts as wall times: one that names a zone is an instant, and becomes what the clock of `zone` shows then.
///
/// # Errors
/// As [`instants_of`].
pub(in crate::query) fn walls_of_texts(
    times: &dyn Array,
    unit: TimeUnit,
    zone: Tz,
    on_error: OnError,
) -> Result<ArrayRef, ArrowError> {
    let target = DataType::Timestamp(unit, None);
    let Some(texts) = texts(times)? else { return strictly(times, &target, on_error) };
    let mut clock = LocalClock::new(zone);
    from_texts(&texts, &target, on_error, |written| match written {
        Written::Wall(wall) => number_of(wall.and_utc(), unit),
        Written::Instant(instant) => {
            let offset = clock.offset_at(instant.timestamp());
            number_of(instant, unit)?.checked_add(offset * per_second(unit))
        }
    })
}

/// The days that texts say; of one that names a zone, the day of the calendar of `zone`.
///
/// # Errors
/// For a text that is no day, unless it becomes NULL.
pub(in crate::query) fn days_of_texts(days: &dyn Array, zone: Tz, on_error: OnError) -> Result<ArrayRef, ArrowError> {
    let Some(texts) = texts(days)? else { return strictly(days, &DataType::Date32, on_error) };
    let mut clock = LocalClock::new(zone);
    let mut read = |text: &str| match read_day(text, &mut clock) {
        None if on_error == OnError::Fail => Err(ArrowError::CastError(format!("'{text}' is no day"))),
        day => Ok(day),
    };
    let days: Date32Array = texts
        .as_string::<i32>()
        .iter()
        .map(|text| text.map_or(Ok(None), &mut read))
        .collect::<Result<_, ArrowError>>()?;
    Ok(Arc::new(days))
}

/// What is text, as plain text.
fn texts(array: &dyn Array) -> Result<Option<ArrayRef>, ArrowError> {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => cast(array, &DataType::Utf8).map(Some),
        _ => Ok(None),
    }
}

fn from_texts(
    texts: &ArrayRef,
    target: &DataType,
    on_error: OnError,
    mut number: impl FnMut(Written) -> Option<i64>,
) -> Result<ArrayRef, ArrowError> {
    let mut read = |text: &str| number(read_time(text)?).ok_or_else(|| out_of_range(target));
    let numbers: Int64Array = texts
        .as_string::<i32>()
        .iter()
        .map(|text| match text.map(&mut read) {
            Some(Err(_)) if on_error == OnError::Null => Ok(None),
            number => number.transpose(),
        })
        .collect::<Result<_, ArrowError>>()?;
    times_of(numbers, target)
}

fn number_of(time: DateTime<Utc>, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => Some(time.timestamp()),
        TimeUnit::Millisecond => Some(time.timestamp_millis()),
        TimeUnit::Microsecond => Some(time.timestamp_micros()),
        TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
    }
}

/// A cast that fails aloud where it must.
fn strictly(array: &dyn Array, target: &DataType, on_error: OnError) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: on_error == OnError::Null, format_options: FormatOptions::new() };
    cast_with_options(array, target, &options)
}

fn out_of_range(target: &DataType) -> ArrowError {
    ArrowError::CastError(format!("a time lies outside of what {target} can hold"))
}
