//! What one load adds to the identity graph. Replaying all batches in commit order gives the graph back.

mod tables;
#[cfg(test)]
mod tests;

use uuid::Uuid;

use super::identifier::TypeId;
use super::sets::{IdentifierSets, SetBuilder};
use crate::error::Result;
use crate::ids::{Node, Person};

pub use tables::birth_schema;
pub(super) use tables::{birth_columns, births_of};

/// New nodes in their order, the identifier sets of its events, births in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct IdentityBatch {
    pub nodes: Vec<(Node, TypeId, String)>,
    pub sets: IdentifierSets,
    pub births: Vec<Birth>,
}

/// A person number is given, once and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    /// Where it was born: the number stays with the component of this node.
    pub node: Node,
    pub person: Person,
    pub person_id: Uuid,
    /// Of the record of the log that gave it; 0 until there is one.
    pub position: u64,
    pub cause: BirthCause,
}

/// Why a person number was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BirthCause {
    /// None of an event's identifiers was anybody's.
    #[default]
    Event,
}

impl BirthCause {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
        }
    }

    /// The cause that is stored under a name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        (name == Self::Event.name()).then_some(Self::Event)
    }
}

impl IdentityBatch {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.sets.is_empty() && self.births.is_empty()
    }

    /// Nodes, sets and births.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.sets.len() + self.births.len()
    }

    /// Of memory.
    pub fn bytes(&self) -> usize {
        let values: usize = self.nodes.iter().map(|(_, _, value)| value.len()).sum();
        values
            + self.nodes.len() * size_of::<(Node, TypeId, String)>()
            + self.sets.bytes()
            + self.births.len() * size_of::<Birth>()
    }

    /// Says which record of the log gave the births.
    pub fn set_position(&mut self, position: u64) {
        self.births.iter_mut().for_each(|birth| birth.position = position);
    }

    /// Adds the changes that follow on these; a set may stand twice then.
    ///
    /// # Errors
    /// `Busy` when there are too many for one batch.
    pub fn append(&mut self, next: Self) -> Result<()> {
        self.nodes.extend(next.nodes);
        self.births.extend_from_slice(&next.births);
        self.sets.append(&next.sets)
    }

    /// The changes of batches that follow on each other, as one in which each set stands once.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn joined<'b>(batches: impl IntoIterator<Item = &'b Self>) -> Result<Self> {
        let (mut joined, mut sets) = (Self::default(), SetBuilder::default());
        for batch in batches {
            joined.nodes.extend_from_slice(&batch.nodes);
            joined.births.extend_from_slice(&batch.births);
            sets.add_sets(&batch.sets)?;
        }
        joined.sets = sets.finish();
        Ok(joined)
    }
}
