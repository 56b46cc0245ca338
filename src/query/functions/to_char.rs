//! `to_char` (`date_format`) as DataFusion has it, refusing a pattern without `%`, of a difference of instants any but two,
//! and intervals, of which DataFusion 55.2 lists the types that it takes.
//!
//! Patterns are those of strftime: one of PostgreSQL, `YYYY-MM`, holds none of them, and the function would give it back
//! as it is for every row.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::types::logical_string;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, Signature, TypeSignature,
    TypeSignatureClass,
};

use super::variation::Variation;
use crate::error::{Error, shown};

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToChar {
    original: Arc<ScalarUDF>,
    signature: Signature,
}

impl ToChar {
    pub(super) fn new() -> Self {
        let original = datafusion::functions::datetime::to_char();
        let interval = Coercion::new_exact(TypeSignatureClass::Interval);
        let text = Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        // An interval is refused where its field is known, with what to write.
        let taken = vec![original.signature().type_signature.clone(), TypeSignature::Coercible(vec![interval, text])];
        let signature = Signature::one_of(taken, original.signature().volatility);
        Self { original, signature }
    }
}

impl Variation for ToChar {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        if let Some(given) = arguments.arg_fields.first()
            && matches!(given.data_type(), DataType::Interval(_))
        {
            return Err(Error::invalid(
                "to_char takes a time, not an interval: take its parts, such as extract(hour FROM i), or CAST(i AS TEXT) for \
                 all of it",
            )
            .into());
        }
        let pattern = arguments.scalar_arguments.get(1).and_then(|pattern| *pattern);
        if let Some(time) = arguments.arg_fields.first()
            && let Some(pattern) = pattern.and_then(|pattern| pattern.try_as_str().flatten())
        {
            checker(time.data_type())(pattern)?;
        }
        self.original.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let [times, patterns] = arguments.args.as_mut_slice() {
            check_all(patterns, checker(&times.data_type()))?;
            // Of one time and many patterns DataFusion 55.2 gives every row the result of the first.
            if let (ColumnarValue::Scalar(time), ColumnarValue::Array(patterns)) = (&*times, &*patterns) {
                *times = ColumnarValue::Array(time.to_array_of_size(patterns.len())?);
            }
        }
        self.original.invoke_with_args(arguments)
    }
}

/// What refuses a pattern for values of the type. Lengths of time know the words `pretty` and `ISO8601` in place of
/// patterns; days and times without a zone can show none.
fn checker(given: &DataType) -> fn(&str) -> Result<()> {
    match given {
        DataType::Duration(_) => check_of_length,
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => check_without_zone,
        _ => check,
    }
}

fn check_all(patterns: &ColumnarValue, check: fn(&str) -> Result<()>) -> Result<()> {
    match patterns {
        ColumnarValue::Scalar(pattern) => pattern.try_as_str().flatten().map_or(Ok(()), check),
        ColumnarValue::Array(patterns) => match patterns.as_string_opt::<i32>() {
            Some(patterns) => patterns.iter().flatten().try_for_each(check),
            // The function itself says which types it takes.
            None => Ok(()),
        },
    }
}

/// Parts that show a zone.
const OF_ZONE: [&str; 6] = ["%z", "%:z", "%::z", "%#z", "%Z", "%+"];

/// # Errors
/// `InvalidInput` for a pattern that names no part of a time, and for one with a zone.
fn check_without_zone(pattern: &str) -> Result<()> {
    check(pattern)?;
    let parts = pattern.replace("%%", "");
    match OF_ZONE.iter().find(|part| parts.contains(*part)) {
        Some(part) => Err(Error::invalid(format!(
            "to_char: {part} is the zone of a time, and a DATE and a TIMESTAMP have none: write CAST(t AS TIMESTAMPTZ) for \
             the instant in the session's zone"
        ))
        .into()),
        None => Ok(()),
    }
}

/// # Errors
/// `InvalidInput` for a pattern of times, in place of which DataFusion 55.2 writes the whole length.
fn check_of_length(pattern: &str) -> Result<()> {
    if ["pretty", "ISO8601"].iter().any(|known| known.eq_ignore_ascii_case(pattern)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "to_char of a length of time knows 'pretty' and 'ISO8601', not {}: take its parts, such as extract(hour FROM d)",
        shown(pattern)
    ))
    .into())
}

/// # Errors
/// `InvalidInput` for a pattern that names no part of a time, with the pattern to write where it is one of PostgreSQL.
fn check(pattern: &str) -> Result<()> {
    if pattern.contains('%') {
        return Ok(());
    }
    let remedy = match translate(pattern) {
        Some(meant) => format!("write '{meant}'"),
        None => "write it like '%Y-%m-%d %H:%M:%S'".to_owned(),
    };
    Err(Error::invalid(format!(
        "to_char: the pattern {} names no part of a time, and would be every row's result; parts begin with %: {remedy}",
        shown(pattern)
    ))
    .into())
}

/// Patterns of PostgreSQL in any case, longer ones before those that they begin with, and what strftime has for them.
const PATTERNS: [(&str, &str); 26] = [
    ("YYYY", "%Y"),
    ("IYYY", "%G"),
    ("MONTH", "%B"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("A.M.", "%p"),
    ("P.M.", "%p"),
    ("MON", "%b"),
    ("DAY", "%A"),
    ("DDD", "%j"),
    ("YY", "%y"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("MM", "%m"),
    ("MI", "%M"),
    ("MS", "%3f"),
    ("DY", "%a"),
    ("DD", "%d"),
    ("HH", "%I"),
    ("SS", "%S"),
    ("US", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("TZH", "%z"),
    ("TZ", "%Z"),
    ("OF", "%:z"),
];

/// The pattern in strftime's parts; `None` where it has none of PostgreSQL's, or letters that are none.
fn translate(pattern: &str) -> Option<String> {
    let mut meant = String::new();
    let mut rest = pattern;
    let mut found = false;
    while let Some(next) = rest.chars().next() {
        let known = PATTERNS
            .iter()
            .find(|(name, _)| rest.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name)));
        let length = match known {
            Some((name, part)) => {
                meant.push_str(part);
                found = true;
                name.len()
            }
            // Letters of strftime's own, as `T` between day and time, stay.
            None if next.is_ascii_alphabetic() && next != 'T' => return None,
            None => {
                meant.push(next);
                next.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    found.then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of PostgreSQL's documentation, table 9.31, and of chrono's `strftime`.
    #[test]
    fn patterns_of_postgres_are_told_in_ours() {
        let cases = [
            ("YYYY-MM", Some("%Y-%m")),
            ("yyyy-mm-dd hh24:mi:ss", Some("%Y-%m-%d %H:%M:%S")),
            ("DD Mon YYYY, HH12:MI AM", Some("%d %b %Y, %I:%M %p")),
            ("IYYY-IW", Some("%G-%V")),
            ("YYYY-MM-DDTHH24:MI:SS.MS", Some("%Y-%m-%dT%H:%M:%S.%3f")),
            ("Month DDD, Day", Some("%B %j, %A")),
            ("YYYY年MM月", Some("%Y年%m月")),
            ("YYYY-\"Q\"Q", None),
            ("week", None),
            ("", None),
            ("-", None),
        ];
        for (given, meant) in cases {
            assert_eq!(translate(given).as_deref(), meant, "{given}");
        }
    }
}
