//! `date_trunc` and `date_bin` of instants: cut on the wall clock of a zone, and back.
//!
//! A day is a day of the calendar, 23 or 25 hours long when the clock changes. Pieces of less than a day keep the offset of
//! their instant where they can: of a doubled hour both stay apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::map_column;
use crate::query::zone::{LocalClock, numbers_of, per_second, times_of, walls_of};

const NANOS_A_DAY: i64 = 86_400_000_000_000;

/// A function (piece, instant, ...) over wall times.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct OnWallTime {
    inner: Arc<ScalarUDF>,
    signature: Signature,
    zone: Tz,
}

impl OnWallTime {
    pub(in crate::query) fn new(inner: Arc<ScalarUDF>, zone: Tz) -> Self {
        // The arguments have the types of `inner` already.
        Self { inner, signature: Signature::variadic_any(Volatility::Immutable), zone }
    }

    fn instants(&self, walls: &ArrayRef, given: &ArrayRef, fine: bool) -> Result<ArrayRef> {
        let DataType::Timestamp(unit, _) = given.data_type() else { return internal_err!("no instants") };
        let scale = per_second(*unit);
        let mut clock = LocalClock::new(self.zone);
        let (walls, instants) = (numbers_of(walls)?, numbers_of(given)?);
        let rows = (0..walls.len()).map(|row| {
            if walls.is_null(row) || instants.is_null(row) {
                return None;
            }
            let wall = walls.value(row);
            let seconds = wall.div_euclid(scale);
            let offset = match fine {
                true => {
                    let near = clock.offset_at(instants.value(row).div_euclid(scale));
                    clock.offset_of_wall_near(seconds, near)
                }
                false => clock.offset_of_wall(seconds),
            };
            wall.checked_sub(offset * scale)
        });
        Ok(times_of(rows.collect::<Int64Array>(), given.data_type())?)
    }
}

/// Whether pieces of this name or length are shorter than a day.
fn is_fine(piece: &ColumnarValue) -> bool {
    let ColumnarValue::Scalar(piece) = piece else { return false };
    match piece {
        ScalarValue::IntervalDayTime(Some(length)) => {
            length.days == 0 && i64::from(length.milliseconds) < NANOS_A_DAY / 1_000_000
        }
        ScalarValue::IntervalMonthDayNano(Some(length)) => {
            length.months == 0 && length.days == 0 && length.nanoseconds < NANOS_A_DAY
        }
        name => {
            let fine = ["hour", "minute", "second", "millisecond", "microsecond", "nanosecond"];
            name.try_as_str().flatten().is_some_and(|name| fine.contains(&name.to_ascii_lowercase().as_str()))
        }
    }
}

impl ScalarUDFImpl for OnWallTime {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given = match arguments.args.get(1) {
            Some(ColumnarValue::Array(array)) => Arc::clone(array),
            Some(ColumnarValue::Scalar(scalar)) => scalar.to_array()?,
            None => return internal_err!("a piece and an instant are needed"),
        };
        let fine = arguments.args.first().is_some_and(is_fine);
        for (argument, field) in arguments.args.iter_mut().zip(&mut arguments.arg_fields) {
            let DataType::Timestamp(unit, Some(_)) = argument.data_type() else { continue };
            *argument = map_column(argument, |instants| Ok(walls_of(instants, unit, self.zone)?))?;
            *field = Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(unit, None)));
        }
        let unit = match given.data_type() {
            DataType::Timestamp(unit, _) => *unit,
            _ => TimeUnit::Microsecond,
        };
        let wall = DataType::Timestamp(unit, None);
        arguments.return_field = Arc::new(Field::new(self.name(), wall, true));
        let cut = self.inner.invoke_with_args(arguments)?;
        let rows = given.len();
        match cut {
            ColumnarValue::Scalar(cut) if rows == 1 => {
                let instants = self.instants(&cut.to_array()?, &given, fine)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&instants, 0)?))
            }
            cut => Ok(ColumnarValue::Array(self.instants(&cut.into_array(rows)?, &given, fine)?)),
        }
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }
}
