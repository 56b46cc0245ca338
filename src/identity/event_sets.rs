//! The identifiers of a load's events while it goes on: numbered, and nobody's until all of them are placed at once.

use std::collections::HashSet;

use super::identifier::TypeId;
use super::{IdentityGraph, NumberEvents, main_node};
use crate::error::Result;
use crate::ids::Node;

/// What the events of a load say of who is who, in their order.
#[derive(Debug, Default)]
pub struct EventSets {
    /// Of each event that says something new: how many nodes follow, the main one, then those that it was not beside
    /// before. Where some are left out, an earlier event has placed the main one.
    nodes: Vec<Node>,
    /// A main node and one beside it; itself, where it was alone.
    pairs: HashSet<(Node, Node)>,
}

impl EventSets {
    fn add(&mut self, main: Node, nodes: &[(TypeId, Node)]) {
        let start = self.nodes.len();
        self.nodes.extend([0, main]);
        let others = nodes.iter().map(|(_, node)| *node).filter(|node| *node != main);
        for node in others {
            if self.pairs.insert((main, node)) {
                self.nodes.push(node);
            }
        }
        let is_alone = nodes.iter().all(|(_, node)| *node == main);
        let says_more = self.nodes.len() > start + 2 || (is_alone && self.pairs.insert((main, main)));
        match says_more {
            true => self.nodes[start] = (self.nodes.len() - start - 1) as Node,
            false => self.nodes.truncate(start),
        }
    }

    /// The nodes of each, the main one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Node]> {
        let mut rest = self.nodes.as_slice();
        std::iter::from_fn(move || {
            let (count, behind) = rest.split_first()?;
            let (nodes, next) = behind.split_at(*count as usize);
            rest = next;
            Some(nodes)
        })
    }
}

/// Numbers the events of a load.
pub struct LoadNumbers<'l> {
    graph: &'l mut IdentityGraph,
    sets: &'l mut EventSets,
    /// Nodes of the event at hand, kept to save an allocation an event.
    event_nodes: Vec<(TypeId, Node)>,
}

impl<'l> LoadNumbers<'l> {
    pub fn new(graph: &'l mut IdentityGraph, sets: &'l mut EventSets) -> Self {
        Self { graph, sets, event_nodes: Vec::new() }
    }
}

impl NumberEvents for LoadNumbers<'_> {
    /// Nobody is born before the sets are placed.
    fn add_event<'a>(&mut self, identifiers: impl IntoIterator<Item = (TypeId, &'a str)>) -> Result<Option<Node>> {
        self.graph.intern(identifiers, &mut self.event_nodes)?;
        let main = main_node(self.graph.types(), &self.event_nodes);
        if let Some(main) = main {
            self.sets.add(main, &self.event_nodes);
        }
        Ok(main)
    }
}

#[cfg(test)]
mod tests;
