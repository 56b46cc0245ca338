//! What each key of an object is for. Unlike a CSV file's columns, keys are known only as the rows come.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::super::draft::PREVIOUS_ID;
use super::super::field::{EventField, FIELD_COUNT};
use super::super::layout::missing_column;
use super::super::mapping::Target;
use super::super::options::ReadOptions;
use crate::error::{Error, Result};

/// What the value of one key feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Field(EventField),
    /// One level of the category, by place.
    Level(usize),
    Identifier(String),
    Property(String),
    /// The properties of identify and group in the Segment spec.
    Traits,
    /// What an alias links its user to; a property, too.
    Previous,
}

/// What a key is for.
#[derive(Debug, Clone)]
pub struct KeyRoles {
    pub roles: Vec<Role>,
    /// How well the key is what was meant, 0 for exactly: in another case, or by the Segment spec's name. Of the keys of
    /// one object that feed the same, the best counts.
    pub rank: u8,
    /// The key that was meant.
    pub exact: String,
}

/// Roles by key, and which mapped keys no row has had so far.
pub struct Roles {
    by_key: HashMap<String, KeyRoles>,
    /// By key in lower case, for keys in another case.
    by_lower_case: HashMap<String, KeyRoles>,
    /// Mapped keys that no row has had.
    unseen: Vec<(Target, String)>,
    /// Keys of the first rows, for the message about a mapped key that never came.
    seen: BTreeSet<String>,
    pub levels: usize,
}

impl Roles {
    pub fn new(options: &ReadOptions) -> Self {
        let mut roles = Self {
            by_key: HashMap::new(),
            by_lower_case: HashMap::new(),
            unseen: Vec::new(),
            seen: BTreeSet::new(),
            levels: 0,
        };
        roles.add_mapped(options);
        for field in EventField::all().filter(|field| !options.mapping.maps(*field)) {
            roles.add(field.name(), 0, field.name(), Role::Field(field));
        }
        // After all own names: where a field's other name is the own one of another field, it is that one's.
        for field in EventField::all().filter(|field| !options.mapping.maps(*field)) {
            if let Some(alias) = field.alias() {
                roles.add(alias, 2, field.name(), Role::Field(field));
            }
        }
        roles.add("traits", 0, "traits", Role::Traits);
        PREVIOUS_ID.iter().for_each(|name| roles.add(name, 0, name, Role::Previous));
        roles
    }

    fn add_mapped(&mut self, options: &ReadOptions) {
        for (target, columns) in options.mapping.entries() {
            for (place, column) in columns.iter().enumerate() {
                let role = match target {
                    Target::Field(_) if columns.len() > 1 => Role::Level(place),
                    Target::Field(field) => Role::Field(*field),
                    Target::Identifier(kind) => Role::Identifier(kind.clone()),
                    Target::Property(key) => Role::Property(key.clone()),
                };
                if matches!(role, Role::Level(_)) {
                    self.levels = columns.len();
                }
                let held = self.by_key.entry(column.clone());
                let held = held.or_insert_with(|| KeyRoles { roles: Vec::new(), rank: 0, exact: column.clone() });
                held.roles.push(role);
                self.unseen.push((target.clone(), column.clone()));
            }
        }
        for mapped in self.by_key.values() {
            self.by_lower_case.insert(mapped.exact.to_lowercase(), KeyRoles { rank: 1, ..mapped.clone() });
        }
    }

    /// A role that comes without a mapping; a mapped key keeps its own.
    fn add(&mut self, key: &str, rank: u8, exact: &str, role: Role) {
        let roles = KeyRoles { roles: vec![role], rank, exact: exact.to_owned() };
        if let Entry::Vacant(vacant) = self.by_key.entry(key.to_owned()) {
            vacant.insert(roles.clone());
        }
        self.by_lower_case.entry(key.to_lowercase()).or_insert(KeyRoles { rank: rank + 1, ..roles });
    }

    pub fn of(&self, key: &str) -> Option<&KeyRoles> {
        self.by_key.get(key).or_else(|| self.by_lower_case.get(&key.to_lowercase()))
    }

    /// Whether one of the keys is for this field.
    pub fn feeds<'a>(&self, field: EventField, mut keys: impl Iterator<Item = &'a str>) -> bool {
        keys.any(|key| self.of(key).is_some_and(|known| known.roles.contains(&Role::Field(field))))
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
            let lower = key.to_lowercase();
            self.unseen.retain(|(_, column)| column != key && column.to_lowercase() != lower);
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
