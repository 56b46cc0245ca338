//! Hours and minutes in the text of an INTERVAL: `INTERVAL '1 day 02:30:00'`, which arrow 59 does not read.

use datafusion::sql::sqlparser::ast::{DataType, Expr, Interval, Value};

/// Writes the time in the text of a literal interval with its units.
pub(super) fn name_units(expression: &mut Expr) {
    let text = match expression {
        Expr::Interval(Interval { value, leading_field: None, .. }) => value,
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => expr,
        _ => return,
    };
    if let Expr::Value(value) = text.as_mut()
        && let Value::SingleQuotedString(written) = &value.value
        && written.contains(':')
        && let Some(named) = with_units(written)
    {
        value.value = Value::SingleQuotedString(named);
    }
}

/// `None` where a word with a colon is no time.
fn with_units(text: &str) -> Option<String> {
    let words: Option<Vec<String>> = text
        .split_whitespace()
        .map(|word| if word.contains(':') { time_of(word) } else { Some(word.to_owned()) })
        .collect();
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
