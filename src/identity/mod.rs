//! Who is who: identifiers become nodes, nodes that appear together become persons.
//!
//! A function of the edges alone: knows no files, no SQL, no protocol. Rules (limits, overrides, undo) come on top of
//! [`IdentityGraph::add_event`] and [`IdentityBatch`]; plain connected components are the rule for now.

mod batch;
mod blocked;
mod chunked;
mod components;
mod dictionary;
mod graph;
mod identifier;
mod persons;
mod snapshot;
#[cfg(test)]
mod tests;

pub use batch::IdentityBatch;
pub use blocked::BlockedValues;
pub use chunked::Chunked;
pub use graph::{Crowded, GraphRestorer, IdentityGraph, birth_schema, node_schema, published_schema};
pub use identifier::{AddedType, IdentifierClass, IdentifierTypes, Place, TypeId};
pub use snapshot::{IdentitySnapshot, PersonEntry};
