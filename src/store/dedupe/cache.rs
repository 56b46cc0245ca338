//! Blocks of runs that were read lately, within a budget.
//!
//! Two halves: what is used moves to the young one; when that is full it becomes the old one, and what nobody has used
//! meanwhile goes. Keys are hashes, so most blocks are read once: this helps small runs and senders that repeat
//! themselves, and needs no finer order.
//!
//! Must not know what a block holds.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;

/// A block of a run: the run's number in this process, and the block's in the run.
pub(super) type BlockId = (u64, u32);

/// What an entry takes beside the bytes of its block.
const ENTRY_BYTES: usize = 96;

#[derive(Debug)]
pub(super) struct BlockCache {
    half_bytes: usize,
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<BlockId, Bytes>,
    young_bytes: usize,
    old: HashMap<BlockId, Bytes>,
    old_bytes: usize,
}

impl BlockCache {
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self { half_bytes: budget_bytes / 2, halves: Mutex::default() }
    }

    pub(super) fn get(&self, id: BlockId) -> Option<Bytes> {
        let mut halves = self.halves.lock();
        if let Some(block) = halves.young.get(&id) {
            return Some(block.clone());
        }
        let block = halves.old.remove(&id)?;
        halves.old_bytes -= block.len() + ENTRY_BYTES;
        self.insert_young(&mut halves, id, block.clone());
        Some(block)
    }

    /// Keeps a copy of the block: what was read may be a slice of something larger.
    pub(super) fn insert(&self, id: BlockId, block: &Bytes) {
        if block.len() + ENTRY_BYTES <= self.half_bytes {
            let copy = Bytes::copy_from_slice(block);
            self.insert_young(&mut self.halves.lock(), id, copy);
        }
    }

    /// About how many blocks of this size it holds.
    pub(super) fn capacity_blocks(&self, block_bytes: usize) -> usize {
        2 * self.half_bytes / (block_bytes + ENTRY_BYTES)
    }

    pub(super) fn clear(&self) {
        *self.halves.lock() = Halves::default();
    }

    /// Memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        let halves = self.halves.lock();
        halves.young_bytes + halves.old_bytes
    }

    fn insert_young(&self, halves: &mut Halves, id: BlockId, block: Bytes) {
        let added = block.len() + ENTRY_BYTES;
        if halves.young_bytes + added > self.half_bytes {
            halves.old = std::mem::take(&mut halves.young);
            halves.old_bytes = std::mem::take(&mut halves.young_bytes);
        }
        // The same block may lie in the old half, or come twice from readers that met.
        if let Some(before) = halves.old.remove(&id) {
            halves.old_bytes -= before.len() + ENTRY_BYTES;
        }
        if halves.young.insert(id, block).is_none() {
            halves.young_bytes += added;
        }
    }
}
