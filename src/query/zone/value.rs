//! Single values, such as bound parameters, between instants and wall times.

use arrow::datatypes::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue};

use super::UTC;
use super::columns::{OnError, instants_of, is_instant};

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
