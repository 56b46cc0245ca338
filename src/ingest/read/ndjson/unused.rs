//! Keys of a file that feed nothing, for the note about those that look like a field. Must not know how keys are used.

use std::collections::BTreeSet;

use super::super::draft::Draft;
use super::super::field::{EventField, FIELD_COUNT};
use super::super::look_alike::{LookAlikes, Notes};
use super::super::mapping::Target;
use super::super::options::ReadOptions;

/// Keys that are remembered; a file with more has keys that are values.
const MAX_KEYS: usize = 1_000;
/// Rows whose properties are looked at: there are many keys in them, and a file repeats them.
const ROWS_WITH_PROPERTIES: usize = 1_000;

/// What the rows so far had.
pub struct UnusedKeys {
    keys: BTreeSet<String>,
    /// Keys within the properties of the first rows.
    properties: BTreeSet<String>,
    rows_with_properties: usize,
    /// By [`EventField::index`]: some row has a value.
    fed: [bool; FIELD_COUNT],
    has_identifiers: bool,
    mapped: Vec<Target>,
}

impl UnusedKeys {
    pub fn new(options: &ReadOptions) -> Self {
        let mapped = options.mapping.entries().map(|(target, _)| target.clone()).collect();
        Self {
            keys: BTreeSet::new(),
            properties: BTreeSet::new(),
            rows_with_properties: 0,
            fed: [false; FIELD_COUNT],
            has_identifiers: false,
            mapped,
        }
    }

    pub fn note(&mut self, key: &str) {
        if self.keys.len() < MAX_KEYS && !self.keys.contains(key) {
            self.keys.insert(key.to_owned());
        }
    }

    /// Takes note of the keys within a row's properties.
    pub fn note_properties<'k>(&mut self, keys: impl Iterator<Item = &'k str>) {
        if self.rows_with_properties == ROWS_WITH_PROPERTIES {
            return;
        }
        self.rows_with_properties += 1;
        for key in keys {
            if self.properties.len() < MAX_KEYS && !self.properties.contains(key) {
                self.properties.insert(key.to_owned());
            }
        }
    }

    /// Takes note of what a row has, whatever key it came from.
    pub fn note_fed(&mut self, draft: &Draft<'_>) {
        for field in EventField::all() {
            self.fed[field.index()] |= draft.values[field.index()].is_some();
        }
        self.fed[EventField::Category.index()] |= !draft.levels.is_empty();
        self.has_identifiers |= !draft.identifiers.is_empty();
    }

    /// `lifted` are the fields that are read out of properties, too.
    pub fn report(&self, lifted: &[EventField], notes: &Notes) {
        let mut found = LookAlikes::default();
        for key in &self.keys {
            found.look_at(key, |target| {
                let is_fed = match target {
                    Target::Field(field) => self.fed[field.index()],
                    Target::Identifier(_) => self.has_identifiers,
                    Target::Property(_) => true,
                };
                is_fed || self.mapped.contains(target)
            });
        }
        found.report(notes);
        let mut within = LookAlikes::default();
        for key in &self.properties {
            within.look_at(key, |target| match target {
                Target::Field(field) => self.fed[field.index()] || !lifted.contains(field),
                Target::Identifier(_) | Target::Property(_) => true,
            });
        }
        within.report_within_properties(notes);
    }
}
