//! `instant_of(x)`: a day, a wall time or a text as the instant at which the clock of a zone shows it.
//!
//! Arrow's own cast gives NULL for a doubled and for a skipped time.

use arrow::datatypes::{DataType, FieldRef};
use chrono_tz::Tz;
use datafusion::common::{Result, exec_err, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{field, map_column};
use crate::query::zone::{OnError, instants_of};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct InstantOf {
    signature: Signature,
    zone: Tz,
    /// A timestamp with a zone.
    target: DataType,
    on_error: OnError,
}

impl InstantOf {
    pub(in crate::query) fn new(zone: Tz, target: DataType, on_error: OnError) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), zone, target, on_error }
    }
}

impl ScalarUDFImpl for InstantOf {
    fn name(&self) -> &str {
        "instant_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = field(self.name(), self.target.clone(), &arguments);
        Ok(match self.on_error {
            OnError::Fail => field,
            OnError::Null => std::sync::Arc::new(field.as_ref().clone().with_nullable(true)),
        })
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&self.target)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = take_function_args(self.name(), &arguments.args)?;
        map_column(times, |times| match instants_of(times, &self.target, self.zone, self.on_error) {
            Ok(instants) => Ok(instants),
            Err(error) => exec_err!("{error}: times are written like '2024-03-01' or '2024-03-01 13:45:00'"),
        })
    }
}
