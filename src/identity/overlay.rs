//! Events that are not durable yet, numbered behind a state that does not change: what is refused leaves no trace.
//!
//! What comes out is a batch like those that are stored, and is taken in as those are: a restart gives the same.

mod attempt;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::batch::{Birth, BirthCause, IdentityBatch};
use super::graph::Crowded;
use super::graph::crowded::crowded;
use super::identifier::TypeId;
use super::sets::{OriginId, OriginRef, Seen, SetBuilder};
use super::snapshot::IdentitySnapshot;
use super::{NumberEvents, main_node};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::{Node, Person};

pub struct Overlay {
    base: IdentitySnapshot,
    clock: Clock,
    /// Without its sets.
    batch: IdentityBatch,
    sets: SetBuilder,
    hasher: DefaultHashBuilder,
    /// Places of new nodes in the batch, by the hash of (type, value).
    places: HashTable<u32>,
    /// Nodes that were nobody's in the state, and are somebody's now.
    placed: HashSet<Node>,
    /// Nodes of the event at hand, kept to save an allocation an event.
    event_nodes: Vec<(TypeId, Node)>,
}

impl Overlay {
    /// `base`: the newest state of the graph that will take in the batch.
    pub fn new(base: IdentitySnapshot, clock: Clock) -> Self {
        Self {
            base,
            clock,
            batch: IdentityBatch::default(),
            sets: SetBuilder::default(),
            hasher: DefaultHashBuilder::default(),
            places: HashTable::new(),
            placed: HashSet::new(),
            event_nodes: Vec::new(),
        }
    }

    /// As [`super::IdentityGraph::crowded`], of the events so far.
    pub fn crowded(&self, most: usize) -> Vec<Crowded> {
        // Nodes of the events so far are numbered in their order.
        let new = |node: Node| self.batch.nodes.get((node as usize).checked_sub(self.base.nodes())?);
        let kind_of = |node| new(node).map_or_else(|| self.base.identifier(node).0, |(_, kind, _)| *kind);
        let value_of = |node| new(node).map_or_else(|| self.base.identifier(node).1, |(_, _, value)| value.clone());
        crowded(self.sets.sets(), most, self.base.types(), kind_of, value_of)
    }

    /// What the events add to the state.
    pub fn finish(self) -> IdentityBatch {
        IdentityBatch { sets: self.sets.finish(), ..self.batch }
    }

    /// Nodes of the state and of the events so far.
    fn len(&self) -> usize {
        self.base.nodes() + self.batch.nodes.len()
    }

    /// Places a node; whether it belonged to nobody before an event, when there were `known_before` nodes.
    fn place(&mut self, node: Node, known_before: usize) -> bool {
        if (node as usize) < self.base.nodes() {
            // One that is nobody's in the state is of a load that is not committed.
            return self.base.person_of(node).is_none() && self.placed.insert(node);
        }
        node as usize >= known_before
    }

    /// The node of an identifier that the state does not have.
    fn new_node(&mut self, kind: TypeId, value: &str) -> Result<Node> {
        let count = self.len();
        let Self { batch: IdentityBatch { nodes, .. }, hasher, places, .. } = self;
        let hash = hasher.hash_one((kind, value));
        let is_it = |place: &u32| {
            let (_, held_kind, held) = &nodes[*place as usize];
            (*held_kind, held.as_str()) == (kind, value)
        };
        if let Some(place) = places.find(hash, is_it) {
            return Ok(nodes[*place as usize].0);
        }
        let node =
            Node::try_from(count).map_err(|_| Error::busy("the workspace has 2^32 identifiers: no number is left"))?;
        // Fewer than there are nodes.
        let place = nodes.len() as u32;
        nodes.push((node, kind, value.to_owned()));
        places.insert_unique(hash, place, |place| {
            let (_, kind, value) = &nodes[*place as usize];
            hasher.hash_one((*kind, value.as_str()))
        });
        Ok(node)
    }
}

impl NumberEvents for Overlay {
    fn origin(&mut self, origin: OriginRef<'_>) -> OriginId {
        self.sets.origin(origin)
    }

    fn add_event<'a>(
        &mut self,
        seen: Seen,
        identifiers: impl IntoIterator<Item = (TypeId, &'a str)>,
    ) -> Result<Option<Node>> {
        let mut nodes = std::mem::take(&mut self.event_nodes);
        nodes.clear();
        // A value that the event names twice is not known by its first mention.
        let known_before = self.len();
        for (kind, value) in identifiers {
            let node = match self.base.node(kind, value) {
                Some(node) => node,
                None => self.new_node(kind, value)?,
            };
            if !nodes.contains(&(kind, node)) {
                nodes.push((kind, node));
            }
        }
        let main = main_node(self.base.types(), &nodes);
        if let Some(node) = main {
            // All of them are placed, whatever the first one says.
            if nodes.iter().fold(true, |is_new, (_, node)| self.place(*node, known_before) & is_new) {
                let person = (self.base.births() + self.batch.births.len()) as Person;
                let (person_id, cause) = (self.clock.new_id(), BirthCause::Event);
                // The record tells its position when it is durable.
                self.batch.births.push(Birth { node, person, person_id, position: 0, cause });
            }
            self.sets.add_event(node, nodes.iter().map(|(_, node)| *node), seen)?;
        }
        self.event_nodes = nodes;
        Ok(main)
    }
}
