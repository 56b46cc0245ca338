//! Keys of a file's rows that feed nothing, for the note about those that look like a field. Must not know how keys are
//! used.
//!
//! Rows differ: a key counts in a row that lacks what the key looks like, whatever other rows have.

use std::collections::BTreeMap;

use super::super::coerce::trimmed;
use super::super::draft::Draft;
use super::super::field::{EventField, FIELD_COUNT};
use super::super::look_alike::{LookAlikes, Notes, Resemblances};
use super::super::mapping::Target;
use super::super::options::ReadOptions;

/// What the rows so far had.
pub struct UnusedKeys {
    resemblances: Resemblances,
    /// Keys of rows that look like what their row lacks.
    keys: BTreeMap<String, Target>,
    /// The same of keys within properties.
    properties: BTreeMap<String, Target>,
    /// By [`EventField::index`]: some row has a value.
    fed: [bool; FIELD_COUNT],
    mapped: Vec<Target>,
}

impl UnusedKeys {
    pub fn new(options: &ReadOptions) -> Self {
        Self {
            resemblances: Resemblances::default(),
            keys: BTreeMap::new(),
            properties: BTreeMap::new(),
            fed: [false; FIELD_COUNT],
            mapped: options.mapping.entries().map(|(target, _)| target.clone()).collect(),
        }
    }

    /// Takes note of a row: what it has, whatever keys that came from, its keys without a role, and those within its
    /// properties, or its traits.
    pub fn note<'k>(
        &mut self,
        draft: &Draft<'_>,
        keys: impl Iterator<Item = &'k str>,
        properties: impl Iterator<Item = &'k str>,
        has_traits: bool,
    ) {
        for field in EventField::all() {
            self.fed[field.index()] |= is_fed(field, draft);
        }
        let mapped = &self.mapped;
        let is_lacking = |target: &Target| !mapped.contains(target) && lacks(draft, target);
        for key in keys {
            if let Some(target) = self.resemblances.of(key).filter(is_lacking) {
                self.keys.entry(key.to_owned()).or_insert(target);
            }
        }
        for key in properties {
            // What a person is like may be named as he likes, but for what names him.
            let is_said: fn(&Target) -> bool = if has_traits { is_identifier } else { is_said_in_properties };
            let target = self.resemblances.of(key).filter(is_said);
            // What has the field's own name was read, if only to find that it is no number.
            let is_read = |target: &Target| matches!(target, Target::Field(field) if is_lifted_as(*field, key));
            if let Some(target) = target.filter(|target| is_lacking(target) && !is_read(target)) {
                self.properties.entry(key.to_owned()).or_insert(target);
            }
        }
    }

    pub fn report(&self, lifted: &[EventField], notes: &Notes) {
        let mut found = LookAlikes::default();
        for (key, target) in &self.keys {
            let is_fed = matches!(target, Target::Field(field) if self.fed[field.index()]);
            found.add(key, target, is_fed);
        }
        found.report(notes);
        let mut within = LookAlikes::default();
        for (key, target) in &self.properties {
            // Named as the field they are read.
            let is_lifted = matches!(target, Target::Field(field) if lifted.contains(field));
            within.add(key, target, is_lifted);
        }
        within.report_within_properties(notes);
    }
}

fn is_identifier(target: &Target) -> bool {
    matches!(target, Target::Identifier(_))
}

/// What programs say in the properties of an event, be it read there or not: not the event's own time or name.
fn is_said_in_properties(target: &Target) -> bool {
    match target {
        Target::Field(EventField::UserId | EventField::AnonymousId) | Target::Identifier(_) => true,
        Target::Field(field) => super::object::LIFTED.contains(field),
        Target::Property(_) => false,
    }
}

fn is_lifted_as(field: EventField, key: &str) -> bool {
    super::object::LIFTED.contains(&field) && field.name_match(key).is_some()
}

/// Whether the row has nothing of what a key looks like.
fn lacks(draft: &Draft<'_>, target: &Target) -> bool {
    match target {
        Target::Field(field) => !is_fed(*field, draft),
        Target::Identifier(kind) => draft.identifiers.iter().all(|(known, _)| known != kind),
        Target::Property(_) => false,
    }
}

fn is_fed(field: EventField, draft: &Draft<'_>) -> bool {
    let is_given = draft.values[field.index()].as_deref().and_then(trimmed).is_some();
    match field {
        EventField::Category => is_given || draft.levels.iter().any(|level| trimmed(level).is_some()),
        EventField::Identifiers => is_given || !draft.identifiers.is_empty(),
        _ => is_given,
    }
}
