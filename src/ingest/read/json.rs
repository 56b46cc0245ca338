//! JSON as text: objects whose values stay as they are written, and a writer of property objects.
//!
//! Values are not turned into numbers on the way: what was written is what is stored.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::coerce::{Reason, shown, whole_number};

/// A key or a string, borrowed from the text unless it holds escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// An object of unparsed values. Of equal keys the last one counts.
pub type RawObject<'a> = BTreeMap<Text<'a>, &'a RawValue>;

/// The members of a JSON object.
pub fn parse_object(text: &str) -> Result<RawObject<'_>, Reason> {
    if !text.trim_start().starts_with('{') {
        return Err(format!("{} is not a JSON object", shown(text)));
    }
    serde_json::from_str(text).map_err(|error| format!("{} is not a JSON object: {error}", shown(text)))
}

/// Checks that text is one JSON object without taking it apart.
pub fn check_object(text: &str) -> Result<(), Reason> {
    if !text.trim_start().starts_with('{') {
        return Err(format!("{} is not a JSON object", shown(text)));
    }
    serde_json::from_str::<IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| format!("{} is not a JSON object: {error}", shown(text)))
}

/// A string, number or boolean as text; `None` for null.
pub fn scalar_text(value: &RawValue) -> Result<Option<Cow<'_, str>>, Reason> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => string_text(text).map(Some),
        Some(b'{' | b'[') => Err(format!("{} is not one value", shown(text))),
        _ => Ok(Some(Cow::Borrowed(text))),
    }
}

/// The same for an identifier: a whole number is written by its digits, whatever form it has.
pub fn identifier_text(value: &RawValue) -> Result<Option<Cow<'_, str>>, Reason> {
    match value.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Ok(Some(whole_number(value.get()))),
        _ => scalar_text(value),
    }
}

fn string_text(text: &str) -> Result<Cow<'_, str>, Reason> {
    let string: Text<'_> = serde_json::from_str(text).map_err(|error| format!("{}: {error}", shown(text)))?;
    Ok(string.0)
}

/// Null says nothing: such properties are left out. An empty text is a value.
pub fn is_empty(value: &RawValue) -> bool {
    value.get() == "null"
}

/// Writes one object member by member; reused row by row.
#[derive(Default)]
pub struct ObjectWriter {
    text: String,
}

impl ObjectWriter {
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// A member whose value is JSON already.
    pub fn raw(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text.push_str(value);
    }

    /// A member from plain text of a file without types: numbers and booleans are recognised by their form.
    pub fn inferred(&mut self, key: &str, value: &str) {
        self.key(key);
        match inferred_scalar(value.trim()) {
            Some(scalar) => self.text.push_str(scalar),
            None => push_string(&mut self.text, value),
        }
    }

    fn key(&mut self, key: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        push_string(&mut self.text, key);
        self.text.push(':');
    }

    /// The object written since the last [`ObjectWriter::clear`]; `None` without members.
    pub fn finish(&mut self) -> Option<&str> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push('}');
        Some(&self.text)
    }
}

/// Text as a JSON number or boolean where nobody could mean a text by it.
///
/// Text stay: leading zeros (`007`), more than 18 digits without a point (card numbers), `12E5` (product codes).
fn inferred_scalar(text: &str) -> Option<&str> {
    const MAX_INTEGER_DIGITS: usize = 18;
    match text {
        "true" | "True" | "TRUE" => return Some("true"),
        "false" | "False" | "FALSE" => return Some("false"),
        _ => {}
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole_is_plain = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let fraction_is_plain = fraction.is_none_or(is_digits);
    let exponent_is_plain = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']);
        (digits.is_some() || fraction.is_some()) && is_digits(digits.unwrap_or(exponent))
    });
    let fits = fraction.is_some() || exponent.is_some() || whole.len() <= MAX_INTEGER_DIGITS;
    (whole_is_plain && fraction_is_plain && exponent_is_plain && fits).then_some(text)
}

/// Appends text as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        // What must be escaped is ASCII, so `at + 1` is a character boundary.
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
