//! `interval_text(text)`: the text, where all of its numbers have a unit; put below casts to INTERVAL by a rule over plans.
//! Hours and minutes, as in `1 day 02:30:00`, which arrow 59 does not read, get theirs, and fractions of months are days.
//!
//! Arrow reads a number without a unit as months where a text is cast, DataFusion as seconds in `INTERVAL '1'`.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::{IntervalParseConfig, IntervalUnit, parse_interval_month_day_nano_config};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err, utils::take_function_args};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::interval_fractions::spell_fractions;
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

    fn read<'t>(&self, text: Option<&'t str>) -> Result<Option<Cow<'t, str>>> {
        match (text, self.gives_null) {
            (None, _) => Ok(None),
            (Some(text), true) => Ok(Some(name_times(text)).filter(|named| !lacks_unit(named)).map(spell)),
            (Some(text), false) => read_units(text).map(Some),
        }
    }
}

/// The text with a unit for each of its numbers, as a cast to INTERVAL reads it.
///
/// # Errors
/// `InvalidInput` for a text with a number that has no unit.
pub(in crate::query) fn read_units(text: &str) -> Result<Cow<'_, str>> {
    let named = name_times(text);
    if !lacks_unit(&named) {
        return Ok(spell(named));
    }
    Err(Error::invalid(format!(
        "the length of time {} has a number without a unit: write it like '1 day', '2 hours 30 minutes' or '1 month'",
        shown(text)
    ))
    .into())
}

fn name_times(text: &str) -> Cow<'_, str> {
    let named = if text.contains(':') { with_units(text) } else { None };
    named.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn spell(named: Cow<'_, str>) -> Cow<'_, str> {
    spell_fractions(&named).map_or(named, Cow::Owned)
}

/// Whether it depends on who reads the text which unit a number of it has.
fn lacks_unit(text: &str) -> bool {
    let read_in = |unit| parse_interval_month_day_nano_config(text, IntervalParseConfig::new(unit)).ok();
    read_in(IntervalUnit::Second) != read_in(IntervalUnit::Month)
}

/// The text with units for its hours and minutes. `None` where a word with a colon is no time, or stands behind a number
/// without a unit.
pub(in crate::query) fn with_units(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.windows(2).any(|pair| pair[0].parse::<f64>().is_ok() && pair[1].contains(':')) {
        return None;
    }
    let words: Option<Vec<String>> =
        words.into_iter().map(|word| if word.contains(':') { time_of(word) } else { Some(word.to_owned()) }).collect();
    words.map(|words| words.join(" "))
}

/// Hours and minutes, with seconds or without; a sign is that of all of them.
fn time_of(word: &str) -> Option<String> {
    let (sign, time) = match word.strip_prefix('-') {
        Some(time) => ("-", time),
        None => ("", word.strip_prefix('+').unwrap_or(word)),
    };
    let parts: Vec<&str> = time.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let is_whole = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_below_sixty = |part: &str| part.parse::<f64>().is_ok_and(|part| part < 60.0);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_time = is_whole(hours)
        && is_whole(minutes)
        && is_whole(whole)
        && is_whole(fraction)
        && is_below_sixty(minutes)
        && is_below_sixty(seconds);
    is_time.then(|| format!("{sign}{hours} hours {sign}{minutes} minutes {sign}{seconds} seconds"))
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
                let text = self.read(text.try_as_str().flatten())?.map(Cow::into_owned);
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
