//! The identifiers of a load's events while it goes on: numbered, and nobody's until all of them are placed at once.

use super::identifier::TypeId;
use super::sets::{OriginId, OriginRef, Seen, SetBuilder};
use super::{IdentityGraph, NumberEvents, main_node};
use crate::error::Result;
use crate::ids::Node;

/// Numbers the events of a load.
pub struct LoadNumbers<'l> {
    graph: &'l mut IdentityGraph,
    sets: &'l mut SetBuilder,
    /// Nodes of the event at hand, kept to save an allocation an event.
    event_nodes: Vec<(TypeId, Node)>,
}

impl<'l> LoadNumbers<'l> {
    pub fn new(graph: &'l mut IdentityGraph, sets: &'l mut SetBuilder) -> Self {
        Self { graph, sets, event_nodes: Vec::new() }
    }
}

impl NumberEvents for LoadNumbers<'_> {
    fn origin(&mut self, origin: OriginRef<'_>) -> OriginId {
        self.sets.origin(origin)
    }

    /// Nobody is born before the sets are placed.
    fn add_event<'a>(
        &mut self,
        seen: Seen,
        identifiers: impl IntoIterator<Item = (TypeId, &'a str)>,
    ) -> Result<Option<Node>> {
        self.graph.intern(identifiers, &mut self.event_nodes)?;
        let main = main_node(self.graph.types(), &self.event_nodes);
        if let Some(main) = main {
            self.sets.add_event(main, self.event_nodes.iter().map(|(_, node)| *node), seen)?;
        }
        Ok(main)
    }
}

#[cfg(test)]
mod tests;
