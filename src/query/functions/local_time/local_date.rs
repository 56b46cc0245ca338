//! `local_date(ts)`: the day that the calendar of a zone shows at an instant.
//!
//! A comparison with a day becomes one of the instant with the two midnights, so that files are skipped.

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{field, map_column};
use crate::query::zone::{LocalClock, days_of_instants, per_second};

const SECONDS_A_DAY: i64 = 86_400;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct LocalDate {
    signature: Signature,
    zone: Tz,
}

impl LocalDate {
    pub(in crate::query) fn new(zone: Tz) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), zone }
    }

    /// The first instant of a day; none where the unit does not reach so far.
    fn start_of(&self, day: i64, unit: TimeUnit) -> Option<i64> {
        let midnight = day.checked_mul(SECONDS_A_DAY)?;
        let instant = midnight.checked_sub(LocalClock::new(self.zone).offset_of_wall(midnight))?;
        instant.checked_mul(per_second(unit))
    }
}

fn timestamp(value: i64, unit: TimeUnit, zone: Option<std::sync::Arc<str>>) -> ScalarValue {
    match unit {
        TimeUnit::Second => ScalarValue::TimestampSecond(Some(value), zone),
        TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(value), zone),
        TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(value), zone),
        TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(value), zone),
    }
}

impl ScalarUDFImpl for LocalDate {
    fn name(&self) -> &str {
        "local_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field(self.name(), DataType::Date32, &arguments))
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&DataType::Date32)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = take_function_args(self.name(), &arguments.args)?;
        map_column(times, |times| Ok(days_of_instants(times, self.zone)?))
    }

    fn preimage(&self, arguments: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        let ([argument], Expr::Literal(ScalarValue::Date32(Some(day)), _)) = (arguments, literal) else {
            return Ok(PreimageResult::None);
        };
        let DataType::Timestamp(unit, zone) = argument.get_type(info.schema())? else {
            return Ok(PreimageResult::None);
        };
        let day = i64::from(*day);
        let (Some(start), Some(end)) = (self.start_of(day, unit), self.start_of(day + 1, unit)) else {
            return Ok(PreimageResult::None);
        };
        // A day that the zone left out holds no instant: its range would be empty, which an interval cannot say.
        if start >= end {
            return Ok(PreimageResult::None);
        }
        let interval = Interval::try_new(timestamp(start, unit, zone.clone()), timestamp(end, unit, zone))?;
        Ok(PreimageResult::Range { expr: argument.clone(), interval: Box::new(interval) })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs.first().map_or(SortProperties::Unordered, |input| input.sort_properties))
    }
}
