//! Identifiers of the batch at hand that stand beside many others: a word for "none", or the device of a shop, makes one
//! person of all whom it stands beside.
//!
//! Must not know what is said of them.

use super::IdentityGraph;
use crate::identity::identifier::{IdentifierClass, IdentifierTypes, TypeId};
use crate::identity::sets::IdentifierSets;
use crate::ids::Node;

/// An identifier, and how many different identifiers of persons it stands beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowded {
    pub kind: String,
    pub value: String,
    /// By their type.
    pub beside: Vec<(String, usize)>,
}

/// The identifiers that sets name beside more than `most` different identifiers of persons, those with the most of them
/// first; beside stand the main one of a set and each other. `kind_of` and `value_of` tell type and value of a node.
///
/// Cookies and devices beside an identifier tell nothing: one person has many in the course of time.
pub(in crate::identity) fn crowded(
    sets: &IdentifierSets,
    most: usize,
    types: &IdentifierTypes,
    kind_of: impl Fn(Node) -> TypeId,
    value_of: impl Fn(Node) -> String,
) -> Vec<Crowded> {
    let mut ends: Vec<(Node, TypeId, Node)> = Vec::with_capacity(sets.len());
    for (nodes, _) in sets.iter() {
        let Some((main, others)) = nodes.split_first() else { continue };
        for (node, beside) in others.iter().flat_map(|other| [(*main, *other), (*other, *main)]) {
            let kind = kind_of(beside);
            if types.class(kind) == IdentifierClass::Person {
                ends.push((node, kind, beside));
            }
        }
    }
    ends.sort_unstable();
    ends.dedup();
    let mut found: Vec<&[(Node, TypeId, Node)]> =
        ends.chunk_by(|one, next| one.0 == next.0).filter(|of_node| of_node.len() > most).collect();
    // Equal ones stay in the order in which they came first.
    found.sort_by_key(|of_node| usize::MAX - of_node.len());
    let describe = |of_node: &[(Node, TypeId, Node)]| {
        let (node, ..) = of_node.first()?;
        let kind = types.name(kind_of(*node)).to_owned();
        let by_type = of_node.chunk_by(|one, next| one.1 == next.1);
        let beside = by_type.filter_map(|of_type| {
            let (_, kind, _) = of_type.first()?;
            Some((types.name(*kind).to_owned(), of_type.len()))
        });
        Some(Crowded { kind, value: value_of(*node), beside: beside.collect() })
    };
    found.into_iter().filter_map(describe).collect()
}

impl IdentityGraph {
    /// Those of the events since the last [`Self::finish_batch`].
    pub fn crowded(&self, most: usize) -> Vec<Crowded> {
        let dictionary = self.dictionary.read();
        let value_of = |node| dictionary.entry(node).1.to_owned();
        crowded(&self.gathered.sets, most, &self.types, |node| dictionary.kind(node), value_of)
    }
}
