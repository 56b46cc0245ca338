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
        let is_new = !self.contains(&key);
        if is_new {
            // Its hour is told when the load is committed.
            self.0.insert(key, Hour(0));
        }
        is_new
    }

    pub fn contains(&self, key: &MessageKey) -> bool {
        self.0.contains(key)
    }
}
