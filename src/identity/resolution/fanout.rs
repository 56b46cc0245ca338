//! How many persons' identifiers each node is linked to, of the types whose nodes can be shared.
//!
//! Links that an override takes out do not count, nor do those that only an override makes. Must not know what a node
//! that is shared loses.

use std::collections::HashMap;

use super::given::{Given, NodeFacts};
use super::links::for_each_link;
use super::overrides::Overrides;
use super::set_store::SetStore;
use crate::ids::Node;

/// A node in no more sets is counted when it is asked for.
const FEW: usize = if cfg!(test) { 3 } else { 32 };

/// Nodes that are counted as sets come and go, since they are in many.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    of_many: HashMap<Node, Beside>,
}

/// The identifiers of persons beside a node, each with the number of sets that say so.
type Beside = HashMap<Node, u32>;

impl Fanout {
    /// Counts a set that is new.
    pub(super) fn add<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node]) {
        for_each_counted(given, nodes, |node, beside| {
            if let Some(held) = self.of_many.get_mut(&node) {
                *held.entry(beside).or_default() += 1;
            }
        });
    }

    /// No longer counts a set.
    pub(super) fn remove<F: NodeFacts>(&mut self, given: Given<'_, F>, nodes: &[Node]) {
        for_each_counted(given, nodes, |node, beside| {
            let Some(held) = self.of_many.get_mut(&node) else { return };
            if let Some(sets) = held.get_mut(&beside) {
                *sets -= 1;
                if *sets == 0 {
                    held.remove(&beside);
                }
            }
        });
    }

    /// `sets`: those that were added and not removed.
    pub(super) fn is_shared<F: NodeFacts>(
        &mut self,
        given: Given<'_, F>,
        sets: &SetStore,
        overrides: &Overrides,
        node: Node,
    ) -> bool {
        let Some(most) = given.max_fanout(node) else { return false };
        let exceeds = |beside: &Beside| {
            let excluded = overrides.excluded(node).filter(|(partner, _)| beside.contains_key(partner)).count();
            beside.len() - excluded > most as usize
        };
        if let Some(beside) = self.of_many.get(&node) {
            return exceeds(beside);
        }
        let (beside, is_many) = count(given, sets, node);
        let is_shared = exceeds(&beside);
        if is_many {
            self.of_many.insert(node, beside);
        }
        is_shared
    }
}

/// Those beside a node, and whether it is in many sets.
fn count<F: NodeFacts>(given: Given<'_, F>, sets: &SetStore, node: Node) -> (Beside, bool) {
    let (mut found, mut nodes, mut is_many) = (Beside::new(), Vec::new(), false);
    for (place, set) in sets.of_node(node).enumerate() {
        is_many = place >= FEW;
        sets.read(set, &mut nodes);
        for_each_counted(given, &nodes, |counted, beside| {
            if counted == node {
                *found.entry(beside).or_default() += 1;
            }
        });
    }
    (found, is_many)
}

/// Shows each node that can be shared, with each identifier of a person that a set links it to. Which nodes are shared
/// makes no difference, or one would decide about the other.
fn for_each_counted<F: NodeFacts>(given: Given<'_, F>, nodes: &[Node], mut show: impl FnMut(Node, Node)) {
    let is_usable = |node| !given.facts.is_blocked(node);
    for_each_link(given, nodes, is_usable, |centre, other| {
        for (node, beside) in [(centre, other), (other, centre)] {
            if given.is_of_person(beside) && given.max_fanout(node).is_some() {
                show(node, beside);
            }
        }
    });
}

/// All nodes of the sets that have a node: what they are linked to changes when it becomes shared, or no longer is.
pub(super) fn beside_in_sets(sets: &SetStore, node: Node) -> Vec<Node> {
    let (mut found, mut nodes) = (vec![node], Vec::new());
    for set in sets.of_node(node) {
        sets.read(set, &mut nodes);
        found.extend_from_slice(&nodes);
    }
    found.sort_unstable();
    found.dedup();
    found
}
