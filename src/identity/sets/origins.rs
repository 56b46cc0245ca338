//! Finds the numbers of origins. The origins themselves stand once, beside their sets; must not know what a set is.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Origin, OriginId};

/// An origin whose texts stand elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginRef<'o> {
    pub source: Option<&'o str>,
    pub kind: &'o str,
    pub load: Option<u32>,
}

/// Numbers of the origins of one list.
#[derive(Debug, Default)]
pub(in crate::identity) struct OriginIndex {
    hasher: DefaultHashBuilder,
    /// By the hash of their origins.
    ids: HashTable<OriginId>,
    /// That was asked for last: most sets have the origin of the one before.
    last: Option<OriginId>,
}

impl Origin {
    pub fn by_ref(&self) -> OriginRef<'_> {
        OriginRef { source: self.source.as_deref(), kind: &self.kind, load: self.load }
    }
}

impl OriginRef<'_> {
    fn to_origin(self) -> Origin {
        Origin { source: self.source.map(str::to_owned), kind: self.kind.to_owned(), load: self.load }
    }
}

impl OriginIndex {
    /// Of origins that differ.
    pub(super) fn of(origins: &[Origin]) -> Self {
        let mut index = Self::default();
        (0..).zip(origins).for_each(|(id, _)| index.insert(id, origins));
        index
    }

    /// The number of an origin, which is put behind the others where it is new. `origins` are those of this index.
    pub(super) fn number(&mut self, origin: OriginRef<'_>, origins: &mut Vec<Origin>) -> OriginId {
        let is_it = |id: &OriginId| origins.get(*id as usize).is_some_and(|held| held.by_ref() == origin);
        if let Some(last) = self.last.filter(is_it) {
            return last;
        }
        let found = self.ids.find(self.hasher.hash_one(origin), is_it).copied();
        let id = found.unwrap_or_else(|| {
            let id = origins.len() as OriginId;
            origins.push(origin.to_origin());
            self.insert(id, origins);
            id
        });
        self.last = Some(id);
        id
    }

    /// Keeps the numbers of the first `length` origins.
    pub(super) fn truncate(&mut self, length: usize) {
        self.ids.retain(|id| (*id as usize) < length);
        self.last = None;
    }

    fn insert(&mut self, id: OriginId, origins: &[Origin]) {
        let Self { hasher, ids, .. } = self;
        let hash_of = |id: &OriginId| hasher.hash_one(origins[*id as usize].by_ref());
        ids.insert_unique(hash_of(&id), id, hash_of);
    }
}
