//! Who is who: identifiers become nodes, nodes that appear together become persons.
//!
//! A function of the identifier sets alone: knows no files, no SQL, no protocol. Rules (limits, overrides, undo) come on
//! top of [`IdentityBatch`]; plain connected components are the rule for now.

mod batch;
mod blocked;
mod chunked;
mod columns;
mod components;
mod dictionary;
mod graph;
mod identifier;
mod link_rules;
mod load_numbers;
mod overlay;
mod persons;
pub mod resolution;
mod rulebook;
mod sets;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;

use crate::error::Result;
use crate::ids::Node;

pub use batch::{Birth, BirthCause, IdentityBatch, birth_schema};
pub use blocked::BlockedValues;
pub use chunked::Chunked;
pub use graph::{Crowded, GraphRestorer, IdentityGraph, node_schema, published_schema};
pub use identifier::{AddedType, IdentifierClass, IdentifierTypes, Place, TypeId};
pub use link_rules::{Keep, Limit, LinkRules, NO_LIMIT, Period, TypeRule};
pub use load_numbers::LoadNumbers;
pub use overlay::Overlay;
pub use rulebook::{BlockReason, Rulebook, Usable};
pub use sets::{IdentifierSets, Origin, OriginId, OriginRef, Seen, SetBuilder, SetFacts};
pub use snapshot::{IdentitySnapshot, PersonEntry};

/// Takes events one by one and numbers their identifiers.
pub trait NumberEvents {
    /// The number by which events name where they came from.
    fn origin(&mut self, origin: OriginRef<'_>) -> OriginId;

    /// Takes the usable identifiers of one event and returns its main node, that of its highest-priority identifier.
    ///
    /// When none of them was known, the main node is born: it gets the next person number and a random person_id.
    ///
    /// # Errors
    /// `Busy` when all node numbers are given.
    fn add_event<'a>(
        &mut self,
        seen: Seen,
        identifiers: impl IntoIterator<Item = (TypeId, &'a str)>,
    ) -> Result<Option<Node>>;
}

/// Of two identifiers of one type the one that came first on the event is the main one.
fn main_node(types: &IdentifierTypes, nodes: &[(TypeId, Node)]) -> Option<Node> {
    nodes.iter().min_by_key(|(kind, _)| types.rank(*kind)).map(|(_, node)| *node)
}
