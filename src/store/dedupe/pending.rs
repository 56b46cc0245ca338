//! Keys of groups on their way to the log: neither in the index nor new.
//!
//! The sequencer holds one of these. A key is reserved before its group is written and settled with it: a duplicate of
//! it meanwhile waits for that group, because what is answered before durability is lost with a crash.
//!
//! Must not know what a group holds beyond its keys.

use std::collections::HashMap;

use super::key::{BatchKey, MessageKey};

/// A group of records that become durable together; numbered by the sequencer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u64);

/// All keys on their way, with their groups.
#[derive(Debug, Default)]
pub struct Pending {
    messages: HashMap<MessageKey, GroupId>,
    batches: HashMap<BatchKey, GroupId>,
    groups: HashMap<GroupId, GroupKeys>,
}

/// The keys that one group has reserved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GroupKeys {
    pub messages: Vec<MessageKey>,
    pub batches: Vec<BatchKey>,
}

impl Pending {
    /// The group that holds this key.
    pub fn group_of(&self, key: &MessageKey) -> Option<GroupId> {
        self.messages.get(key).copied()
    }

    /// The group that holds this batch: its sender waits for it and then gets its result.
    pub fn group_of_batch(&self, key: &BatchKey) -> Option<GroupId> {
        self.batches.get(key).copied()
    }

    /// Reserves keys for a group. A key that another group holds stays with that one.
    pub fn reserve(&mut self, group: GroupId, keys: impl IntoIterator<Item = MessageKey>) {
        let held = self.groups.entry(group).or_default();
        for key in keys {
            self.messages.entry(key).or_insert_with(|| {
                held.messages.push(key);
                group
            });
        }
    }

    /// Reserves a batch for a group, unless another group holds it.
    pub fn reserve_batch(&mut self, group: GroupId, key: BatchKey) {
        let held = self.groups.entry(group).or_default();
        self.batches.entry(key).or_insert_with(|| {
            held.batches.push(key);
            group
        });
    }

    /// Takes keys from a group that turned out to be duplicates of what the index holds.
    pub fn release(&mut self, group: GroupId, keys: impl IntoIterator<Item = MessageKey>) {
        for key in keys {
            if self.messages.get(&key) == Some(&group) {
                self.messages.remove(&key);
            }
        }
        if let Some(held) = self.groups.get_mut(&group) {
            held.messages.retain(|key| self.messages.get(key) == Some(&group));
        }
    }

    /// Ends a group and returns the keys that it held, in the order of their reservation. When it is durable, they are
    /// to be added to the index in the same step; when it failed, whoever waits for it checks again.
    pub fn settle(&mut self, group: GroupId) -> GroupKeys {
        let held = self.groups.remove(&group).unwrap_or_default();
        for key in &held.messages {
            self.messages.remove(key);
        }
        for key in &held.batches {
            self.batches.remove(key);
        }
        held
    }

    /// Groups on their way.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }
}
