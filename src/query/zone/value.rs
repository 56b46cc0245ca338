//! Single values, such as bound parameters, between instants and wall times.

use arrow::datatypes::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue};

use super::UTC;
use super::columns::{
    OnError, days_of_instants, days_of_texts, instants_of, is_instant, is_wall_time, walls_of, walls_of_texts,
};

/// The value as an instant: one with a zone keeps its instant, a day, a time without a zone or a text is read in `zone`.
/// Every other value stays what it is. The unit stays, too: a time is never cut.
///
/// # Errors
/// For a text that is no time.
pub(in crate::query) fn to_instant(value: ScalarValue, zone: Tz) -> Result<ScalarValue> {
    let given = value.data_type();
    let unit = match &given {
        DataType::Timestamp(unit, _) => *unit,
        DataType::Date32 | DataType::Date64 | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            TimeUnit::Microsecond
        }
        _ => return Ok(value),
    };
    let target = DataType::Timestamp(unit, Some(UTC.into()));
    if is_instant(&given) {
        return value.cast_to(&target);
    }
    let instants = instants_of(value.to_array()?.as_ref(), &target, zone, OnError::Fail)?;
    ScalarValue::try_from_array(&instants, 0)
}

/// An instant, or a text that names one, as the day or the wall time of `zone` that `target` asks for; every other value
/// as a cast makes it.
///
/// # Errors
/// Those of a cast.
pub(in crate::query) fn to_wall_time(value: &ScalarValue, target: &DataType, zone: Tz) -> Result<ScalarValue> {
    let given = value.data_type();
    if let DataType::Timestamp(unit, None) = target
        && given.is_string()
    {
        let walls = walls_of_texts(value.to_array()?.as_ref(), *unit, zone, OnError::Fail)?;
        return ScalarValue::try_from_array(&walls, 0);
    }
    if *target == DataType::Date32 && given.is_string() {
        let days = days_of_texts(value.to_array()?.as_ref(), zone, OnError::Fail)?;
        return ScalarValue::try_from_array(&days, 0);
    }
    if !is_instant(&given) || !is_wall_time(target) {
        return value.cast_to(target);
    }
    let instants = value.to_array()?;
    let local = match target {
        DataType::Timestamp(unit, _) => walls_of(instants.as_ref(), *unit, zone)?,
        _ => days_of_instants(instants.as_ref(), zone)?,
    };
    ScalarValue::try_from_array(&local, 0)?.cast_to(target)
}
