//! What readers hold: sets, overrides and the persons that follow. A copy is cheap and never changes.

use std::sync::Arc;

use super::given::{Given, NodeFacts};
use super::overrides::Overrides;
use super::partition::Partition;
use super::set_store::SetStore;
use crate::ids::Node;

/// Shares with the states beside it all that they have in common.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    pub(super) sets: SetStore,
    pub(super) overrides: Arc<Overrides>,
    pub(super) partition: Partition,
}

impl Resolution {
    pub fn nodes(&self) -> usize {
        self.partition.len()
    }

    /// Some node of the node's person, the same for all nodes of that person. Which one it is may change with any link.
    pub fn label(&self, node: Node) -> Node {
        self.partition.label(node)
    }

    /// All nodes of the node's person, that one first.
    pub fn nodes_with(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        self.partition.part(node)
    }

    /// Whether the node is somebody's. One that is blocked, or shared, is nobody's, unless an override gives a shared one
    /// to somebody.
    pub fn is_somebodys<F: NodeFacts>(&self, given: Given<'_, F>, node: Node) -> bool {
        let is_usable = !self.is_shared(node) && !given.facts.is_blocked(node);
        is_usable || self.nodes_with(node).nth(1).is_some()
    }

    /// Linked to too many identifiers of persons: sets link it to nobody.
    pub fn is_shared(&self, node: Node) -> bool {
        self.partition.is_shared(node)
    }

    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }
}
