//! `plain_number(text)`: the text of a number without its exponent, `1.5e3` as `1500`; another text as it is. JSON
//! writes small and large numbers so, and Arrow 59 reads no exponent in a DECIMAL.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// Digits of the longest DECIMAL, before its point or behind it.
const MAX_DIGITS: i64 = 38;

/// The call.
pub(in crate::query) fn plain_number(text: Expr) -> Expr {
    function().call(vec![text])
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(PlainNumber::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PlainNumber {
    signature: Signature,
}

impl PlainNumber {
    fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for PlainNumber {
    fn name(&self) -> &str {
        "plain_number"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let missing = || Error::internal("plain_number without a text");
        let operand = arguments.args.first().ok_or_else(missing)?;
        let column = operand.to_array(1)?;
        let texts = column.as_string_opt::<i32>().ok_or_else(missing)?;
        let plain: StringArray = texts.iter().map(|text| text.map(without_exponent)).collect();
        let plain: ArrayRef = Arc::new(plain);
        Ok(match operand {
            ColumnarValue::Array(_) => ColumnarValue::Array(plain),
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&plain, 0)?),
        })
    }
}

/// The text of the same number, where it is one with an exponent that a DECIMAL may hold.
pub(super) fn without_exponent(text: &str) -> Cow<'_, str> {
    move_point(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn move_point(text: &str) -> Option<String> {
    let (number, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // How many of the digits stand before the point; fewer than none are zeros behind it.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    if point < -MAX_DIGITS {
        return Some("0".to_owned());
    }
    if point > MAX_DIGITS {
        return None;
    }
    let zeros = |count: i64| usize::try_from(count).map(|count| "0".repeat(count)).unwrap_or_default();
    let padded = format!("{}{digits}{}", zeros(-point), zeros(point - i64::try_from(digits.len()).ok()?));
    let (whole, fraction) = padded.split_at_checked(usize::try_from(point).unwrap_or_default())?;
    let whole = if whole.is_empty() { "0" } else { whole };
    let mark = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{mark}{fraction}"))
}
