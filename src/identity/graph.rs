//! The identity graph of a workspace: dictionary, components, births, and the batch that is being gathered.

mod checkpoint;
pub(super) mod crowded;

use std::sync::Arc;

use super::batch::{Birth, BirthCause, IdentityBatch};
use super::components::Components;
use super::dictionary::SharedDictionary;
use super::identifier::{IdentifierClass, IdentifierTypes, TypeId};
use super::persons::Persons;
use super::sets::IdentifierSets;
use super::snapshot::{Arrays, IdentitySnapshot};
use crate::clock::Clock;
use crate::error::{Error, RUN_CHECK, Result};
use crate::ids::{Epoch, Node, Person};

pub use checkpoint::{GraphRestorer, node_schema, published_schema};
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
    /// Of the identifiers in it.
    gathered_bytes: usize,
    /// Components were joined since then.
    is_linked: bool,
}

impl IdentityGraph {
    /// An empty graph over these types.
    pub fn new(types: Arc<IdentifierTypes>) -> Self {
        Self { types, ..Self::default() }
    }

    pub fn types(&self) -> &Arc<IdentifierTypes> {
        &self.types
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
                self.gathered_bytes += size_of::<(Node, TypeId, String)>() + value.len();
                self.gathered.nodes.push((node, kind, value.to_owned()));
            }
            if !nodes.contains(&(kind, node)) {
                nodes.push((kind, node));
            }
        }
        self.components.grow(dictionary.len());
        Ok(())
    }

    /// Places the events of a load, in their order: births are given and links made as if they came now. `position` is
    /// that of the state that shows them.
    pub fn place(&mut self, sets: IdentifierSets, position: u64, clock: &Clock) {
        for (nodes, _) in sets.iter() {
            if nodes.iter().all(|node| self.components.is_unplaced(*node)) {
                let Some(node) = nodes.first().copied() else { continue };
                let (person, person_id) = (self.persons.births() as Person, clock.new_id());
                let birth = Birth { node, person, person_id, position, cause: BirthCause::Event };
                self.give_birth(birth);
                self.gathered.births.push(birth);
            }
            self.is_linked |= self.components.link(nodes);
        }
        self.gathered.sets = sets;
    }

    fn give_birth(&mut self, birth: Birth) {
        self.persons.push(birth);
        self.components.give_birth(birth.node, birth.person);
    }

    /// The changes since the last call, as one batch to make durable.
    pub fn finish_batch(&mut self) -> IdentityBatch {
        self.gathered_bytes = 0;
        let batch = std::mem::take(&mut self.gathered);
        let is_linked = std::mem::take(&mut self.is_linked);
        self.count_epoch(&batch, is_linked);
        batch
    }

    /// What is only seen again, or is nobody's yet, changes no person.
    fn count_epoch(&mut self, batch: &IdentityBatch, is_linked: bool) {
        self.epoch += Epoch::from(is_linked || !batch.births.is_empty());
    }

    /// Bytes of memory of the new identifiers since the last [`Self::finish_batch`].
    pub fn new_bytes(&self) -> usize {
        self.gathered_bytes
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
        let gap = || Error::corrupt("identity objects do not follow on each other").with_help(RUN_CHECK);
        let mut dictionary = self.dictionary.write();
        for (node, kind, value) in &batch.nodes {
            if dictionary.intern(*kind, value)? != (*node, true) {
                return Err(gap());
            }
        }
        let nodes = dictionary.len();
        drop(dictionary);
        self.components.grow(nodes);
        for birth in &batch.births {
            if birth.person as usize != self.persons.births() || birth.node as usize >= nodes {
                return Err(gap());
            }
            self.give_birth(*birth);
        }
        let mut is_linked = false;
        for (of_set, _) in batch.sets.iter() {
            if of_set.iter().any(|node| *node as usize >= nodes) {
                return Err(gap());
            }
            is_linked |= self.components.link(of_set);
        }
        self.count_epoch(batch, is_linked);
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
