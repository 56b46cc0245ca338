//! What depends on the session's zone, as functions that hold it: rules over plans put them where SQL has a cast, a sum or
//! a call without one. Users call only `timezone`, `now` and the series of times.

mod calendar_sum;
mod day_of;
mod instant_of;
mod local_date;
mod local_text;
mod now;
mod on_wall_time;
mod planner;
mod round_time;
mod time_series;
mod timezone;
mod wall_time;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarUDF};

pub(in crate::query) use calendar_sum::CalendarSum;
pub(in crate::query) use day_of::DayOf;
pub(in crate::query) use instant_of::InstantOf;
pub(in crate::query) use local_date::LocalDate;
pub(in crate::query) use local_text::LocalText;
pub(in crate::query) use on_wall_time::OnWallTime;
pub(in crate::query) use planner::InstantPlanner;
pub(in crate::query) use round_time::round_time;
pub(in crate::query) use time_series::TimeSeries;
pub(in crate::query) use wall_time::WallTime;

/// Those that users call; those around functions of DataFusion find them by name.
pub(super) fn functions(find: impl Fn(&str) -> Result<Arc<ScalarUDF>>) -> Result<Vec<Arc<ScalarUDF>>> {
    let mut functions = time_series::functions(find)?;
    functions.push(Arc::new(ScalarUDF::from(timezone::TimeZone::new())));
    functions.push(Arc::new(ScalarUDF::from(now::Now::new())));
    Ok(functions)
}

/// The field of a function that gives NULL for NULL alone.
fn field(name: &str, data_type: DataType, arguments: &ReturnFieldArgs<'_>) -> FieldRef {
    let nullable = arguments.arg_fields.iter().any(|argument| argument.is_nullable());
    Arc::new(Field::new(name, data_type, nullable))
}

/// Applies a function of columns to a column or a constant.
fn map_column(
    value: &ColumnarValue,
    change: impl FnOnce(&arrow::array::ArrayRef) -> Result<arrow::array::ArrayRef>,
) -> Result<ColumnarValue> {
    Ok(match value {
        ColumnarValue::Array(array) => ColumnarValue::Array(change(array)?),
        ColumnarValue::Scalar(scalar) => {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&change(&scalar.to_array()?)?, 0)?)
        }
    })
}
