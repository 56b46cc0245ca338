//! One JSON object to one event: keys to fields by their roles, all else to properties.

use std::borrow::Cow;
use std::path::Path;

use serde_json::value::RawValue;

use super::super::coerce::{Reason, decimal_from_text, trimmed};
use super::super::draft::{Draft, DraftRules, MISSING_TIME, column_reason};
use super::super::field::{EventField, EventKind, Treatment};
use super::super::json::{ObjectWriter, RawObject, identifier_text, is_empty, parse_object, scalar_text};
use super::super::layout::columns_text;
use super::super::look_alike::Notes;
use super::super::mapping::Target;
use super::super::options::ReadOptions;
use super::super::twins::Member;
use super::roles::{KeyRoles, Role, Roles};
use super::unused::UnusedKeys;
use crate::error::{Error, Result};
use crate::ingest::input::InputBuilder;
use crate::orders;

/// Fields that are lifted out of the properties where the object itself lacks them, as a CSV file's columns of these names
/// feed them; in any case, and by the Segment spec's name. The properties keep them, too.
pub(super) const LIFTED: [EventField; 11] = [
    EventField::OrderId,
    EventField::Revenue,
    EventField::Currency,
    EventField::Brand,
    EventField::Channel,
    EventField::StoreId,
    EventField::CampaignId,
    EventField::ProductId,
    EventField::Category,
    EventField::Quantity,
    EventField::Cost,
];

/// Those that are lifted out of traits, too: all else says what a person is like, such as the channel that he prefers.
const LIFTED_FROM_TRAITS: [EventField; 3] = [EventField::OrderId, EventField::Revenue, EventField::Currency];

/// Reads objects; made once a file.
pub struct ObjectReader {
    roles: Roles,
    rules: DraftRules,
    lifted: Vec<EventField>,
    notes: Notes,
    properties: ObjectWriter,
    /// The key that holds the object of properties.
    properties_key: String,
    unused: UnusedKeys,
    /// Then a row without a time lacks what others may have.
    time_is_mapped: bool,
    /// Some object so far has a field for its time.
    names_time: bool,
    /// The keys of the first object, where it has none.
    keys_without_time: Option<String>,
}

/// What an object gives to the properties: its `properties`, its `traits`, and its keys without a role.
#[derive(Default)]
struct PropertyParts<'a> {
    given: RawObject<'a>,
    traits: Option<&'a RawValue>,
    others: Vec<(&'a str, &'a RawValue)>,
}

impl ObjectReader {
    pub fn new(options: &ReadOptions, notes: &Notes) -> Result<Self> {
        let roles = Roles::new(options);
        let columns = roles.column_names(options);
        let properties_key = columns[EventField::Properties.index()].clone();
        let rules = DraftRules::new(options, columns, notes)?;
        // A field that was mapped comes from there or not at all.
        let lifted = LIFTED.into_iter().filter(|field| !options.mapping.maps(*field)).collect();
        let (unused, notes) = (UnusedKeys::new(options), notes.clone());
        let time_is_mapped = options.mapping.maps(EventField::Ts);
        let properties = ObjectWriter::default();
        Ok(Self {
            roles,
            rules,
            lifted,
            notes,
            properties,
            properties_key,
            unused,
            time_is_mapped,
            names_time: time_is_mapped,
            keys_without_time: None,
        })
    }

    pub fn check_mapped(&self, path: &Path) -> Result<()> {
        self.roles.check_mapped(path)
    }

