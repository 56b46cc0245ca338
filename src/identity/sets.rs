//! Identifier sets: which identifiers stood together on events, when first and last, and where these events came from.
//!
//! A set is kept whole, since the links that follow from it depend on the rules in force. Must not know what a link is.

mod mark;
mod origins;
#[cfg(test)]
mod tests;

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use self::mark::Mark;
use crate::error::{Error, Result};
use crate::ids::Node;

pub(super) use self::origins::OriginIndex;
pub use self::origins::OriginRef;

/// Number of an [`Origin`] among those of a batch.
pub type OriginId = u32;

/// Where an event came from: rules may let some sources and types of events link identifiers, and others not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub source: Option<String>,
    /// Type of the event: `track`, `identify`, ...
    pub kind: String,
    /// The load that brought it; `None` for one that came by a stream.
    pub load: Option<u32>,
}

/// What an event says beside its identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Microseconds since 1970.
    pub ts: i64,
    pub origin: OriginId,
}

/// Of all events of one set and one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetFacts {
    pub origin: OriginId,
    /// Time of the earliest event, in microseconds since 1970.
    pub first_seen: i64,
    pub last_seen: i64,
    pub events: u32,
}

/// Sets in the order in which they came first. The nodes of each are the main one, then the others, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentifierSets {
    pub(super) origins: Vec<Origin>,
    /// Of all sets, one behind the other.
    nodes: Vec<Node>,
    /// Where the nodes of each set end.
    ends: Vec<u32>,
    facts: Vec<SetFacts>,
}

impl IdentifierSets {
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Of memory.
    pub fn bytes(&self) -> usize {
        let text = |origin: &Origin| origin.kind.len() + origin.source.as_ref().map_or(0, String::len);
        let texts: usize = self.origins.iter().map(text).sum();
        texts
            + self.origins.len() * size_of::<Origin>()
            + (self.nodes.len() + self.ends.len()) * size_of::<Node>()
            + self.facts.len() * size_of::<SetFacts>()
    }

    /// The nodes of each set, and its facts.
    pub fn iter(&self) -> impl Iterator<Item = (&[Node], &SetFacts)> {
        self.range(0..self.len())
    }

    /// # Panics
    /// For a range beyond the end.
    pub(super) fn range(&self, range: Range<usize>) -> impl Iterator<Item = (&[Node], &SetFacts)> {
        range.map(|place| (self.nodes_of(place), &self.facts[place]))
    }

    pub fn origin(&self, id: OriginId) -> Option<&Origin> {
        self.origins.get(id as usize)
    }

    /// # Panics
    /// For a place where there is no set.
    fn nodes_of(&self, place: usize) -> &[Node] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.nodes[start as usize..self.ends[place] as usize]
    }

    /// Adds a set behind the others.
    ///
    /// # Errors
    /// `Busy` when there are too many for one batch.
    pub(super) fn push(&mut self, nodes: &[Node], facts: SetFacts) -> Result<()> {
        let end = u32::try_from(self.nodes.len() + nodes.len())
            .map_err(|_| Error::busy("too many identifiers in one load: split it"))?;
        self.nodes.extend_from_slice(nodes);
        self.ends.push(end);
        self.facts.push(facts);
        Ok(())
    }

    /// Adds the sets of the next batch behind these, as they are: a set may stand twice.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn append(&mut self, next: &Self) -> Result<()> {
        let mut known = OriginIndex::of(&self.origins);
        let origins = next.origins.iter().map(|origin| self.origin_id(origin.by_ref(), &mut known));
        let origins: Vec<OriginId> = origins.collect();
        let push = |(nodes, facts): (&[Node], &SetFacts)| {
            self.push(nodes, SetFacts { origin: origins[facts.origin as usize], ..*facts })
        };
        next.iter().try_for_each(push)
    }

    /// The number of an origin; `known` has those of the ones that are there.
    pub(super) fn origin_id(&mut self, origin: OriginRef<'_>, known: &mut OriginIndex) -> OriginId {
        known.number(origin, &mut self.origins)
    }
}

/// Gathers sets: of those with the same nodes and origin it makes one.
#[derive(Debug, Default)]
pub struct SetBuilder {
    sets: IdentifierSets,
    origins: OriginIndex,
    hasher: DefaultHashBuilder,
    /// Places by the hash of nodes and origin.
    places: HashTable<u32>,
    /// The nodes at hand, kept to save an allocation an event.
    nodes: Vec<Node>,
    /// Where it can go back to.
    mark: Option<Mark>,
}

impl SetBuilder {
    /// The number of an origin.
    pub fn origin(&mut self, origin: OriginRef<'_>) -> OriginId {
        self.sets.origin_id(origin, &mut self.origins)
    }

    /// Adds the identifiers of one event; `others` may have the main node, too, and each node once.
    ///
    /// # Errors
    /// As [`IdentifierSets::push`].
    pub fn add_event(&mut self, main: Node, others: impl Iterator<Item = Node>, seen: Seen) -> Result<()> {
        let Seen { ts, origin } = seen;
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.clear();
        nodes.push(main);
        nodes.extend(others.filter(|node| *node != main));
        nodes[1..].sort_unstable();
        let added = self.add(&nodes, SetFacts { origin, first_seen: ts, last_seen: ts, events: 1 });
        self.nodes = nodes;
        added
    }

    /// Adds the sets of another batch, those with the same nodes and origin to each other.
    ///
    /// # Errors
    /// As [`IdentifierSets::push`].
    pub fn add_sets(&mut self, sets: &IdentifierSets) -> Result<()> {
        let origins: Vec<OriginId> = sets.origins.iter().map(|origin| self.origin(origin.by_ref())).collect();
        for (nodes, facts) in sets.iter() {
            self.add(nodes, SetFacts { origin: origins[facts.origin as usize], ..*facts })?;
        }
        Ok(())
    }

    pub fn sets(&self) -> &IdentifierSets {
        &self.sets
    }

    pub fn finish(self) -> IdentifierSets {
        self.sets
    }

    fn add(&mut self, nodes: &[Node], facts: SetFacts) -> Result<()> {
        let Self { sets, hasher, places, mark, .. } = self;
        let hash = hasher.hash_one((nodes, facts.origin));
        let is_same = |place: &u32| {
            let place = *place as usize;
            sets.facts[place].origin == facts.origin && sets.nodes_of(place) == nodes
        };
        if let Some(place) = places.find(hash, is_same) {
            let held = &mut sets.facts[*place as usize];
            if let Some(mark) = mark {
                mark.note(*place, *held);
            }
            held.first_seen = held.first_seen.min(facts.first_seen);
            held.last_seen = held.last_seen.max(facts.last_seen);
            held.events = held.events.saturating_add(facts.events);
            return Ok(());
        }
        // Each set has a node, and nodes are counted by u32.
        let place = sets.len() as u32;
        sets.push(nodes, facts)?;
        let hash_of = |place: &u32| {
            let place = *place as usize;
            hasher.hash_one((sets.nodes_of(place), sets.facts[place].origin))
        };
        places.insert_unique(hash, place, hash_of);
        Ok(())
    }
}
