//! Writes a run: keys come sorted, messages first, then batches.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::super::block::{BLOCK_ENTRIES, BatchEntry, encode_batches, encode_messages, message_block_bytes};
use super::super::clock::Hour;
use super::super::filter::{FilterBuilder, SECTION_KEYS};
use super::super::key::RawKey;
use super::footer::{Footer, header, tail_checksum};
use super::tail::{BatchBlockPlace, Tail};
use super::upload::Upload;
use super::{Mark, Run};
use crate::error::{Error, Result};

/// Sizes of the parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Layout {
    /// Messages of a block.
    pub(in super::super) block_entries: usize,
    /// Keys of a section of the filter.
    pub(in super::super) section_keys: usize,
    /// Bytes after which the object goes in parts of this size.
    pub(in super::super) part_bytes: usize,
}

impl Layout {
    pub(in super::super) const STANDARD: Self =
        Self { block_entries: BLOCK_ENTRIES, section_keys: SECTION_KEYS, part_bytes: 8 << 20 };
}

/// Holds, beside parts of the object under way, what the finished run keeps in memory, and one section's keys.
pub(in super::super) struct RunWriter {
    store: Arc<dyn ObjectStore>,
    path: Path,
    mark: Mark,
    layout: Layout,
    upload: Upload,
    messages: u64,
    batches: u64,
    hours: Option<(Hour, Hour)>,
    last: Option<RawKey>,
    block: Vec<(RawKey, Hour)>,
    first_keys: Vec<RawKey>,
    filter: FilterBuilder,
    batch_block: Vec<BatchEntry>,
    batch_block_bytes: usize,
    batch_blocks: Vec<BatchBlockPlace>,
    batch_filter: FilterBuilder,
}

impl RunWriter {
    pub(in super::super) fn new(store: Arc<dyn ObjectStore>, path: Path, mark: Mark, layout: Layout) -> Self {
        let mut upload = Upload::new(Arc::clone(&store), path.clone(), layout.part_bytes);
        upload.buffer().extend(header());
        Self {
            store,
            path,
            mark,
            layout,
            upload,
            messages: 0,
            batches: 0,
            hours: None,
            last: None,
            block: Vec::with_capacity(layout.block_entries),
            first_keys: Vec::new(),
            filter: FilterBuilder::new(layout.section_keys),
            batch_block: Vec::new(),
            batch_block_bytes: 0,
            batch_blocks: Vec::new(),
            batch_filter: FilterBuilder::new(layout.section_keys),
        }
    }

    /// Keys in it so far, of both kinds.
    pub(in super::super) fn keys(&self) -> u64 {
        self.messages + self.batches
    }

    /// # Errors
    /// `Internal` when the key does not come behind the one before, or what the store says.
    pub(in super::super) async fn push_message(&mut self, key: RawKey, hour: Hour) -> Result<()> {
        if self.batches > 0 {
            return Err(Error::internal("a message was written to a dedupe run behind its batches"));
        }
        self.take(key, hour)?;
        self.filter.push(&key);
        self.block.push((key, hour));
        self.messages += 1;
        if self.block.len() == self.layout.block_entries {
            self.end_block().await?;
        }
        Ok(())
    }

    /// # Errors
    /// As [`RunWriter::push_message`].
    pub(in super::super) async fn push_batch(&mut self, entry: BatchEntry) -> Result<()> {
        if self.batches == 0 {
            self.end_block().await?;
            self.last = None;
        }
        self.take(entry.key, entry.hour)?;
        self.batch_filter.push(&entry.key);
        self.batch_block_bytes += entry.stored_bytes();
        self.batch_block.push(entry);
        self.batches += 1;
        if self.batch_block_bytes >= message_block_bytes(self.layout.block_entries) {
            self.end_batch_block().await?;
        }
        Ok(())
    }

    /// Writes what is left and opens the run from what is in memory already.
    ///
    /// # Errors
    /// `Conflict` when the path is taken, or what the store says.
    pub(in super::super) async fn finish(mut self) -> Result<Run> {
        self.end_block().await?;
        self.end_batch_block().await?;
        self.first_keys.shrink_to_fit();
        self.batch_blocks.shrink_to_fit();
        let tail = Tail {
            first_keys: self.first_keys,
            messages: self.filter.finish(),
            batch_blocks: self.batch_blocks,
            batches: self.batch_filter.finish(),
        };
        let (oldest, newest) = self.hours.unwrap_or((self.mark.clock.now(), self.mark.clock.now()));
        let encoded = tail.encode();
        let footer = Footer {
            block_entries: self.layout.block_entries as u32,
            messages: self.messages,
            batches: self.batches,
            oldest,
            newest,
            mark: self.mark,
            tail_offset: self.upload.offset(),
            tail_bytes: encoded.len() as u64,
            tail_checksum: tail_checksum(&encoded),
        };
        self.upload.buffer().extend(encoded);
        self.upload.buffer().extend(footer.encode());
        self.upload.send_full_parts().await?;
        self.upload.finish().await?;
        Ok(Run::new(self.store, self.path, footer, tail))
    }

    fn take(&mut self, key: RawKey, hour: Hour) -> Result<()> {
        if self.last.is_some_and(|last| last >= key) {
            return Err(Error::internal("keys of a dedupe run were written out of their order"));
        }
        self.last = Some(key);
        self.hours = Some(self.hours.map_or((hour, hour), |(oldest, newest)| (oldest.min(hour), newest.max(hour))));
        Ok(())
    }

    async fn end_block(&mut self) -> Result<()> {
        let Some((first, _)) = self.block.first() else { return Ok(()) };
        let number = self.first_keys.len() as u32;
        self.first_keys.push(*first);
        encode_messages(number, &self.block, self.upload.buffer());
        self.block.clear();
        self.upload.send_full_parts().await
    }

    async fn end_batch_block(&mut self) -> Result<()> {
        let Some(first) = self.batch_block.first().map(|entry| entry.key) else { return Ok(()) };
        let (number, offset) = (self.batch_blocks.len() as u32, self.upload.offset());
        encode_batches(number, &self.batch_block, self.upload.buffer());
        let bytes = (self.upload.offset() - offset) as u32;
        self.batch_blocks.push(BatchBlockPlace { first, offset, bytes });
        self.batch_block.clear();
        self.batch_block_bytes = 0;
        self.upload.send_full_parts().await
    }
}
