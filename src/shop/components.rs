//! Persons by the plainest rule: identifiers that appear on one event are one person's.
//!
//! The truth's own union-find, apart from the engine's on purpose, so that one can check the other.

use std::collections::HashMap;

use super::blemish::is_junk;
use super::plan::{Identifier, IdentifierKind};

/// Distinct identifiers, each with a number, and which of them are connected.
#[derive(Default)]
pub struct Components {
    /// By kind in the order of [`IdentifierKind::ALL`]. Only looked up, never iterated.
    numbers: [HashMap<String, u32>; IdentifierKind::ALL.len()],
    kinds: Vec<IdentifierKind>,
    parents: Vec<u32>,
}

impl Components {
    /// Connects the identifiers of one event. Returns one of them, `None` when no usable one is there.
    pub fn connect(&mut self, identifiers: &[Identifier]) -> Option<u32> {
        let mut first = None;
        for identifier in identifiers {
            if is_junk(&identifier.value) {
                continue;
            }
            let number = self.number(identifier.kind, identifier.value.trim());
            match first {
                None => first = Some(number),
                Some(first) => self.union(first, number),
            }
        }
        first
    }

    /// The number of an identifier that has been seen.
    pub fn find(&self, kind: IdentifierKind, value: &str) -> Option<u32> {
        self.numbers[kind as usize].get(value).copied()
    }

    fn number(&mut self, kind: IdentifierKind, value: &str) -> u32 {
        if let Some(number) = self.find(kind, value) {
            return number;
        }
        let number = self.kinds.len() as u32;
        self.numbers[kind as usize].insert(value.to_owned(), number);
        self.kinds.push(kind);
        self.parents.push(number);
        number
    }

    pub fn root(&mut self, mut number: u32) -> u32 {
        while self.parents[number as usize] != number {
            let parent = self.parents[number as usize];
            self.parents[number as usize] = self.parents[parent as usize];
            number = parent;
        }
        number
    }

    fn union(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// Distinct identifiers.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// For each root: (identifiers, cookies, known). Entries of other numbers stay at zero.
    pub fn profiles(&mut self) -> Vec<Profile> {
        let mut profiles = vec![Profile::default(); self.len()];
        for number in 0..self.len() {
            let root = self.root(number as u32);
            let profile = &mut profiles[root as usize];
            profile.identifiers += 1;
            profile.cookies += u64::from(self.kinds[number] == IdentifierKind::AnonymousId);
            profile.known |= self.kinds[number].is_of_person();
        }
        profiles
    }
}

/// What a component holds.
#[derive(Default, Clone)]
pub struct Profile {
    pub identifiers: u64,
    pub cookies: u64,
    pub known: bool,
}
