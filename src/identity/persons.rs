//! What queries read of the graph: the person of each node, and what is known of each person.
//!
//! A copy is cheap and never changes ([`Chunked`]). Must not know how components are found.

use uuid::Uuid;

use super::chunked::Chunked;
use crate::ids::{Node, Person};

/// Not given as a number: an `Option` would take twice the room.
const NOBODY: Person = Person::MAX;

#[derive(Debug, Clone, Default)]
pub(super) struct Persons {
    /// By node; [`NOBODY`] before its component has a number.
    of_nodes: Chunked<Person>,
    /// By person number, merged ones included, as the next three.
    ids: Chunked<Uuid>,
    /// A node of the person: that of its birth, or the first one of a checkpoint; `None` where no checkpoint says.
    nodes: Chunked<Option<Node>>,
    /// 0 for a number that was merged into another.
    identifier_counts: Chunked<u32>,
    /// Has an identifier of class person.
    known: Chunked<bool>,
}

impl Persons {
    pub(super) fn node_count(&self) -> usize {
        self.of_nodes.len()
    }

    /// Person numbers ever born.
    pub(super) fn births(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn of_node(&self, node: Node) -> Option<Person> {
        self.of_nodes.get(node as usize).filter(|person| *person != NOBODY)
    }

    pub(super) fn ids(&self) -> &Chunked<Uuid> {
        &self.ids
    }

    pub(super) fn node_of(&self, person: Person) -> Option<Node> {
        self.nodes.get(person as usize).flatten()
    }

    pub(super) fn identifier_count(&self, person: Person) -> u32 {
        self.identifier_counts.get(person as usize).unwrap_or_default()
    }

    pub(super) fn is_known(&self, person: Person) -> bool {
        self.known.get(person as usize).unwrap_or_default()
    }

    /// Bytes that `other` does not share.
    pub(super) fn bytes_beside(&self, other: &Self) -> usize {
        self.of_nodes.bytes_beside(&other.of_nodes)
            + self.ids.bytes_beside(&other.ids)
            + self.nodes.bytes_beside(&other.nodes)
            + self.identifier_counts.bytes_beside(&other.identifier_counts)
            + self.known.bytes_beside(&other.known)
    }

    /// Makes room for nodes up to `count`, which have no person yet.
    pub(super) fn grow(&mut self, count: usize) {
        for _ in self.of_nodes.len()..count {
            self.of_nodes.push(NOBODY);
        }
    }

    /// Adds the next person number.
    pub(super) fn push(&mut self, id: Uuid, node: Option<Node>) {
        self.ids.push(id);
        self.nodes.push(node);
        self.identifier_counts.push(0);
        self.known.push(false);
    }

    /// Says where the nodes of a person are found.
    pub(super) fn set_node_of(&mut self, person: Person, node: Node) {
        if let Some(place) = self.nodes.get_mut(person as usize) {
            *place = Some(node);
        }
    }

    /// Gives a node to another person. `knows` says whether its identifier is of class person.
    pub(super) fn give(&mut self, node: Node, person: Person, knows: bool) {
        let Some(held) = self.of_nodes.get_mut(node as usize) else { return };
        let before = std::mem::replace(held, person);
        if let Some(count) = self.identifier_counts.get_mut(before as usize) {
            *count -= 1;
        }
        if let Some(count) = self.identifier_counts.get_mut(person as usize) {
            *count += 1;
        }
        // Asked first: to ask for the place is to copy what is shared.
        if knows
            && !self.is_known(person)
            && let Some(known) = self.known.get_mut(person as usize)
        {
            *known = true;
        }
    }
}
