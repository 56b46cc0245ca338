//! One epoch of the identity graph, immutable and shared by all queries that pinned it.

use std::sync::{Arc, OnceLock};

use uuid::Uuid;

use super::by_person::NodesByPerson;
use crate::ids::{Epoch, Node, Person};

#[derive(Debug, Clone, Default)]
pub struct IdentitySnapshot {
    pub epoch: Epoch,
    /// By node.
    pub(super) persons: Arc<[Person]>,
    /// By person number, merged ones included; may hold later persons, too.
    pub(super) person_ids: Arc<Vec<Uuid>>,
    /// By person number; 0 for a number that was merged into another.
    pub(super) identifier_counts: Arc<[u32]>,
    /// By person number: has an identifier of class person.
    pub(super) known: Arc<[bool]>,
    /// The inverse of `persons`, made by the first that asks.
    pub(super) nodes_by_person: Arc<OnceLock<NodesByPerson>>,
}

/// One canonical person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonEntry {
    pub person: Person,
    pub person_id: Uuid,
    pub known: bool,
    pub identifier_count: u32,
}

impl IdentitySnapshot {
    /// Number of nodes of this epoch.
    pub fn nodes(&self) -> usize {
        self.persons.len()
    }

    /// `None` for a node of a later epoch.
    pub fn person_of(&self, node: Node) -> Option<Person> {
        self.persons.get(node as usize).copied()
    }

    /// The nodes of a canonical person, ascending; none for a merged or unknown number.
    pub fn nodes_of(&self, person: Person) -> &[Node] {
        let made = || NodesByPerson::new(&self.persons, self.identifier_counts.len());
        self.nodes_by_person.get_or_init(made).of(person)
    }

    pub fn person_id(&self, person: Person) -> Option<Uuid> {
        self.person_ids.get(person as usize).copied()
    }

    /// Canonical persons in the order of their numbers.
    pub fn canonical(&self) -> impl Iterator<Item = PersonEntry> + '_ {
        self.canonical_from(0)
    }

    /// Canonical persons whose number is at least `first`, in order.
    pub fn canonical_from(&self, first: Person) -> impl Iterator<Item = PersonEntry> + '_ {
        let numbers = first as usize..self.identifier_counts.len();
        numbers.filter(|person| self.identifier_counts[*person] > 0).map(|person| PersonEntry {
            person: person as Person,
            person_id: self.person_ids[person],
            known: self.known[person],
            identifier_count: self.identifier_counts[person],
        })
    }
}
