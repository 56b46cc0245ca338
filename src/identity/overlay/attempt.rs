//! Events of one of many senders: where they cannot be numbered, those of the others are as if these had never come.

use super::Overlay;
use crate::error::Result;
use crate::ids::Node;

impl Overlay {
    /// Numbers events. Where that fails nothing of it is left.
    ///
    /// # Errors
    /// Those of `number`.
    pub fn attempt<T>(&mut self, number: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (nodes, births) = (self.batch.nodes.len(), self.batch.births.len());
        self.sets.set_mark();
        let outcome = number(self);
        if outcome.is_err() {
            self.go_back(nodes, births);
        }
        outcome
    }

    /// To so many nodes and births, and to the mark of the sets.
    fn go_back(&mut self, nodes: usize, births: usize) {
        self.sets.go_back();
        self.batch.nodes.truncate(nodes);
        self.places.retain(|place| (*place as usize) < nodes);
        self.batch.births.truncate(births);
        // Each node that was placed stands in a set.
        let of_sets = self.sets.sets().iter().flat_map(|(nodes, _)| nodes.iter().copied());
        let is_nobodys = |node: &Node| (*node as usize) < self.base.nodes() && self.base.person_of(*node).is_none();
        self.placed = of_sets.filter(is_nobodys).collect();
    }
}
