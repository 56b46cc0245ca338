//! Events that are not durable yet, numbered behind a state that does not change: what is refused leaves no trace.
//!
//! What comes out is a batch like those that are stored, and is taken in as those are: a restart gives the same.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::batch::{Birth, BirthCause, IdentityBatch};
use super::graph::Crowded;
use super::graph::crowded::crowded;
use super::identifier::TypeId;
use super::sets::{Origin, OriginId, Seen, SetBuilder};
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
    nodes: HashMap<(TypeId, String), Node>,
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
            nodes: HashMap::new(),
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

    /// Whether the node belongs to nobody before an event; `known_before` is how many nodes there were then.
    fn is_unplaced(&self, node: Node, known_before: usize) -> bool {
        if (node as usize) < self.base.nodes() {
            // Of a load that is not committed.
            return self.base.person_of(node).is_none() && !self.placed.contains(&node);
        }
        node as usize >= known_before
    }

    fn node(&mut self, kind: TypeId, value: &str) -> Result<Node> {
        if let Some(node) = self.base.node(kind, value) {
            return Ok(node);
        }
        let key = (kind, value.to_owned());
        if let Some(node) = self.nodes.get(&key) {
            return Ok(*node);
        }
        let node = Node::try_from(self.len())
            .map_err(|_| Error::busy("the workspace has 2^32 identifiers: no number is left"))?;
        self.batch.nodes.push((node, kind, key.1.clone()));
        self.nodes.insert(key, node);
        Ok(node)
    }
}

impl NumberEvents for Overlay {
    fn origin(&mut self, origin: &Origin) -> OriginId {
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
            let node = self.node(kind, value)?;
            if !nodes.contains(&(kind, node)) {
                nodes.push((kind, node));
            }
        }
        let main = main_node(self.base.types(), &nodes);
        if let Some(node) = main {
            if nodes.iter().all(|(_, node)| self.is_unplaced(*node, known_before)) {
                let person = (self.base.births() + self.batch.births.len()) as Person;
                let (person_id, cause) = (self.clock.new_id(), BirthCause::Event);
                // The record tells its position when it is durable.
                self.batch.births.push(Birth { node, person, person_id, position: 0, cause });
            }
            let of_state = self.base.nodes();
            let are_nobodys =
                nodes.iter().filter(|(_, node)| (*node as usize) < of_state && self.base.person_of(*node).is_none());
            self.placed.extend(are_nobodys.map(|(_, node)| *node));
            self.sets.add_event(node, nodes.iter().map(|(_, node)| *node), seen)?;
        }
        self.event_nodes = nodes;
        Ok(main)
    }
}
