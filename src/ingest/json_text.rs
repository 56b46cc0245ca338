//! JSON as it is stored: what every reader of JSON understands alike.
//!
//! Readers of JSON stop at some depth, each at another one, and find nothing of what stands behind it: JSON that is
//! deeper than all of them read is not kept. Two more things that the grammar allows are read differently or not at
//! all: half a surrogate pair (`"\ud83d"`, which text cut in the middle of an emoji leaves behind) makes some readers
//! give up the whole object, and of equal keys some take the first. Halves are written as U+FFFD, and of equal keys the
//! last one counts, as JSON parsers have it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::read::json::push_string;

/// Objects with more keys than these look them up by hash.
const FEW_KEYS: usize = 32;

/// Levels of objects and lists in a column, the outermost object included. serde_json stops at 128 and jiter at 200:
/// some are left for what the value is put into.
const MOST_LEVELS: usize = 64;

/// Why a column cannot hold the text. Our own readers know that theirs `is_object`.
pub(super) fn fault(text: &str, is_object: bool) -> Option<String> {
    let is_object =
        is_object || (text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok());
    if !is_object {
        return Some("not a JSON object".to_owned());
    }
    is_too_deep(text).then(|| format!("nested deeper than {MOST_LEVELS} levels"))
}

/// Of JSON.
pub(super) fn is_too_deep(text: &str) -> bool {
    // Nearly all texts have fewer brackets than that.
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= MOST_LEVELS {
        return false;
    }
    let (mut levels, mut in_string, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => levels += 1,
            b']' | b'}' if !in_string => levels = levels.saturating_sub(1),
            _ => {}
        }
        if levels > MOST_LEVELS {
            return true;
        }
    }
    false
}

/// The text with whole characters and each key once. What is no JSON stays as it is.
pub(super) fn normalize(text: &str) -> Cow<'_, str> {
    let whole = with_whole_characters(text);
    match repeats_a_key(&whole) {
        false => whole,
        true => match with_last_of_equal_keys(&whole) {
            Some(distinct) => Cow::Owned(distinct),
            None => whole,
        },
    }
}

/// Halves of surrogate pairs as U+FFFD.
fn with_whole_characters(text: &str) -> Cow<'_, str> {
    if !(text.contains("\\ud") || text.contains("\\uD")) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match escape_unit(rest) {
            Some(0xD800..=0xDBFF) if matches!(rest.get(6..).and_then(escape_unit), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
            // A backslash and what it escapes, which may be a character of several bytes in a text that is no JSON.
            None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The number of `\u1234` at the start.
fn escape_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

/// Whether some object has a key twice, or may have: a number beyond a double ends the search.
fn repeats_a_key(text: &str) -> bool {
    let mut repeats = false;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Scan { repeats: &mut repeats }.deserialize(&mut reader);
    read.is_err() || repeats
}

struct Scan<'r> {
    repeats: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Scan { repeats: self.repeats })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut few, mut many) = (Vec::<Cow<'de, str>>::new(), HashSet::<Cow<'de, str>>::new());
        while let Some(key) = members.next_key_seed(Key)? {
            let seen =
                if few.len() < FEW_KEYS { few.contains(&key) } else { few.contains(&key) || many.contains(&key) };
            *self.repeats |= seen;
            if few.len() < FEW_KEYS {
                few.push(key);
            } else {
                many.insert(key);
            }
            members.next_value_seed(Scan { repeats: self.repeats })?;
        }
        Ok(())
    }
}

/// A key, borrowed from the text unless it holds escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The JSON text with of equal keys the last one.
fn with_last_of_equal_keys(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    write_value(text.trim(), &mut out)?;
    Some(out)
}

/// Numbers and strings stay as they are written. As deep as the text, which has [`MOST_LEVELS`] at most.
fn write_value(text: &str, out: &mut String) -> Option<()> {
    match text.as_bytes().first()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            out.push('{');
            for (place, (key, value)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                push_string(out, key);
                out.push(':');
                write_value(value.get(), out)?;
            }
            out.push('}');
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(item.get(), out)?;
            }
            out.push(']');
        }
        _ => out.push_str(text),
    }
    Some(())
}

#[cfg(test)]
mod tests;
