//! All keys of a run in order, a stretch of blocks at a time: what a merge and a check read.

use std::sync::Arc;

use super::super::block::{BatchEntry, MessageBlock};
use super::super::clock::Hour;
use super::super::key::RawKey;
use super::Run;
use crate::error::Result;

/// Blocks of one read: half a megabyte.
const BLOCKS_A_READ: u32 = 128;

/// The messages of a run.
#[derive(Debug)]
pub(in super::super) struct MessageScan {
    run: Arc<Run>,
    next_block: u32,
    /// Blocks that were read, the next one last.
    blocks: Vec<MessageBlock>,
    /// The next entry of the next block.
    at: usize,
}

impl MessageScan {
    pub(in super::super) fn new(run: Arc<Run>) -> Self {
        Self { run, next_block: 0, blocks: Vec::new(), at: 0 }
    }

    pub(in super::super) async fn next(&mut self) -> Result<Option<(RawKey, Hour)>> {
        loop {
            if let Some(block) = self.blocks.last() {
                if self.at < block.entries() {
                    self.at += 1;
                    return Ok(Some(block.get(self.at - 1)));
                }
                self.blocks.pop();
                self.at = 0;
            } else if !self.read_blocks().await? {
                return Ok(None);
            }
        }
    }

    /// Reads the next stretch; false at the end of the run.
    async fn read_blocks(&mut self) -> Result<bool> {
        let footer = &self.run.footer;
        let end = footer.blocks().min(self.next_block.saturating_add(BLOCKS_A_READ));
        if self.next_block >= end {
            return Ok(false);
        }
        let start = footer.block_range(self.next_block).start;
        let stored = self.run.read(start..footer.block_range(end - 1).end).await?;
        for number in (self.next_block..end).rev() {
            let range = footer.block_range(number);
            let bytes = stored.slice((range.start - start) as usize..(range.end - start) as usize);
            self.blocks.push(self.run.decode(number, bytes)?);
        }
        self.next_block = end;
        Ok(true)
    }
}

/// The batches of a run.
#[derive(Debug)]
pub(in super::super) struct BatchScan {
    run: Arc<Run>,
    next_block: usize,
    entries: std::vec::IntoIter<BatchEntry>,
}

impl BatchScan {
    pub(in super::super) fn new(run: Arc<Run>) -> Self {
        Self { run, next_block: 0, entries: Vec::new().into_iter() }
    }

    pub(in super::super) async fn next(&mut self) -> Result<Option<BatchEntry>> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Ok(Some(entry));
            }
            if self.next_block == self.run.tail.batch_blocks.len() {
                return Ok(None);
            }
            self.entries = self.run.read_batch_block(self.next_block).await?.into_iter();
            self.next_block += 1;
        }
    }
}
