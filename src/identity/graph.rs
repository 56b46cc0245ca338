//! The identity graph of a workspace: dictionary, components, births, and the batch that is being gathered.

mod checkpoint;
mod crowded;

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::batch::IdentityBatch;
use super::components::Components;
use super::dictionary::SharedDictionary;
use super::identifier::{IdentifierClass, IdentifierTypes, TypeId};
use super::persons::Persons;
use super::snapshot::{Arrays, IdentitySnapshot};
use crate::error::{Error, Result};
use crate::ids::{Epoch, Node, Person};

pub use checkpoint::{GraphRestorer, birth_schema, node_schema, published_schema};
pub use crowded::Crowded;

/// Grows by events; every change since the last [`Self::finish_batch`] is in the batch it returns.
#[derive(Debug, Default)]
pub struct IdentityGraph {
    types: Arc<IdentifierTypes>,
    dictionary: SharedDictionary,
    components: Components,
    persons: Persons,
    epoch: Epoch,
    gathered: IdentityBatch,
    gathered_edges: HashSet<(Node, Node)>,
    /// Nodes of the event at hand, kept to save an allocation an event.
    event_nodes: Vec<(TypeId, Node)>,
}

impl IdentityGraph {
    /// An empty graph over these types.
    pub fn new(types: Arc<IdentifierTypes>) -> Self {
        Self { types, ..Self::default() }
    }

    pub fn types(&self) -> &Arc<IdentifierTypes> {
        &self.types
    }

    /// Takes the usable identifiers of one event and returns its main node, that of its highest-priority identifier.
    ///
    /// When none of them was known, the main node is born: it gets the next person number and a random person_id.
    pub fn add_event<'a>(&mut self, identifiers: impl IntoIterator<Item = (TypeId, &'a str)>) -> Result<Option<Node>> {
        let mut nodes = std::mem::take(&mut self.event_nodes);
        nodes.clear();
        // A value that the event names twice is not known by its first mention.
        let mut dictionary = self.dictionary.write();
        let known_before = dictionary.len();
        let mut any_known = false;
        for (kind, value) in identifiers {
            let (node, new) = dictionary.intern(kind, value)?;
            if new {
                self.gathered.nodes.push((node, kind, value.to_owned()));
            }
            any_known |= (node as usize) < known_before;
            if !nodes.contains(&(kind, node)) {
                nodes.push((kind, node));
            }
        }
        self.components.grow(dictionary.len());
        drop(dictionary);
        // Of two identifiers of one type the one that came first on the event is the main one.
        let main = nodes.iter().min_by_key(|(kind, _)| self.types.rank(*kind)).map(|(_, node)| *node);
        if let Some(main) = main {
            if !any_known {
                self.give_birth(main);
            }
            self.link(main, &nodes);
        }
        self.event_nodes = nodes;
        Ok(main)
    }

    fn give_birth(&mut self, node: Node) {
        let person = self.persons.births() as Person;
        let person_id = Uuid::now_v7();
        self.persons.push(person_id, Some(node));
        self.components.give_birth(node, person);
        self.gathered.births.push((node, person, person_id));
    }

    fn link(&mut self, main: Node, nodes: &[(TypeId, Node)]) {
        for (_, node) in nodes {
            if *node != main && self.gathered_edges.insert((main, *node)) {
                self.gathered.edges.push((main, *node));
                self.components.union(main, *node);
            }
        }
    }

    /// The changes since the last call, as one batch to make durable.
    pub fn finish_batch(&mut self) -> IdentityBatch {
        self.gathered_edges.clear();
        let batch = std::mem::take(&mut self.gathered);
        // An empty batch is not stored, so a replay would not count it either.
        self.epoch += Epoch::from(!batch.is_empty());
        batch
    }

    /// Whether nothing was added since the last [`Self::finish_batch`].
    pub fn is_as_stored(&self) -> bool {
        self.gathered.is_empty()
    }

    /// Takes in a batch that another process, or this one before a restart, made durable.
    ///
    /// # Errors
    /// `Corrupt` when its numbers do not follow on those of the graph.
    pub fn replay(&mut self, batch: &IdentityBatch) -> Result<()> {
        let gap = || Error::corrupt("identity objects do not follow on each other: run `convoke check`");
        let mut dictionary = self.dictionary.write();
        for (node, kind, value) in &batch.nodes {
            if dictionary.intern(*kind, value)? != (*node, true) {
                return Err(gap());
            }
        }
        let nodes = dictionary.len();
        drop(dictionary);
        self.components.grow(nodes);
        for (node, person, person_id) in &batch.births {
            if *person as usize != self.persons.births() || *node as usize >= nodes {
                return Err(gap());
            }
            self.persons.push(*person_id, Some(*node));
            self.components.give_birth(*node, *person);
        }
        for (a, b) in &batch.edges {
            if *a.max(b) as usize >= nodes {
                return Err(gap());
            }
            self.components.union(*a, *b);
        }
        self.epoch += 1;
        Ok(())
    }

    /// The state that queries pin. Costs what has changed since the last one.
    pub fn snapshot(&mut self) -> IdentitySnapshot {
        let Self { types, dictionary, components, persons, .. } = self;
        let held = dictionary.read();
        persons.grow(held.len());
        components.relabel(persons, |node| types.class(held.kind(node)) == IdentifierClass::Person);
        drop(held);
        let arrays = Arrays {
            persons: persons.clone(),
            rings: components.rings().clone(),
            types: Arc::clone(types),
            dictionary: SharedDictionary::clone(dictionary),
        };
        IdentitySnapshot { epoch: self.epoch, arrays: Arc::new(arrays) }
    }

    /// Identifiers ever seen.
    pub fn nodes(&self) -> usize {
        self.dictionary.read().len()
    }
}
