//! One JSON object to one event: keys to fields by their roles, all else to properties.

use std::borrow::Cow;
use std::path::Path;

use serde_json::value::RawValue;

use super::super::coerce::{Reason, trimmed};
use super::super::draft::{Draft, DraftRules, column_reason};
use super::super::field::{EventField, Treatment};
use super::super::json::{ObjectWriter, RawObject, is_empty, last_keys, parse_object, scalar_text};
use super::super::options::ReadOptions;
use super::roles::{Role, Roles};
use crate::error::Result;
use crate::ingest::input::InputBuilder;

/// Fields that are lifted out of the properties where the object itself lacks them, with the keys they have there.
/// The properties keep them, too.
const LIFTED: [(EventField, &[&str]); 3] = [
    (EventField::OrderId, &["order_id", "orderId"]),
    (EventField::Revenue, &["revenue"]),
    (EventField::Currency, &["currency"]),
];

/// Reads objects; made once a file.
pub struct ObjectReader {
    roles: Roles,
    rules: DraftRules,
    lifted: Vec<(EventField, &'static [&'static str])>,
    properties: ObjectWriter,
    /// The key that holds the object of properties.
    properties_key: String,
}

/// What an object gives to the properties: its `properties`, its `traits`, and its keys without a role.
#[derive(Default)]
struct PropertyParts<'a> {
    given: RawObject<'a>,
    traits: Option<&'a RawValue>,
    others: Vec<(&'a str, &'a RawValue)>,
}

impl ObjectReader {
    pub fn new(options: &ReadOptions) -> Result<Self> {
        let roles = Roles::new(options);
        let columns = roles.column_names(options);
        let properties_key = columns[EventField::Properties.index()].clone();
        let rules = DraftRules::new(options, columns)?;
        // A field that was mapped comes from there or not at all.
        let lifted = LIFTED.into_iter().filter(|(field, _)| !options.mapping.maps(*field)).collect();
        Ok(Self { roles, rules, lifted, properties: ObjectWriter::default(), properties_key })
    }

    pub fn check_mapped(&self, path: &Path) -> Result<()> {
        self.roles.check_mapped(path)
    }

    /// Adds the line as an event, or says why it is none.
    pub fn push(&mut self, row: i64, line: &str, builder: &mut InputBuilder) -> Result<(), Reason> {
        let object = parse_object(line)?;
        self.roles.note(object.keys().map(|key| key.0.as_ref()));
        let mut draft = Draft { row, levels: vec![Cow::Borrowed(""); self.roles.levels], ..Draft::default() };
        let key = &self.properties_key;
        let given = object.get(key.as_str()).map_or(Ok(None), |value| object_text(value));
        let given = given.map_err(|reason| column_reason(key, &reason))?;
        let mut parts = PropertyParts::default();
        if let Some(text) = &given {
            parts.given = parse_object(text).map_err(|reason| column_reason(key, &reason))?;
        }
        for (key, value) in object.iter().filter(|(_, value)| value.get() != "null") {
            let roles = self.roles.of(&key.0);
            if roles.is_empty() {
                parts.others.push((key.0.as_ref(), *value));
            }
            for role in roles {
                apply(role, &object, &key.0, value, &mut draft, &mut parts)
                    .map_err(|reason| column_reason(&key.0, &reason))?;
            }
        }
        let kind = draft.values[EventField::Kind.index()].as_deref().and_then(trimmed);
        let kind = self.rules.kind_of(kind)?;
        if let Some(traits) = parts.traits {
            match kind.has_traits() {
                true => {
                    let traits = parse_object(traits.get()).map_err(|reason| column_reason("traits", &reason))?;
                    parts.given.extend(traits);
                }
                false => parts.others.push(("traits", traits)),
            }
        }
        self.lift(&parts.given, &mut draft)?;
        self.properties.clear();
        for (key, value) in parts.given.iter().filter(|(_, value)| !is_empty(value)) {
            self.properties.raw(&key.0, value.get());
        }
        for (key, value) in &parts.others {
            if !is_empty(value) && !parts.given.contains_key(*key) {
                self.properties.raw(key, value.get());
            }
        }
        draft.values[EventField::Properties.index()] = self.properties.finish().map(Cow::Borrowed);
        self.rules.push(&draft, builder)
    }

    fn lift<'a>(&self, properties: &RawObject<'a>, draft: &mut Draft<'a>) -> Result<(), Reason> {
        for (field, keys) in &self.lifted {
            let value = &mut draft.values[field.index()];
            if value.as_deref().and_then(trimmed).is_some() {
                continue;
            }
            if let Some(raw) = keys.iter().find_map(|key| properties.get(*key)) {
                // An object or array under this key is something else: it stays a property only.
                *value = scalar_text(raw).ok().flatten();
            }
        }
        Ok(())
    }
}

/// The text of an object; some exports write it as a string once more.
fn object_text(value: &RawValue) -> Result<Option<Cow<'_, str>>, Reason> {
    match value.get().starts_with('{') {
        true => Ok(Some(Cow::Borrowed(value.get()))),
        false => Ok(scalar_text(value)?.filter(|text| trimmed(text).is_some())),
    }
}

/// Gives the value of one key to what it is for.
fn apply<'a>(
    role: &'a Role,
    object: &RawObject<'a>,
    key: &'a str,
    value: &'a RawValue,
    draft: &mut Draft<'a>,
    parts: &mut PropertyParts<'a>,
) -> Result<(), Reason> {
    match role {
        Role::Field(field) => apply_field(*field, value, draft),
        Role::Alias(field) => {
            let own = object.get(field.name()).is_some_and(|own| !is_empty(own));
            if own {
                parts.others.push((key, value));
                return Ok(());
            }
            apply_field(*field, value, draft)
        }
        Role::Level(place) => {
            if let Some(text) = scalar_text(value)? {
                draft.levels[*place] = text;
            }
            Ok(())
        }
        Role::Identifier(kind) => {
            if let Some(text) = scalar_text(value)? {
                draft.identifiers.push((Cow::Borrowed(kind), text));
            }
            Ok(())
        }
        Role::Property(name) => {
            parts.others.push((name, value));
            Ok(())
        }
        Role::Traits => {
            parts.traits = Some(value);
            Ok(())
        }
    }
}

fn apply_field<'a>(field: EventField, value: &'a RawValue, draft: &mut Draft<'a>) -> Result<(), Reason> {
    let text = value.get();
    match field.treatment() {
        // Taken before all others: see `object_text`.
        Treatment::Object if field == EventField::Properties => Ok(()),
        Treatment::Identifiers => draft.add_identifiers(text),
        Treatment::Path if text.starts_with('[') => {
            let levels: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
            for level in levels {
                draft.levels.extend(scalar_text(level)?);
            }
            Ok(())
        }
        Treatment::Object if text.starts_with('{') => {
            draft.values[field.index()] = Some(Cow::Owned(last_keys(text)));
            Ok(())
        }
        _ => {
            draft.values[field.index()] = scalar_text(value)?;
            Ok(())
        }
    }
}
