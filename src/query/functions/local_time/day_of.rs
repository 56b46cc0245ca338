//! `day_of(text)`: the day that a text says. One that names a zone is an instant: its day is that of a zone's calendar.
//!
//! Arrow's own cast takes the day of UTC, and no time without seconds.

use arrow::datatypes::{DataType, FieldRef};
use chrono_tz::Tz;
use datafusion::common::{Result, exec_err, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{field, map_column};
use crate::query::zone::{OnError, days_of_texts};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct DayOf {
    signature: Signature,
    zone: Tz,
    on_error: OnError,
}

impl DayOf {
    pub(in crate::query) fn new(zone: Tz, on_error: OnError) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), zone, on_error }
    }
}

impl ScalarUDFImpl for DayOf {
    fn name(&self) -> &str {
        "day_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = field(self.name(), DataType::Date32, &arguments);
        Ok(match self.on_error {
            OnError::Fail => field,
            OnError::Null => std::sync::Arc::new(field.as_ref().clone().with_nullable(true)),
        })
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&DataType::Date32)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), &arguments.args)?;
        map_column(texts, |texts| match days_of_texts(texts, self.zone, self.on_error) {
            Ok(days) => Ok(days),
            Err(error) => exec_err!("{error}: days are written like '2024-03-01'"),
        })
    }
}
