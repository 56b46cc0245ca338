//! `timezone(zone, x)`, PostgreSQL's name of `x AT TIME ZONE zone`: of an instant the wall time there, of a wall time the
//! instant.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{
    DataFusionError, Result, ScalarValue, internal_err, plan_datafusion_err, plan_err, utils::take_function_args,
};
use datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_DATETIME;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::map_column;
use crate::query::zone::{OnError, UTC, instants_of, walls_of};

const SIGNATURE: &str = "timezone(zone TEXT, x TIMESTAMP)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeZone {
    signature: Signature,
}

impl TimeZone {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn zone_named(name: &str) -> Result<Tz> {
    name.parse()
        .map_err(|_| plan_datafusion_err!("'{name}' is not a time zone; use an IANA name such as Asia/Shanghai"))
}

/// The other kind of time.
fn turned(given: &DataType) -> Result<DataType> {
    match given {
        DataType::Timestamp(unit, Some(_)) => Ok(DataType::Timestamp(*unit, None)),
        DataType::Timestamp(unit, None) => Ok(DataType::Timestamp(*unit, Some(UTC.into()))),
        other => internal_err!("{other} was not coerced"),
    }
}

fn turn(times: &ArrayRef, zone: Tz) -> Result<ArrayRef> {
    match times.data_type() {
        DataType::Timestamp(unit, Some(_)) => Ok(walls_of(times, *unit, zone)?),
        given => Ok(instants_of(times, &turned(given)?, zone, OnError::Fail)?),
    }
}

impl ScalarUDFImpl for TimeZone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [zone, time] = take_function_args(self.name(), given)?;
        if !(zone.is_string() || zone.is_null()) {
            return plan_err!("{SIGNATURE}: the zone is {zone}, not a text such as 'Asia/Shanghai'");
        }
        match time {
            DataType::Timestamp(..) => Ok(vec![DataType::Utf8, time.clone()]),
            DataType::Null => Ok(vec![DataType::Utf8, DataType::Timestamp(TimeUnit::Microsecond, None)]),
            // PostgreSQL reads both in the session's zone first, which nobody expects.
            other => plan_err!(
                "{SIGNATURE}: AT TIME ZONE takes a timestamp, not {other}: write CAST(... AS TIMESTAMP) AT TIME ZONE \
                 '...' for a wall time of that zone"
            ),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let [_, time] = take_function_args(self.name(), arguments.arg_fields)?;
        if let Some(Some(name)) = arguments.scalar_arguments.first().map(|zone| zone.and_then(ScalarValue::try_as_str))
            && let Some(name) = name
        {
            zone_named(name)?;
        }
        let nullable = arguments.arg_fields.iter().any(|argument| argument.is_nullable());
        Ok(Arc::new(Field::new(self.name(), turned(time.data_type())?, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [zone, times] = take_function_args(self.name(), &arguments.args)?;
        if let ColumnarValue::Scalar(zone) = zone {
            return match zone.try_as_str().flatten() {
                Some(name) => {
                    let zone = zone_named(name)?;
                    map_column(times, |times| turn(times, zone))
                }
                None => Ok(ColumnarValue::Scalar(ScalarValue::try_from(arguments.return_field.data_type())?)),
            };
        }
        let rows = arguments.number_rows;
        let (zones, times) = (cast(&zone.to_array(rows)?, &DataType::Utf8)?, times.to_array(rows)?);
        let each = zones.as_string::<i32>().iter().enumerate().map(|(row, zone)| match zone {
            Some(name) => turn(&times.slice(row, 1), zone_named(name)?),
            None => Ok(arrow::array::new_null_array(arguments.return_field.data_type(), 1)),
        });
        let each: Vec<ArrayRef> = each.collect::<Result<_, DataFusionError>>()?;
        let each: Vec<&dyn Array> = each.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(match each.is_empty() {
            true => arrow::array::new_empty_array(arguments.return_field.data_type()),
            false => concat(&each)?,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DOC_SECTION_DATETIME,
                "x AT TIME ZONE zone: of an instant the wall time there, of a wall time the instant; a doubled wall time \
                 is the earlier one, a skipped one is moved forward.",
                SIGNATURE,
            )
            .with_argument("zone", "IANA name of a time zone, such as 'Asia/Shanghai'")
            .with_argument("x", "an instant, or a timestamp without a zone")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
