//! (type, value) -> node, and back. Nodes are dense and given in order of first appearance.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::RwLock;

use super::identifier::TypeId;
use crate::error::{Error, Result};
use crate::ids::Node;

/// The graph adds to it; the states that were published look up what they hold, which never changes.
pub(super) type SharedDictionary = Arc<RwLock<Dictionary>>;

/// All identifiers ever seen, in memory: the values lie one behind the other in `text`.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    hasher: DefaultHashBuilder,
    /// Nodes by the hash of (type, value).
    nodes: HashTable<Node>,
    types: Vec<TypeId>,
    /// End of each node's value in `text`.
    ends: Vec<u64>,
    text: Vec<u8>,
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.types.len()
    }

    pub(super) fn get(&self, kind: TypeId, value: &str) -> Option<Node> {
        let hash = self.hasher.hash_one((kind, value));
        self.nodes.find(hash, |node| self.holds(*node, kind, value)).copied()
    }

    /// The node of the identifier, a new one if need be, and whether it is new.
    ///
    /// # Errors
    /// `Busy` when all node numbers are given.
    pub(super) fn intern(&mut self, kind: TypeId, value: &str) -> Result<(Node, bool)> {
        let hash = self.hasher.hash_one((kind, value));
        if let Some(node) = self.nodes.find(hash, |node| self.holds(*node, kind, value)) {
            return Ok((*node, false));
        }
        let node = Node::try_from(self.types.len())
            .map_err(|_| Error::busy("the workspace has 2^32 identifiers: no number is left"))?;
        self.types.push(kind);
        self.text.extend_from_slice(value.as_bytes());
        self.ends.push(self.text.len() as u64);
        let Self { hasher, nodes, types, ends, text } = self;
        nodes.insert_unique(hash, node, |held| hasher.hash_one((types[*held as usize], value_in(text, ends, *held))));
        Ok((node, true))
    }

    /// Makes room for so many more identifiers.
    pub(super) fn reserve(&mut self, more: usize) {
        let Self { hasher, nodes, types, ends, text } = self;
        nodes.reserve(more, |held| hasher.hash_one((types[*held as usize], value_in(text, ends, *held))));
        types.reserve(more);
        ends.reserve(more);
    }

    /// # Panics
    /// For a node that was never given, as [`Self::entry`] does.
    pub(super) fn kind(&self, node: Node) -> TypeId {
        self.types[node as usize]
    }

    /// # Panics
    /// For a node that was never given.
    pub(super) fn entry(&self, node: Node) -> (TypeId, &str) {
        (self.types[node as usize], value_in(&self.text, &self.ends, node))
    }

    fn holds(&self, node: Node, kind: TypeId, value: &str) -> bool {
        self.types[node as usize] == kind && bytes_in(&self.text, &self.ends, node) == value.as_bytes()
    }
}

fn value_in<'a>(text: &'a [u8], ends: &[u64], node: Node) -> &'a str {
    // Only whole `str`s were appended, so every slice between two ends is UTF-8.
    std::str::from_utf8(bytes_in(text, ends, node)).unwrap_or_default()
}

/// The value without a look at whether it is UTF-8: a comparison does not need that.
fn bytes_in<'a>(text: &'a [u8], ends: &[u64], node: Node) -> &'a [u8] {
    let index = node as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &text[start..ends[index] as usize]
}
