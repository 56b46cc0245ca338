//! A bound value as the place of its parameter takes it. Must not know plans.

use arrow::datatypes::DataType;
use chrono_tz::Tz;
use datafusion::common::{Result as DfResult, ScalarValue};

use crate::error::Error;
use crate::query::functions::read_units;
use crate::query::zone::{self, is_instant, is_wall_time};

/// The value in the type of its place; `None` when the place cannot hold it as it is: cut to 1, the 1.5 of
/// `WHERE quantity >= ?` finds other rows. Times that name no zone are read in `zone`.
///
/// # Errors
/// For a text that is none of the type's values, or would be rounded to one.
pub(super) fn to_place(value: &ScalarValue, place: &DataType, zone: Tz) -> DfResult<Option<ScalarValue>> {
    let given = value.data_type();
    if given == *place {
        return Ok(Some(value.clone()));
    }
    if value.is_null() {
        return ScalarValue::try_new_null(place).map(Some);
    }
    if is_instant(place) && (given.is_string() || is_wall_time(&given)) {
        let instant = zone::to_instant(value.clone(), zone)?;
        return Ok(Some(without_loss(&instant, place).unwrap_or(instant)));
    }
    if given.is_string() && is_wall_time(place) {
        return zone::to_wall_time(value, place, zone).map(Some);
    }
    if given.is_string() && matches!(place, DataType::Interval(_)) {
        let text = value.try_as_str().flatten().unwrap_or_default();
        return ScalarValue::from(&*read_units(text)?).cast_to(place).map(Some);
    }
    if given.is_string()
        && let Some(scale) = scale_of(place)
        && has_more_decimals(value.try_as_str().flatten().unwrap_or_default(), scale)
    {
        // A number that is bound is not rounded, either.
        return Err(Error::invalid(format!("{value} has more decimals than {place}")).into());
    }
    if given.is_string() || place.is_string() {
        // Text is what clients send that know no other type.
        return value.cast_to(place).map(Some);
    }
    let same_kind = (given.is_numeric() && place.is_numeric())
        || (is_instant(&given) && is_instant(place))
        || (is_wall_time(&given) && is_wall_time(place))
        || (is_bytes(&given) && is_bytes(place))
        || (given.is_nested() && place.is_nested());
    Ok(if same_kind { without_loss(value, place) } else { None })
}

/// The decimals of a decimal type.
fn scale_of(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

/// Whether a text has digits behind the decimals that are kept.
fn has_more_decimals(text: &str, scale: i8) -> bool {
    let fraction = text.trim().split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.trim_end_matches('0').len() > usize::try_from(scale).unwrap_or_default()
}

/// The value in another type, if casting it back gives the same.
fn without_loss(value: &ScalarValue, data_type: &DataType) -> Option<ScalarValue> {
    let cast = value.cast_to(data_type).ok()?;
    let back = cast.cast_to(&value.data_type()).ok()?;
    (back == *value).then_some(cast)
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

#[cfg(test)]
mod tests;