    /// To be called after the first rows: refuses a file of which every row would be rejected for the same reason.
    pub fn check_time(&self, path: &Path) -> Result<()> {
        match &self.keys_without_time {
            Some(keys) if !self.names_time => Err(Error::invalid(format!(
                "{}: no field holds the time of the event: add --map ts=FIELD ({keys})",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// To be called after the last row.
    pub fn note_look_alikes(&self, notes: &Notes) {
        self.unused.report(&self.lifted, notes);
    }

    /// Adds the line as an event, or says why it is none; as [`DraftRules::push`].
    pub fn push(&mut self, row: i64, line: &str, builder: &mut InputBuilder) -> Result<bool, Reason> {
        let object = parse_object(line)?;
        self.roles.note(object.keys().map(|key| key.0.as_ref()));
        self.note_time(&object);
        self.note_numbers(&object);
        let mut draft = Draft { row, levels: vec![Cow::Borrowed(""); self.roles.levels], ..Draft::default() };
        let (key, value) = properties_of(&object, &self.properties_key);
        let given = value.map_or(Ok(None), object_text);
        let given = given.map_err(|reason| column_reason(key, &reason))?;
        let mut parts = PropertyParts::default();
        if let Some(text) = &given {
            parts.given = parse_object(text).map_err(|reason| column_reason(key, &reason))?;
        }
        let mut others: Vec<(&KeyRoles, &str, &RawValue)> = Vec::new();
        let mut roleless: Vec<(&str, &RawValue)> = Vec::new();
        for (key, value) in object.iter().filter(|(_, value)| !is_empty(value)) {
            match self.roles.of(&key.0) {
                None => {
                    roleless.push((key.0.as_ref(), *value));
                    parts.others.push((key.0.as_ref(), *value));
                }
                Some(roles) if roles.rank == 0 => feed(roles, &key.0, value, &mut draft, &mut parts)?,
                Some(roles) => others.push((roles, key.0.as_ref(), *value)),
            }
        }
        // Keys in another case, and the Segment spec's: each counts where no better one is given.
        others.sort_by_key(|(roles, ..)| roles.rank);
        let mut taken: Vec<(&KeyRoles, Member<'_>)> = Vec::new();
        for (roles, key, value) in others {
            let exact = object.get_key_value(roles.exact.as_str()).filter(|(_, exact)| !is_empty(exact));
            if exact.is_none() && !roles.roles.iter().any(|role| is_fed(role, &draft)) {
                feed(roles, key, value, &mut draft, &mut parts)?;
                taken.push((roles, (key, value)));
                continue;
            }
            parts.others.push((key, value));
            let better = || taken.iter().find(|(other, _)| other.exact == roles.exact).map(|(_, member)| *member);
            let counts = exact.map(|(key, value)| (key.0.as_ref(), *value)).or_else(better);
            if let (Some(counts), Some(target)) = (counts, roles.roles.iter().find_map(target_of)) {
                self.notes.twins.note(counts, (key, value), Some(target));
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
        self.lift(&parts.given, kind, &mut draft);
        let properties = parts.given.iter().map(|(key, value)| (key.0.as_ref(), *value));
        self.unused.note(&draft, filled_keys(roleless.into_iter()), filled_keys(properties), kind.has_traits());
        if !kind.has_traits() {
            self.note_twin_members(&parts);
        }
        let lacks_time = draft.values[EventField::Ts.index()].is_none();
        if lacks_time
            && !self.time_is_mapped
            && !self.roles.feeds(EventField::Ts, object.keys().map(|key| key.0.as_ref()))
        {
            let keys = columns_text(object.keys().map(|key| key.0.as_ref()));
            let missing = format!("{MISSING_TIME}: add --map ts=FIELD ({keys})");
            return Err(self.rules.at(EventField::Ts, &missing));
        }
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

    /// Whether a field is for the time, until one has been.
    fn note_time(&mut self, object: &RawObject<'_>) {
        if self.names_time || object.is_empty() {
            return;
        }
        let keys = || object.keys().map(|key| key.0.as_ref());
        self.names_time = self.roles.feeds(EventField::Ts, keys());
        if !self.names_time && self.keys_without_time.is_none() {
            self.keys_without_time = Some(columns_text(keys()));
        }
    }

    fn note_numbers(&self, object: &RawObject<'_>) {
        // Few values tell anything: the others' keys are not looked up once more.
        for (key, value) in object.iter().filter(|(_, value)| self.notes.decimal_marks.tells(value.get())) {
            if self.roles.of(&key.0).is_some_and(feeds_number) {
                self.notes.decimal_marks.note_json(&key.0, value.get());
            }
        }
    }

    /// Of properties that say something of an order and differ in case one is read.
    fn note_twin_members(&self, parts: &PropertyParts<'_>) {
        let given = parts.given.iter().map(|(key, value)| (key.0.as_ref(), *value));
        let others = parts.others.iter().copied().filter(|(key, _)| !parts.given.contains_key(*key));
        // Fields have been looked at before.
        let is_read = |(key, value): &Member<'_>| {
            !is_empty(value) && orders::is_read(key) && EventField::from_name(key).is_none()
        };
        let read: Vec<Member<'_>> = given.chain(others).filter(is_read).collect();
        for (at, one) in read.iter().enumerate() {
            for other in read[at + 1..].iter().filter(|other| other.0.eq_ignore_ascii_case(one.0)) {
                // The exact name counts, else the last one.
                let is_exact = one.0.bytes().all(|byte| !byte.is_ascii_uppercase());
                let [taken, left] = if is_exact { [one, other] } else { [other, one] };
                self.notes.twins.note(*taken, *left, None);
            }
        }
    }

    fn lift<'a>(&self, properties: &RawObject<'a>, kind: EventKind, draft: &mut Draft<'a>) {
        let is_meant = |field: &EventField| !kind.has_traits() || LIFTED_FROM_TRAITS.contains(field);
        for field in self.lifted.iter().copied().filter(is_meant) {
            let has_levels = field == EventField::Category && !draft.levels.is_empty();
            if has_levels || draft.values[field.index()].as_deref().and_then(trimmed).is_some() {
                continue;
            }
            let named = properties.iter().filter(|(_, value)| !is_empty(value));
            let ranked = named.filter_map(|(key, value)| Some((field.name_match(&key.0)?, (key.0.as_ref(), *value))));
            let ranked: Vec<(u8, Member<'_>)> = ranked.collect();
            let Some((_, best)) = ranked.iter().min_by_key(|(rank, _)| *rank) else { continue };
            for (_, other) in ranked.iter().filter(|(_, other)| other.0 != best.0) {
                self.notes.twins.note(*best, *other, None);
            }
            if let Some(&value) = properties.get(best.0) {
                self.lift_value(field, value, draft);
            }
        }
    }

    /// An object or array under this key is something else: it stays a property only.
    fn lift_value<'a>(&self, field: EventField, value: &'a RawValue, draft: &mut Draft<'a>) {
        if field.is_number() {
            self.notes.decimal_marks.note_json(field.name(), value.get());
        }
        let text = || field_text(field, value).ok().flatten();
        match field {
            EventField::Category if value.get().starts_with('[') => {
                draft.levels = levels_of(value).unwrap_or_default();
            }
            EventField::Quantity | EventField::Cost => {
                let text = text().filter(|text| trimmed(text).is_some());
                // Of a product that was looked at nobody needs it: the event is kept, and what is no number is counted.
                let (number, other) = match text {
                    Some(text) if decimal_from_text(&text).is_ok() => (Some(text), None),
                    other => (None, other),
                };
                if other.is_some() {
                    self.notes.add_unread_number();
                }
                draft.values[field.index()] = number;
            }
            _ => draft.values[field.index()] = text(),
        }
    }
}

/// What a mapping feeds that stands for the role, where a mapping can.
fn target_of(role: &Role) -> Option<Target> {
    match role {
        Role::Field(field) => Some(Target::Field(*field)),
        Role::Identifier(kind) => Some(Target::Identifier(kind.clone())),
        Role::Level(_) | Role::Property(_) | Role::Traits | Role::Previous => None,
    }
}

/// The keys whose values say something.
fn filled_keys<'k>(members: impl Iterator<Item = (&'k str, &'k RawValue)>) -> impl Iterator<Item = &'k str> {
    members.filter(|(_, value)| !is_empty(value) && value.get() != "\"\"").map(|(key, _)| key)
}

/// A category's levels, where it is a list.
fn levels_of(value: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    let levels: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
    let levels: Result<Vec<_>, Reason> = levels.into_iter().map(scalar_text).collect();
    Some(levels.ok()?.into_iter().flatten().collect())
}

/// The key, in any case, and the value of the object of properties.
fn properties_of<'o>(object: &'o RawObject<'_>, wanted: &str) -> (&'o str, Option<&'o RawValue>) {
    let in_any_case = || object.iter().find(|(key, _)| key.0.eq_ignore_ascii_case(wanted));
    match object.get_key_value(wanted).or_else(in_any_case) {
        Some((key, value)) => (key.0.as_ref(), Some(*value)),
        None => ("properties", None),
    }
}

/// The text of an object; some exports write it as a string once more.
fn object_text(value: &RawValue) -> Result<Option<Cow<'_, str>>, Reason> {
    match value.get().starts_with('{') {
        true => Ok(Some(Cow::Borrowed(value.get()))),
        false => Ok(scalar_text(value)?.filter(|text| trimmed(text).is_some())),
    }
}

/// Gives the value of one key to all that it is for.
fn feed<'a>(
    roles: &'a KeyRoles,
    key: &'a str,
    value: &'a RawValue,
    draft: &mut Draft<'a>,
    parts: &mut PropertyParts<'a>,
) -> Result<(), Reason> {
    let mut each = roles.roles.iter();
    each.try_for_each(|role| apply(role, key, value, draft, parts)).map_err(|reason| column_reason(key, &reason))
}

/// Whether the value of a key is read as a number.
fn feeds_number(roles: &KeyRoles) -> bool {
    roles.roles.iter().any(|role| matches!(role, Role::Field(field) if field.is_number()))
}

/// Whether what the role feeds has its value already. Identifiers add up.
fn is_fed(role: &Role, draft: &Draft<'_>) -> bool {
    match role {
        Role::Field(EventField::Category) => {
            !draft.levels.is_empty() || draft.values[EventField::Category.index()].is_some()
        }
        Role::Field(field) => draft.values[field.index()].is_some(),
        Role::Level(place) => !draft.levels[*place].is_empty(),
        Role::Previous => draft.previous.is_some(),
        Role::Identifier(_) | Role::Property(_) | Role::Traits => false,
    }
}

/// Gives the value of one key to one thing that it is for.
fn apply<'a>(
    role: &'a Role,
    key: &'a str,
    value: &'a RawValue,
    draft: &mut Draft<'a>,
    parts: &mut PropertyParts<'a>,
) -> Result<(), Reason> {
    match role {
        Role::Field(field) => apply_field(*field, value, draft),
        Role::Level(place) => {
            if let Some(text) = scalar_text(value)? {
                draft.levels[*place] = text;
            }
            Ok(())
        }
        Role::Identifier(kind) => {
            if let Some(text) = identifier_text(value)? {
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
        Role::Previous => {
            // Of events that are no alias this may be anything.
            draft.previous = identifier_text(value).ok().flatten();
            parts.others.push((key, value));
            Ok(())
        }
    }
}

/// The text of a value that is one: of identifiers, whole numbers by their digits.
fn field_text(field: EventField, value: &RawValue) -> Result<Option<Cow<'_, str>>, Reason> {
    if field.treatment() == Treatment::Id { identifier_text(value) } else { scalar_text(value) }
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
            draft.values[field.index()] = Some(Cow::Borrowed(text));
            Ok(())
        }
        _ => {
            draft.values[field.index()] = field_text(field, value)?;
            Ok(())
        }
    }
}
