//! `wall_time(x)`: what the clock of a zone shows at an instant. A text that names a zone is an instant, too; any other is
//! a wall time as it stands.

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, exec_err, internal_err, utils::take_function_args};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{field, map_column};
use crate::query::zone::{OnError, is_instant, walls_of, walls_of_texts};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct WallTime {
    signature: Signature,
    zone: Tz,
    unit: TimeUnit,
    on_error: OnError,
}

impl WallTime {
    pub(in crate::query) fn new(zone: Tz, unit: TimeUnit, on_error: OnError) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), zone, unit, on_error }
    }
}

impl ScalarUDFImpl for WallTime {
    fn name(&self) -> &str {
        "wall_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = field(self.name(), DataType::Timestamp(self.unit, None), &arguments);
        Ok(match self.on_error {
            OnError::Fail => field,
            OnError::Null => std::sync::Arc::new(field.as_ref().clone().with_nullable(true)),
        })
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> Result<Interval> {
        Interval::make_unbounded(&DataType::Timestamp(self.unit, None))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = take_function_args(self.name(), &arguments.args)?;
        map_column(times, |times| {
            if is_instant(times.data_type()) {
                return Ok(walls_of(times, self.unit, self.zone)?);
            }
            match walls_of_texts(times, self.unit, self.zone, self.on_error) {
                Ok(walls) => Ok(walls),
                Err(error) => exec_err!("{error}: times are written like '2024-03-01' or '2024-03-01 13:45:00'"),
            }
        })
    }
}
