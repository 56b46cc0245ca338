//! `to_timestamp` as DataFusion has it, and a refusal of numbers beyond its nanoseconds, which end in 2262: DataFusion 55.2
//! gives the last one for every DOUBLE beyond it, and 1970 for NaN.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::error::Error;

/// Seconds that 64 bits of nanoseconds hold, cut to whole ones.
const LAST_SECOND: f64 = 9_223_372_036.0;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToTimestamp {
    inner: Arc<ScalarUDF>,
}

impl ToTimestamp {
    /// Around the function of the session, which knows its zone.
    pub(super) fn new(inner: Arc<ScalarUDF>) -> Self {
        Self { inner }
    }
}

/// # Errors
/// `InvalidInput` for a DOUBLE that is no time in nanoseconds.
fn check(seconds: &ColumnarValue) -> Result<()> {
    if !seconds.data_type().is_floating() {
        return Ok(());
    }
    let seconds = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    let beyond = |second: &f64| !(-LAST_SECOND..=LAST_SECOND).contains(second);
    match seconds.as_primitive::<Float64Type>().iter().flatten().find(beyond) {
        Some(second) => Err(Error::invalid(format!(
            "to_timestamp({second}) is beyond nanoseconds, which hold the years 1678 to 2261: write \
             to_timestamp_micros(CAST(x * 1e6 AS BIGINT))"
        ))
        .into()),
        None => Ok(()),
    }
}

impl ScalarUDFImpl for ToTimestamp {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::from(Self::new(Arc::new(inner))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        arguments.args.first().map_or(Ok(()), check)?;
        self.inner.invoke_with_args(arguments)
    }
}
