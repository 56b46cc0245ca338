//! Whether a run is what was written, byte for byte.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use super::super::clock::Hour;
use super::super::key::RawKey;
use super::footer::{HEADER_BYTES, header};
use super::tail::block_of;
use super::{BatchScan, MessageScan, Run};
use crate::error::Result;

/// Reads a stored run from its first byte to its last.
///
/// # Errors
/// `Corrupt` when it is missing, or is not what was written.
pub async fn verify_run(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<()> {
    let run = Run::open(Arc::clone(store), path.clone()).await?;
    Arc::new(run).verify().await
}

impl Run {
    /// Reads the whole run: checksums, order, counts and hours as the footer says them, no key that its own filter or
    /// the first keys of the blocks would miss.
    ///
    /// # Errors
    /// `Corrupt`, naming the object and what is wrong.
    pub async fn verify(self: &Arc<Self>) -> Result<()> {
        if self.read(0..HEADER_BYTES as u64).await?[..] != header() {
            return Err(self.damage("it does not begin as a dedupe run does"));
        }
        let mut seen = Seen::default();
        let mut messages = MessageScan::new(Arc::clone(self));
        while let Some((key, hour)) = messages.next().await? {
            let block = (seen.keys / u64::from(self.footer.block_entries)) as usize;
            let found = self.tail.messages.may_contain(&key)
                && block_of(&self.tail.first_keys, |first| first, &key) == Some(block);
            if !seen.take(&key, hour) || !found {
                return Err(self.damage(&format!("the keys of block {block} are not in their order")));
            }
        }
        let messages = seen.keys;
        seen = Seen { last: None, ..seen };
        self.check_batch_blocks()?;
        let mut batches = BatchScan::new(Arc::clone(self));
        while let Some(batch) = batches.next().await? {
            if !seen.take(&batch.key, batch.hour) || !self.tail.batches.may_contain(&batch.key) {
                return Err(self.damage("its batches are not in their order"));
            }
        }
        let counts = (messages, seen.keys - messages) == (self.messages(), self.batches());
        let hours = seen.hours.is_none_or(|hours| hours == (self.oldest(), self.newest()));
        if counts && hours { Ok(()) } else { Err(self.damage("it does not hold what its footer says")) }
    }

    /// The blocks of batches lie without gaps between those of messages and the tail.
    fn check_batch_blocks(&self) -> Result<()> {
        let mut end = self.footer.messages_end();
        for place in &self.tail.batch_blocks {
            if place.offset != end {
                return Err(self.damage("there is a gap between its blocks"));
            }
            end += u64::from(place.bytes);
        }
        if end == self.footer.tail_offset { Ok(()) } else { Err(self.damage("there is a gap before its tail")) }
    }
}

#[derive(Debug, Default)]
struct Seen {
    keys: u64,
    last: Option<RawKey>,
    hours: Option<(Hour, Hour)>,
}

impl Seen {
    /// False when the key does not come behind the one before.
    fn take(&mut self, key: &RawKey, hour: Hour) -> bool {
        let in_order = self.last.is_none_or(|last| last < *key);
        self.keys += 1;
        self.last = Some(*key);
        self.hours = Some(self.hours.map_or((hour, hour), |(oldest, newest)| (oldest.min(hour), newest.max(hour))));
        in_order
    }
}
