//! Identifiers of the batch at hand that stand beside many others: a word for "none", or the device of a shop, makes one
//! person of all whom it stands beside.
//!
//! Must not know what is said of them.

use super::IdentityGraph;
use crate::identity::identifier::{IdentifierClass, TypeId};
use crate::ids::Node;

/// An identifier, and how many different identifiers of persons it stands beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowded {
    pub kind: String,
    pub value: String,
    /// By their type.
    pub beside: Vec<(String, usize)>,
}

impl IdentityGraph {
    /// The identifiers that events since the last [`Self::finish_batch`] name beside more than `most` different
    /// identifiers of persons, those with the most of them first.
    ///
    /// Cookies and devices beside an identifier tell nothing: one person has many in the course of time.
    pub fn crowded(&self, most: usize) -> Vec<Crowded> {
        let dictionary = self.dictionary.read();
        let mut ends: Vec<(Node, TypeId)> = Vec::with_capacity(self.gathered.edges.len());
        for (main, other) in &self.gathered.edges {
            for (node, beside) in [(*main, *other), (*other, *main)] {
                let kind = dictionary.kind(beside);
                if self.types.class(kind) == IdentifierClass::Person {
                    ends.push((node, kind));
                }
            }
        }
        drop(dictionary);
        // Edges are distinct, so each end is another neighbour.
        ends.sort_unstable();
        let mut found: Vec<&[(Node, TypeId)]> =
            ends.chunk_by(|one, next| one.0 == next.0).filter(|of_node| of_node.len() > most).collect();
        // Equal ones stay in the order in which they came first.
        found.sort_by_key(|of_node| usize::MAX - of_node.len());
        found.into_iter().filter_map(|of_node| self.describe(of_node)).collect()
    }

    fn describe(&self, of_node: &[(Node, TypeId)]) -> Option<Crowded> {
        let (node, _) = of_node.first()?;
        let dictionary = self.dictionary.read();
        let (kind, value) = dictionary.entry(*node);
        let by_type = of_node.chunk_by(|one, next| one.1 == next.1);
        let beside = by_type.filter_map(|of_type| {
            let (_, kind) = of_type.first()?;
            Some((self.types.name(*kind).to_owned(), of_type.len()))
        });
        Some(Crowded { kind: self.types.name(kind).to_owned(), value: value.to_owned(), beside: beside.collect() })
    }
}
