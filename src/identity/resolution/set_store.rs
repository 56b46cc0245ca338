//! The identifier sets of a workspace, found by node. A copy is a state that never changes ([`Chunked`]).
//!
//! Must not know what follows from a set.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::error::{Error, Result};
use crate::identity::chunked::Chunked;
use crate::identity::sets::{OriginId, SetFacts};
use crate::ids::Node;

pub(super) type SetNumber = u32;

/// No mention: there are never so many.
const NONE: u32 = u32::MAX;

/// Sets that are shared with the states that readers hold.
#[derive(Debug, Clone, Default)]
pub(super) struct SetStore {
    sets: Chunked<SetEntry>,
    /// The nodes of all sets, one set behind the other.
    mentions: Chunked<Mention>,
    /// By node: its newest mention.
    newest: Chunked<u32>,
}

#[derive(Debug, Clone, Copy)]
struct SetEntry {
    /// Where its mentions end.
    end: u32,
    /// No events: it was taken out.
    facts: SetFacts,
}

#[derive(Debug, Clone, Copy)]
struct Mention {
    node: Node,
    set: SetNumber,
    /// The mention of the same node before this one.
    before: u32,
}

/// First and last time of the events of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) events: u32,
}

/// What a set changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addition {
    New,
    /// One that is there got other times.
    OtherTimes,
    Same,
}

/// Finds sets by their nodes; only who adds sets needs it.
#[derive(Debug, Default)]
pub(super) struct SetIndex {
    hasher: DefaultHashBuilder,
    places: HashTable<SetNumber>,
}

impl SetStore {
    /// Makes room for nodes up to `count`.
    pub(super) fn grow(&mut self, count: usize) {
        for _ in self.newest.len()..count {
            self.newest.push(NONE);
        }
    }

    /// Adds events of one set. Nodes are the main one, then the others; [`Self::grow`] made room for them.
    ///
    /// # Errors
    /// `Busy` when all numbers are given.
    pub(super) fn add(&mut self, nodes: &[Node], facts: SetFacts, index: &mut SetIndex) -> Result<Addition> {
        if let Some(set) = index.find(self, nodes, facts.origin) {
            let Some(held) = self.sets.get_mut(set as usize) else { return Ok(Addition::Same) };
            let (first, last) = (held.facts.first_seen, held.facts.last_seen);
            held.facts.first_seen = first.min(facts.first_seen);
            held.facts.last_seen = last.max(facts.last_seen);
            held.facts.events = held.facts.events.saturating_add(facts.events);
            let is_same = (first, last) == (held.facts.first_seen, held.facts.last_seen);
            return Ok(if is_same { Addition::Same } else { Addition::OtherTimes });
        }
        let set = self.sets.len() as SetNumber;
        let end = u32::try_from(self.mentions.len() + nodes.len()).ok().filter(|end| *end != NONE);
        let end = end.ok_or_else(|| Error::busy("the workspace has 2^32 links of identifiers: no number is left"))?;
        for node in nodes {
            let mention = self.mentions.len() as u32;
            if let Some(newest) = self.newest.get_mut(*node as usize) {
                let before = std::mem::replace(newest, mention);
                self.mentions.push(Mention { node: *node, set, before });
            }
        }
        self.sets.push(SetEntry { end, facts });
        index.insert(self, set);
        Ok(Addition::New)
    }

    /// Takes out a set; whether it was there.
    pub(super) fn remove(&mut self, nodes: &[Node], origin: OriginId, index: &mut SetIndex) -> bool {
        let Some(set) = index.find(self, nodes, origin) else { return false };
        index.remove(self, set);
        if let Some(held) = self.sets.get_mut(set as usize) {
            held.facts.events = 0;
        }
        true
    }

    /// All sets that are there.
    pub(super) fn numbers(&self) -> impl Iterator<Item = SetNumber> + '_ {
        (0..).zip(self.sets.iter()).filter(|(_, held)| held.facts.events > 0).map(|(set, _)| set)
    }

    /// The sets that have a node, newest first.
    pub(super) fn of_node(&self, node: Node) -> impl Iterator<Item = SetNumber> + '_ {
        let mut place = self.newest.get(node as usize).unwrap_or(NONE);
        std::iter::from_fn(move || {
            loop {
                let Mention { set, before, .. } = self.mentions.get(place as usize)?;
                place = before;
                if self.sets.get(set as usize).is_some_and(|held| held.facts.events > 0) {
                    return Some(set);
                }
            }
        })
    }

    /// Puts the nodes of a set in place of those that are in `nodes`; its times.
    pub(super) fn read(&self, set: SetNumber, nodes: &mut Vec<Node>) -> Option<Times> {
        let SetFacts { first_seen, last_seen, events, .. } = self.sets.get(set as usize)?.facts;
        nodes.clear();
        nodes.extend(self.nodes(set));
        Some(Times { first: first_seen, last: last_seen, events })
    }

    fn nodes(&self, set: SetNumber) -> impl Iterator<Item = Node> + '_ {
        let end_of = |set: usize| self.sets.get(set).map_or(0, |held| held.end as usize);
        let start = (set as usize).checked_sub(1).map_or(0, end_of);
        self.mentions.range(start..end_of(set as usize)).map(|mention| mention.node)
    }

    fn origin(&self, set: SetNumber) -> OriginId {
        self.sets.get(set as usize).map_or(OriginId::MAX, |held| held.facts.origin)
    }

    fn is(&self, set: SetNumber, nodes: &[Node], origin: OriginId) -> bool {
        self.origin(set) == origin && self.nodes(set).eq(nodes.iter().copied())
    }
}

impl SetIndex {
    fn find(&self, sets: &SetStore, nodes: &[Node], origin: OriginId) -> Option<SetNumber> {
        let hash = hash(&self.hasher, nodes.iter().copied(), origin);
        self.places.find(hash, |set| sets.is(*set, nodes, origin)).copied()
    }

    fn insert(&mut self, sets: &SetStore, set: SetNumber) {
        let Self { hasher, places } = self;
        let hash_of = |set: &SetNumber| hash(hasher, sets.nodes(*set), sets.origin(*set));
        places.insert_unique(hash_of(&set), set, hash_of);
    }

    fn remove(&mut self, sets: &SetStore, set: SetNumber) {
        let hash = hash(&self.hasher, sets.nodes(set), sets.origin(set));
        if let Ok(held) = self.places.find_entry(hash, |held| *held == set) {
            held.remove();
        }
    }
}

fn hash(hasher: &DefaultHashBuilder, nodes: impl Iterator<Item = Node>, origin: OriginId) -> u64 {
    let mut hasher = hasher.build_hasher();
    nodes.for_each(|node| hasher.write_u32(node));
    hasher.write_u32(origin);
    hasher.finish()
}
