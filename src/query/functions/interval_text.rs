//! `interval_text(text)`: the text, where all of its numbers have a unit; put below casts to INTERVAL by a rule over plans.
//!
//! Arrow reads a number without a unit as months where a text is cast, DataFusion as seconds in `INTERVAL '1'`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::{IntervalParseConfig, IntervalUnit, parse_interval_month_day_nano_config};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err, utils::take_function_args};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, shown};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct IntervalText {
    signature: Signature,
    /// Gives NULL for such a text: the cast is TRY_CAST.
    gives_null: bool,
}

impl IntervalText {
    pub(in crate::query) fn new(gives_null: bool) -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable), gives_null }
    }

    fn read<'t>(&self, text: Option<&'t str>) -> Result<Option<&'t str>> {
        match text {
            Some(text) if self.gives_null => Ok(Some(text).filter(|text| !lacks_unit(text))),
            Some(text) => check_units(text).map(|()| Some(text)),
            None => Ok(None),
        }
    }
}

/// # Errors
/// `InvalidInput` for a text with a number that has no unit.
pub(in crate::query) fn check_units(text: &str) -> Result<()> {
    if !lacks_unit(text) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the length of time {} has a number without a unit: write it like '1 day', '2 hours 30 minutes' or '1 month'",
        shown(text)
    ))
    .into())
}

/// Whether it depends on who reads the text which unit a number of it has.
fn lacks_unit(text: &str) -> bool {
    let read_in = |unit| parse_interval_month_day_nano_config(text, IntervalParseConfig::new(unit)).ok();
    read_in(IntervalUnit::Second) != read_in(IntervalUnit::Month)
}

impl ScalarUDFImpl for IntervalText {
    fn name(&self) -> &str {
        "interval_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        internal_err!("the field says it")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = self.gives_null || arguments.arg_fields.iter().any(|argument| argument.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = take_function_args(self.name(), &arguments.args)?;
        match texts {
            ColumnarValue::Scalar(text) => {
                let text = self.read(text.try_as_str().flatten())?.map(str::to_owned);
                Ok(ColumnarValue::Scalar(ScalarValue::Utf8(text)))
            }
            ColumnarValue::Array(texts) => {
                let texts = cast(texts, &DataType::Utf8)?;
                let read: Result<StringArray> = texts.as_string::<i32>().iter().map(|text| self.read(text)).collect();
                Ok(ColumnarValue::Array(Arc::new(read?) as ArrayRef))
            }
        }
    }
}
