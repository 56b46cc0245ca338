//! Events that are not durable yet, numbered behind a state that does not change: what is refused leaves no trace.
//!
//! What comes out is a batch like those that are stored, and is taken in as those are: a restart gives the same.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::batch::IdentityBatch;
use super::graph::Crowded;
use super::graph::crowded::crowded;
use super::identifier::TypeId;
use super::snapshot::IdentitySnapshot;
use super::{NumberEvents, main_node};
use crate::error::{Error, Result};
use crate::ids::{Node, Person};

pub struct Overlay {
    base: IdentitySnapshot,
    batch: IdentityBatch,
    nodes: HashMap<(TypeId, String), Node>,
    edges: HashSet<(Node, Node)>,
    /// Nodes that were nobody's in the state, and are somebody's now.
    placed: HashSet<Node>,
    /// Nodes of the event at hand, kept to save an allocation an event.
    event_nodes: Vec<(TypeId, Node)>,
}

impl Overlay {
    /// `base`: the newest state of the graph that will take in the batch.
    pub fn new(base: IdentitySnapshot) -> Self {
        Self {
            base,
            batch: IdentityBatch::default(),
            nodes: HashMap::new(),
            edges: HashSet::new(),
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
        crowded(&self.batch.edges, most, self.base.types(), kind_of, value_of)
    }

    /// What the events add to the state.
    pub fn finish(self) -> IdentityBatch {
        self.batch
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
    fn add_event<'a>(&mut self, identifiers: impl IntoIterator<Item = (TypeId, &'a str)>) -> Result<Option<Node>> {
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
        if let Some(main) = main {
            if nodes.iter().all(|(_, node)| self.is_unplaced(*node, known_before)) {
                let person = (self.base.births() + self.batch.births.len()) as Person;
                self.batch.births.push((main, person, Uuid::now_v7()));
            }
            let of_state = self.base.nodes();
            let are_nobodys =
                nodes.iter().filter(|(_, node)| (*node as usize) < of_state && self.base.person_of(*node).is_none());
            self.placed.extend(are_nobodys.map(|(_, node)| *node));
            for (_, node) in nodes.iter().filter(|(_, node)| *node != main) {
                if self.edges.insert((main, *node)) {
                    self.batch.edges.push((main, *node));
                }
            }
        }
        self.event_nodes = nodes;
        Ok(main)
    }
}
