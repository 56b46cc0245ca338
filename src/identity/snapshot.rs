//! One epoch of the identity graph, immutable and shared by all queries that pinned it.

use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use super::batch::Birth;
use super::chunked::Chunked;
use super::dictionary::SharedDictionary;
use super::identifier::{IdentifierTypes, TypeId};
use super::persons::Persons;
use crate::ids::{Epoch, Node, Person};

/// Shares with the epochs beside it all that they have in common.
#[derive(Debug, Clone, Default)]
pub struct IdentitySnapshot {
    pub epoch: Epoch,
    pub(super) arrays: Arc<Arrays>,
}

#[derive(Debug, Default)]
pub(super) struct Arrays {
    pub(super) persons: Persons,
    /// The next node of the same person, round in a ring.
    pub(super) rings: Chunked<Node>,
    pub(super) types: Arc<IdentifierTypes>,
    /// Holds the identifiers of later epochs, too.
    pub(super) dictionary: SharedDictionary,
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
    fn persons(&self) -> &Persons {
        &self.arrays.persons
    }

    pub fn types(&self) -> &IdentifierTypes {
        &self.arrays.types
    }

    /// Number of nodes of this epoch.
    pub fn nodes(&self) -> usize {
        self.persons().node_count()
    }

    /// The node of an identifier, `None` for one that came in a later epoch.
    pub fn node(&self, kind: TypeId, value: &str) -> Option<Node> {
        let node = self.arrays.dictionary.read().get(kind, value)?;
        ((node as usize) < self.nodes()).then_some(node)
    }

    /// Type and value of a node of this epoch.
    ///
    /// # Panics
    /// For a node that was never given.
    pub(super) fn identifier(&self, node: Node) -> (TypeId, String) {
        let dictionary = self.arrays.dictionary.read();
        let (kind, value) = dictionary.entry(node);
        (kind, value.to_owned())
    }

    /// Shows the identifier of each of these nodes, as the name of its type and its value, in the order of the nodes.
    /// Loads wait meanwhile.
    pub fn show_identifiers(&self, nodes: Range<usize>, mut show: impl FnMut(Node, &str, &str)) {
        let dictionary = self.arrays.dictionary.read();
        for node in nodes.start..nodes.end.min(self.nodes()) {
            let (kind, value) = dictionary.entry(node as Node);
            show(node as Node, self.arrays.types.name(kind), value);
        }
    }

    /// `None` for a node of a later epoch, and for one that is nobody's: of a load that is not committed.
    pub fn person_of(&self, node: Node) -> Option<Person> {
        self.persons().of_node(node)
    }

    /// The nodes of a canonical person in no order; none for a merged or unknown number.
    pub fn nodes_of(&self, person: Person) -> impl Iterator<Item = Node> + '_ {
        let first = self.persons().node_of(person).filter(|_| self.persons().identifier_count(person) > 0);
        std::iter::successors(first, move |node| {
            self.arrays.rings.get(*node as usize).filter(|next| Some(*next) != first)
        })
    }

    pub fn person_id(&self, person: Person) -> Option<Uuid> {
        self.persons().ids().get(person as usize)
    }

    /// Person numbers ever born, merged ones included.
    pub fn births(&self) -> usize {
        self.persons().births()
    }

    /// The births of person numbers, in their order.
    pub(super) fn born(&self, persons: Range<usize>) -> impl Iterator<Item = Birth> + '_ {
        self.persons().born(persons)
    }

    /// The ids of person numbers, in their order.
    fn person_ids(&self, persons: Range<usize>) -> impl Iterator<Item = Uuid> + '_ {
        self.persons().ids().range(persons)
    }

    /// Whether an identifier of this type was ever seen.
    pub fn uses(&self, kind: TypeId) -> bool {
        let dictionary = self.arrays.dictionary.read();
        (0..self.nodes() as Node).any(|node| dictionary.kind(node) == kind)
    }

    /// Bytes that this state holds and `other` does not share: what it costs to keep the one beside the other.
    pub fn bytes_beside(&self, other: &Self) -> usize {
        self.persons().bytes_beside(other.persons()) + self.arrays.rings.bytes_beside(&other.arrays.rings)
    }

    /// Canonical persons in the order of their numbers.
    pub fn canonical(&self) -> impl Iterator<Item = PersonEntry> + '_ {
        self.canonical_from(0)
    }

    /// Canonical persons whose number is at least `first`, in order.
    pub fn canonical_from(&self, first: Person) -> impl Iterator<Item = PersonEntry> + '_ {
        let ids = self.person_ids(first as usize..self.births());
        (first..).zip(ids).filter_map(|(person, person_id)| {
            let identifier_count = self.persons().identifier_count(person);
            let known = self.persons().is_known(person);
            (identifier_count > 0).then_some(PersonEntry { person, person_id, known, identifier_count })
        })
    }
}
