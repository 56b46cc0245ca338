//! The identity graph of a workspace: dictionary, components, births, and the batch that is being gathered.

mod checkpoint;
pub(super) mod crowded;

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::batch::IdentityBatch;
use super::components::Components;
use super::dictionary::SharedDictionary;
use super::event_sets::EventSets;
use super::identifier::{IdentifierClass, IdentifierTypes, TypeId};
use super::persons::Persons;
use super::snapshot::{Arrays, IdentitySnapshot};
use super::{NumberEvents, main_node};
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

    fn give_birth(&mut self, node: Node) {
        let person = self.persons.births() as Person;
        let person_id = Uuid::now_v7();
        self.persons.push(person_id, Some(node));
        self.components.give_birth(node, person);
        self.gathered.births.push((node, person, person_id));
    }

    fn link(&mut self, main: Node, node: Node) {
        self.gathered.edges.push((main, node));
        self.components.union(main, node);
    }

    /// Where none of an event's nodes belongs to anybody, its main node is born.
    fn be_born_unless_placed(&mut self, main: Node, mut nodes: impl Iterator<Item = Node>) {
        if nodes.all(|node| self.components.is_unplaced(node)) {
            self.give_birth(main);
        }
    }

    /// Numbers identifiers, of which each is nobody's until an event is placed that has it; `nodes` gets each once, in
    /// their order.
    pub(super) fn intern<'a>(
        &mut self,
        identifiers: impl IntoIterator<Item = (TypeId, &'a str)>,
        nodes: &mut Vec<(TypeId, Node)>,
    ) -> Result<()> {
        nodes.clear();
        let mut dictionary = self.dictionary.write();
        for (kind, value) in identifiers {
            let (node, new) = dictionary.intern(kind, value)?;
            if new {
                self.gathered.nodes.push((node, kind, value.to_owned()));
            }
            if !nodes.contains(&(kind, node)) {
                nodes.push((kind, node));
            }
        }
        self.components.grow(dictionary.len());
        Ok(())
    }

    /// Places the events of a load, in their order: births are given and links made as if they came now.
    pub fn place(&mut self, sets: &EventSets) {
        for nodes in sets.iter() {
            let Some((main, others)) = nodes.split_first() else { continue };
            self.be_born_unless_placed(*main, nodes.iter().copied());
            others.iter().for_each(|node| self.link(*main, *node));
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

    /// Identifiers since the last [`Self::finish_batch`].
    pub fn new_nodes(&self) -> usize {
        self.gathered.nodes.len()
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

    /// Counts on from this epoch: batches that were made durable one by one may be replayed as one.
    pub fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
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

impl NumberEvents for IdentityGraph {
    fn add_event<'a>(&mut self, identifiers: impl IntoIterator<Item = (TypeId, &'a str)>) -> Result<Option<Node>> {
        let mut nodes = std::mem::take(&mut self.event_nodes);
        self.intern(identifiers, &mut nodes)?;
        let main = main_node(&self.types, &nodes);
        if let Some(main) = main {
            self.be_born_unless_placed(main, nodes.iter().map(|(_, node)| *node));
            for (_, node) in &nodes {
                if *node != main && self.gathered_edges.insert((main, *node)) {
                    self.link(main, *node);
                }
            }
        }
        self.event_nodes = nodes;
        Ok(main)
    }
}
