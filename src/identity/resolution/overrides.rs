//! What somebody said about pairs of nodes: that they are one person, or that they are two.
//!
//! Each is kept until it is undone; of those on one pair the latest holds. Must not know what follows from it.

use std::collections::{BTreeMap, HashMap};

use crate::ids::Node;

pub type OverrideId = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// One person, whatever limit that breaks.
    Include,
    /// Never one person.
    Exclude,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    pub id: OverrideId,
    /// Of the record of the log that has it: of two on one pair the later holds.
    pub position: u64,
    /// Microseconds since 1970.
    pub at: i64,
    pub a: Node,
    pub b: Node,
    pub action: Action,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    by_id: BTreeMap<OverrideId, Override>,
    /// By the smaller node first; ascending by position.
    by_pair: HashMap<(Node, Node), Vec<OverrideId>>,
    /// The other nodes of pairs, ascending.
    partners: HashMap<Node, Vec<Node>>,
}

/// The smaller node first.
pub(super) fn pair(a: Node, b: Node) -> (Node, Node) {
    (a.min(b), a.max(b))
}

impl Overrides {
    /// False where the id is taken, or the two are the same node: nothing has changed then.
    pub fn add(&mut self, new: Override) -> bool {
        if new.a == new.b || self.by_id.contains_key(&new.id) {
            return false;
        }
        self.by_id.insert(new.id, new);
        let on_pair = self.by_pair.entry(pair(new.a, new.b)).or_default();
        if on_pair.is_empty() {
            for (node, partner) in [(new.a, new.b), (new.b, new.a)] {
                let partners = self.partners.entry(node).or_default();
                if let Err(place) = partners.binary_search(&partner) {
                    partners.insert(place, partner);
                }
            }
        }
        on_pair.push(new.id);
        let by_id = &self.by_id;
        on_pair.sort_by_key(|id| (by_id.get(id).map(|held| held.position), *id));
        true
    }

    /// Takes out exactly this one; `None` where there is none.
    pub fn undo(&mut self, id: OverrideId) -> Option<Override> {
        let undone = self.by_id.remove(&id)?;
        let key = pair(undone.a, undone.b);
        if let Some(on_pair) = self.by_pair.get_mut(&key) {
            on_pair.retain(|held| *held != id);
            if on_pair.is_empty() {
                self.by_pair.remove(&key);
                self.part(undone.a, undone.b);
                self.part(undone.b, undone.a);
            }
        }
        Some(undone)
    }

    fn part(&mut self, node: Node, partner: Node) {
        if let Some(partners) = self.partners.get_mut(&node) {
            partners.retain(|held| *held != partner);
            if partners.is_empty() {
                self.partners.remove(&node);
            }
        }
    }

    pub fn get(&self, id: OverrideId) -> Option<&Override> {
        self.by_id.get(&id)
    }

    /// The one that holds for a pair.
    pub fn on(&self, a: Node, b: Node) -> Option<&Override> {
        self.by_id.get(self.by_pair.get(&pair(a, b))?.last()?)
    }

    /// Those that hold for pairs with this node.
    pub(super) fn of_node(&self, node: Node) -> impl Iterator<Item = (Node, &Override)> {
        let partners = self.partners.get(&node).map(Vec::as_slice).unwrap_or_default();
        partners.iter().filter_map(move |partner| Some((*partner, self.on(node, *partner)?)))
    }

    /// Nodes that must not be one person with this one, and by which override.
    pub(super) fn excluded(&self, node: Node) -> impl Iterator<Item = (Node, OverrideId)> + '_ {
        self.of_node(node).filter(|(_, held)| held.action == Action::Exclude).map(|(partner, held)| (partner, held.id))
    }

    pub(super) fn included(&self, node: Node) -> impl Iterator<Item = (Node, &Override)> {
        self.of_node(node).filter(|(_, held)| held.action == Action::Include)
    }

    /// Those that hold, one a pair.
    pub(super) fn holding(&self) -> impl Iterator<Item = &Override> {
        self.by_pair.values().filter_map(|on_pair| self.by_id.get(on_pair.last()?))
    }
}
