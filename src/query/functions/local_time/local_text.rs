//! `local_text(ts)`: an instant as text, with the wall time of a zone and its distance from UTC.

use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use chrono_tz::Tz;
use datafusion::common::{Result, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{field, map_column};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct LocalText {
    signature: Signature,
    zone: Tz,
}

impl LocalText {
    pub(in crate::query) fn new(zone: Tz) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), zone }
    }
}

impl ScalarUDFImpl for LocalText {
    fn name(&self) -> &str {
        "local_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field(self.name(), DataType::Utf8, &arguments))
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = take_function_args(self.name(), &arguments.args)?;
        map_column(times, |times| {
            let DataType::Timestamp(unit, _) = times.data_type() else { return Ok(cast(times, &DataType::Utf8)?) };
            let local = cast(times, &DataType::Timestamp(*unit, Some(self.zone.name().into())))?;
            Ok(cast(&local, &DataType::Utf8)?)
        })
    }
}
