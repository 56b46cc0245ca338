//! Whole numbers in identifiers: a program without nullable integers writes customer 123 as 123.0, which is the same one.

use std::borrow::Cow;

/// Digits of the longest number that is written out.
const MAX_DIGITS: usize = 40;

/// An identifier as text: a whole number in the form of a fraction becomes its digits, all else stays as it is.
///
/// Fractions are `123.0` and what programs write for large ones: `1e+16`, `1.5e+16` (Python, JavaScript), `1.38E10`
/// (Java, Spark). Not `12E5`, `1e5` (product codes, hexadecimal digits), `007.0` (not a number's form) and `1.38E+10` (a
/// spreadsheet's, with digits missing).
pub fn whole_number_text(text: &str) -> Cow<'_, str> {
    let has_form =
        matches!(text.as_bytes(), [b'0'..=b'9' | b'-', .., b'0'..=b'9']) && text.bytes().any(is_point_or_plus);
    if !has_form {
        return Cow::Borrowed(text);
    }
    let is_written_out = match text.split_once(['e', 'E']) {
        None => true,
        Some((mantissa, exponent)) => match text.as_bytes()[mantissa.len()] {
            b'e' => exponent.starts_with('+'),
            _ => mantissa.contains('.') && exponent.bytes().all(|byte| byte.is_ascii_digit()),
        },
    };
    if is_written_out { whole_number(text) } else { Cow::Borrowed(text) }
}

fn is_point_or_plus(byte: u8) -> bool {
    byte == b'.' || byte == b'+'
}

/// A number, as JSON writes it, as its digits when it is whole; any other text stays as it is.
pub fn whole_number(text: &str) -> Cow<'_, str> {
    write_out(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn write_out(text: &str) -> Option<String> {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", text),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain =
        !whole.is_empty() && (whole == "0" || !whole.starts_with('0')) && is_digits(whole) && is_digits(fraction);
    let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let is_digits_already = !text.contains(['.', 'e', 'E']);
    if is_digits_already || !is_plain || mantissa.ends_with('.') || exponent.saturating_add(whole.len()) > MAX_DIGITS {
        return None;
    }
    let (kept, rest) = fraction.split_at(exponent.min(fraction.len()));
    if rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let digits = format!("{whole}{kept:0<exponent$}");
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") })
}
