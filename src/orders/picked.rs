//! A few members of a JSON object, as they are written, by their names in any case: the exact one counts before others, of
//! equal ones the last. All else is passed over, its keys shown to who asks.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The members of the object `text` that have these names; `None` for a text that is no object.
pub(super) fn pick<'a, const N: usize>(text: &'a str, names: &[&str; N]) -> Option<[Option<&'a RawValue>; N]> {
    pick_and_look(text, names, &mut |_| {})
}

/// The same; `look` is shown the keys of the others that have a value.
pub(super) fn pick_and_look<'a, const N: usize>(
    text: &'a str,
    names: &[&str; N],
    look: &mut dyn FnMut(&str),
) -> Option<[Option<&'a RawValue>; N]> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Members { names, look }.deserialize(&mut reader).ok()
}

struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
    look: &'n mut dyn FnMut(&str),
}

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut exact, mut in_other_case) = ([None; N], [None; N]);
        while let Some(Key(key)) = map.next_key()? {
            match self.names.iter().position(|name| key.eq_ignore_ascii_case(name)) {
                Some(at) if key == self.names[at] => exact[at] = given(map.next_value()?),
                Some(at) => in_other_case[at] = given(map.next_value()?),
                None => {
                    if given(map.next_value()?).is_some() {
                        (self.look)(&key);
                    }
                }
            }
        }
        Ok(std::array::from_fn(|at| exact[at].or(in_other_case[at])))
    }
}

/// Null says nothing.
fn given(value: &RawValue) -> Option<&RawValue> {
    Some(value).filter(|value| value.get() != "null")
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string without its quotes, a number as it is written; `None` for all else.
pub(super) fn scalar(value: &RawValue) -> Option<Cow<'_, str>> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str::<Key<'_>>(text).ok().map(|key| key.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

/// The elements of an array; `None` for what is none.
pub(super) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    first_elements(value, usize::MAX)
}

/// The same; those behind the first `most` are not looked at.
pub(super) fn first_elements(value: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    if !value.get().starts_with('[') {
        return None;
    }
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(value.get());
    let outcome = Elements { found: &mut found, most }.deserialize(&mut reader);
    // The reader takes it for an error that some are left.
    (outcome.is_ok() || found.len() == most).then_some(found)
}

struct Elements<'f, 'de> {
    found: &'f mut Vec<&'de RawValue>,
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while self.found.len() < self.most
            && let Some(element) = elements.next_element()?
        {
            self.found.push(element);
        }
        Ok(())
    }
}
