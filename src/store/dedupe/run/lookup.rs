//! Whether keys that passed a run's filter are in the run: its blocks are read, checked and searched.

use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;

use super::super::block::{BatchEntry, MessageBlock, decode_batches, message_block_bytes};
use super::super::cache::BlockCache;
use super::super::clock::Hour;
use super::super::key::RawKey;
use super::tail::block_of;
use super::{Run, read_error};
use crate::error::Result;

/// Blocks of one read, if they lie within [`READ_SPAN`], else [`BLOCKS_FAR_APART`]. A local store opens the file once
/// for all of them. Remote ones read what lies between two ranges less than 1 MiB apart: so one read never brings more
/// than 8 MiB.
const BLOCKS_A_READ: usize = 64;
const READ_SPAN: u64 = 8 << 20;
const BLOCKS_FAR_APART: usize = 8;

/// Reads of one run under way at once.
const READS_AT_ONCE: usize = 4;

/// A key that passed the filter, with the only block that can hold it.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Candidate {
    block: u32,
    key: RawKey,
}

/// A block with the candidates that are to be searched in it.
#[derive(Debug, Clone)]
struct Group {
    block: u32,
    candidates: Range<usize>,
}

impl Run {
    /// The key as a candidate; `None` when the filter denies it.
    pub(in super::super) fn probe(&self, key: &RawKey) -> Option<Candidate> {
        if !self.tail.messages.may_contain(key) {
            return None;
        }
        let block = block_of(&self.tail.first_keys, |first| first, key)?;
        Some(Candidate { block: block as u32, key: *key })
    }

    /// The hour of each candidate that is in the run. Candidates must be in the order of their keys.
    ///
    /// # Errors
    /// `Corrupt` when a block fails its checksum or the object is missing.
    pub(in super::super) async fn find(
        &self,
        candidates: &[Candidate],
        cache: &BlockCache,
    ) -> Result<Vec<Option<Hour>>> {
        let mut hours = vec![None; candidates.len()];
        let mut unread = Vec::new();
        for group in group_by_block(candidates) {
            match cache.get((self.number, group.block)) {
                Some(stored) => {
                    let block = MessageBlock::from_cache(self.footer.entries_of(group.block), stored);
                    search(&block, &group, candidates, &mut hours);
                }
                None => unread.push(group),
            }
        }
        // Many blocks at once would push all others out, and each other too.
        let keep = unread.len() <= cache.capacity_blocks(message_block_bytes(self.footer.block_entries as usize)) / 4;
        let reads: Vec<_> = self.plan_reads(unread).into_iter().map(|groups| self.read_groups(groups)).collect();
        let mut reads = stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        while let Some(blocks) = reads.try_next().await? {
            for (group, block) in blocks {
                if keep {
                    cache.insert((self.number, group.block), block.stored());
                }
                search(&block, &group, candidates, &mut hours);
            }
        }
        Ok(hours)
    }

    fn plan_reads(&self, groups: Vec<Group>) -> Vec<Vec<Group>> {
        let mut reads: Vec<Vec<Group>> = Vec::new();
        for group in groups {
            let fits = |read: &&mut Vec<Group>| {
                let start = read.first().map_or(0, |first| self.footer.block_range(first.block).start);
                let span = self.footer.block_range(group.block).end - start;
                read.len() < if span <= READ_SPAN { BLOCKS_A_READ } else { BLOCKS_FAR_APART }
            };
            match reads.last_mut().filter(fits) {
                Some(read) => read.push(group),
                None => reads.push(vec![group]),
            }
        }
        reads
    }

    async fn read_groups(&self, groups: Vec<Group>) -> Result<Vec<(Group, MessageBlock)>> {
        let ranges: Vec<_> = groups.iter().map(|group| self.footer.block_range(group.block)).collect();
        let read = self.store.get_ranges(&self.path, &ranges).await;
        let stored = read.map_err(|error| read_error(&self.path, error))?;
        groups
            .into_iter()
            .zip(stored)
            .map(|(group, stored)| Ok((group.clone(), self.decode(group.block, stored)?)))
            .collect()
    }

    pub(super) fn decode(&self, block: u32, stored: Bytes) -> Result<MessageBlock> {
        MessageBlock::decode(block, self.footer.entries_of(block), stored)
            .ok_or_else(|| self.damage(&format!("block {block} fails the checksum")))
    }

    /// The batch of this key.
    ///
    /// # Errors
    /// As [`Run::find`].
    pub(in super::super) async fn find_batch(&self, key: &RawKey) -> Result<Option<BatchEntry>> {
        if !self.tail.batches.may_contain(key) {
            return Ok(None);
        }
        let Some(block) = block_of(&self.tail.batch_blocks, |place| &place.first, key) else { return Ok(None) };
        let entries = self.read_batch_block(block).await?;
        let found = entries.binary_search_by(|entry| entry.key.cmp(key)).ok();
        Ok(found.map(|at| {
            let entry = &entries[at];
            // The result alone, not the block that was read around it.
            BatchEntry { key: entry.key, hour: entry.hour, result: Bytes::copy_from_slice(&entry.result) }
        }))
    }

    pub(super) async fn read_batch_block(&self, block: usize) -> Result<Vec<BatchEntry>> {
        let place = self.tail.batch_blocks[block];
        let end = place.offset.saturating_add(u64::from(place.bytes));
        if place.offset < self.footer.messages_end() || end > self.footer.tail_offset {
            return Err(self.damage("a block of batches lies outside of its part"));
        }
        let stored = self.read(place.offset..end).await?;
        decode_batches(block as u32, &stored)
            .ok_or_else(|| self.damage(&format!("batch block {block} fails the checksum")))
    }
}

/// Candidates of the same block are neighbours.
fn group_by_block(candidates: &[Candidate]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if group.block == candidate.block => group.candidates.end = at + 1,
            _ => groups.push(Group { block: candidate.block, candidates: at..at + 1 }),
        }
    }
    groups
}

fn search(block: &MessageBlock, group: &Group, candidates: &[Candidate], hours: &mut [Option<Hour>]) {
    for at in group.candidates.clone() {
        hours[at] = block.find(&candidates[at].key);
    }
}
