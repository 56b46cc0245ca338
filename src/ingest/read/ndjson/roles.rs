//! What each key of an object is for. Unlike a CSV file's columns, keys are known only as the rows come.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::super::field::{EventField, FIELD_COUNT};
use super::super::layout::missing_column;
use super::super::mapping::Target;
use super::super::options::ReadOptions;
use crate::error::{Error, Result};

/// What the value of one key feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Field(EventField),
    /// The Segment spec's name of a field: counts where the field's own key is absent.
    Alias(EventField),
    /// One level of the category, by place.
    Level(usize),
    Identifier(String),
    Property(String),
    /// The properties of identify and group in the Segment spec.
    Traits,
}

/// Roles by key, and which mapped keys no row has had so far.
pub struct Roles {
    by_key: HashMap<String, Vec<Role>>,
    /// Mapped keys that no row has had.
    unseen: Vec<(Target, String)>,
    /// Keys of the first rows, for the message about a mapped key that never came.
    seen: BTreeSet<String>,
    pub levels: usize,
}

impl Roles {
    pub fn new(options: &ReadOptions) -> Self {
        let mut roles = Self { by_key: HashMap::new(), unseen: Vec::new(), seen: BTreeSet::new(), levels: 0 };
        for (target, columns) in options.mapping.entries() {
            for (place, column) in columns.iter().enumerate() {
                let role = match target {
                    Target::Field(_) if columns.len() > 1 => Role::Level(place),
                    Target::Field(field) => Role::Field(*field),
                    Target::Identifier(kind) => Role::Identifier(kind.clone()),
                    Target::Property(key) => Role::Property(key.clone()),
                };
                if matches!(role, Role::Level(_)) {
                    roles.levels = columns.len();
                }
                roles.by_key.entry(column.clone()).or_default().push(role);
                roles.unseen.push((target.clone(), column.clone()));
            }
        }
        let mapped_keys: BTreeSet<String> = roles.by_key.keys().cloned().collect();
        let mut add = |key: &str, role: Role| {
            if !mapped_keys.contains(key) {
                roles.by_key.entry(key.to_owned()).or_default().push(role);
            }
        };
        for field in EventField::all().filter(|field| !options.mapping.maps(*field)) {
            add(field.name(), Role::Field(field));
            if let Some(alias) = field.alias() {
                add(alias, Role::Alias(field));
            }
        }
        add("traits", Role::Traits);
        roles
    }

    pub fn of(&self, key: &str) -> &[Role] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// The keys by field, as messages name them.
    pub fn column_names(&self, options: &ReadOptions) -> [String; FIELD_COUNT] {
        let mut names: [String; FIELD_COUNT] = std::array::from_fn(|_| String::new());
        for field in EventField::all() {
            names[field.index()] = field.name().to_owned();
        }
        for (target, columns) in options.mapping.entries() {
            if let Target::Field(field) = target {
                names[field.index()] = columns.join("/");
            }
        }
        names
    }

    /// Takes note of the keys of a row, as long as a mapped key has not been seen.
    pub fn note<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        const NOTED_KEYS: usize = 100;
        if self.unseen.is_empty() {
            return;
        }
        for key in keys {
            self.unseen.retain(|(_, column)| column != key);
            if self.seen.len() < NOTED_KEYS && !self.seen.contains(key) {
                self.seen.insert(key.to_owned());
            }
        }
    }

    /// Fails when a mapped key was in none of the rows: a slip of the pen, not an optional key.
    pub fn check_mapped(&self, path: &Path) -> Result<(), Error> {
        match self.unseen.first() {
            Some((target, column)) if !self.seen.is_empty() => {
                Err(missing_column(path, target, column, self.seen.iter().map(String::as_str)))
            }
            _ => Ok(()),
        }
    }
}
