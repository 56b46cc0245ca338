//! Message ids of a load that is under way: they count only when it is committed.
//!
//! Must not know the index, nor what is stored.

use super::clock::Hour;
use super::exact::ExactKeys;
use super::key::MessageKey;

#[derive(Debug, Default)]
pub struct LoadKeys(pub(super) ExactKeys);

impl LoadKeys {
    /// Adds a key; false where the load has it already.
    pub fn insert(&mut self, key: MessageKey) -> bool {
        // Its hour is told when the load is committed.
        self.0.insert_new(key, Hour(0))
    }

    pub fn contains(&self, key: &MessageKey) -> bool {
        self.0.contains(key)
    }
}
