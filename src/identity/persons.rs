//! What queries read of the graph: the person of each node, and what is known of each person.
//!
//! A copy is cheap and never changes ([`Chunked`]). Must not know how components are found.

use std::ops::Range;

use uuid::Uuid;

use super::batch::{Birth, BirthCause};
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
    /// Where each was born.
    nodes: Chunked<Node>,
    /// 0 for a number that was merged into another.
    identifier_counts: Chunked<u32>,
    /// Has an identifier of class person.
    known: Chunked<bool>,
    runs: Chunked<BirthRun>,
}

/// Births one after the other that have position and cause in common: those of a load, or of a record.
#[derive(Debug, Clone, Copy)]
struct BirthRun {
    first: Person,
    position: u64,
    cause: BirthCause,
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
        self.nodes.get(person as usize)
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
            + self.runs.bytes_beside(&other.runs)
    }

    /// Makes room for nodes up to `count`, which have no person yet.
    pub(super) fn grow(&mut self, count: usize) {
        for _ in self.of_nodes.len()..count {
            self.of_nodes.push(NOBODY);
        }
    }

    /// Adds the next person number.
    pub(super) fn push(&mut self, birth: Birth) {
        let Birth { node, person_id, position, cause, .. } = birth;
        let first = self.births() as Person;
        self.ids.push(person_id);
        self.nodes.push(node);
        self.identifier_counts.push(0);
        self.known.push(false);
        let last = self.runs.len().checked_sub(1).and_then(|last| self.runs.get(last));
        if last.is_none_or(|run| (run.position, run.cause) != (position, cause)) {
            self.runs.push(BirthRun { first, position, cause });
        }
    }

    /// The births of these person numbers, those beyond the end left out.
    pub(super) fn born(&self, persons: Range<usize>) -> impl Iterator<Item = Birth> + '_ {
        let mut run = self.run_of(persons.start);
        persons.map_while(move |place| {
            let person = place as Person;
            if self.runs.get(run + 1).is_some_and(|next| next.first <= person) {
                run += 1;
            }
            let (person_id, node) = (self.ids.get(place)?, self.nodes.get(place)?);
            let BirthRun { position, cause, .. } = self.runs.get(run)?;
            Some(Birth { node, person, person_id, position, cause })
        })
    }

    /// Place of the run that holds a person: the last one that begins at or before it.
    fn run_of(&self, person: usize) -> usize {
        let (mut low, mut high) = (0, self.runs.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            match self.runs.get(middle).is_some_and(|run| run.first as usize <= person) {
                true => low = middle,
                false => high = middle,
            }
        }
        low
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
