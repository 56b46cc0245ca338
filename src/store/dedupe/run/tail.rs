//! What of a run stays in memory: filters, and the first key of each block.
//!
//! Must not know how an object is read.

use bytes::Bytes;

use super::super::filter::KeyFilter;
use super::super::key::{KEY_BYTES, RawKey};
use super::super::reader::ByteReader;

/// Where a block of batches lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchBlockPlace {
    pub(super) first: RawKey,
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

const PLACE_BYTES: usize = KEY_BYTES + 8 + 4;

#[derive(Debug)]
pub(super) struct Tail {
    /// The first key of each block of messages.
    pub(super) first_keys: Vec<RawKey>,
    pub(super) messages: KeyFilter,
    pub(super) batch_blocks: Vec<BatchBlockPlace>,
    pub(super) batches: KeyFilter,
}

impl Tail {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.first_keys.iter().for_each(|key| out.extend(key));
        self.messages.encode(&mut out);
        out.extend((self.batch_blocks.len() as u32).to_le_bytes());
        for place in &self.batch_blocks {
            out.extend(place.first);
            out.extend(place.offset.to_le_bytes());
            out.extend(place.bytes.to_le_bytes());
        }
        self.batches.encode(&mut out);
        out
    }

    /// `None` when these are not the tail of a run of so many blocks.
    pub(super) fn decode(stored: Bytes, blocks: u32) -> Option<Self> {
        let mut reader = ByteReader::new(stored);
        let mut keys = ByteReader::new(reader.take((blocks as usize).checked_mul(KEY_BYTES)?)?);
        let mut first_keys = Vec::with_capacity(blocks as usize);
        for _ in 0..blocks {
            first_keys.push(keys.key()?);
        }
        let messages = KeyFilter::decode(&mut reader)?;
        let count = reader.u32()? as usize;
        let mut batch_blocks = Vec::with_capacity(count.min(reader.left() / PLACE_BYTES));
        for _ in 0..count {
            batch_blocks.push(BatchBlockPlace { first: reader.key()?, offset: reader.u64()?, bytes: reader.u32()? });
        }
        let batches = KeyFilter::decode(&mut reader)?;
        (reader.left() == 0).then_some(Self { first_keys, messages, batch_blocks, batches })
    }

    /// Memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.first_keys.capacity() * KEY_BYTES
            + self.batch_blocks.capacity() * size_of::<BatchBlockPlace>()
            + self.messages.bytes()
            + self.batches.bytes()
    }
}

/// The only block of sorted ones that can hold a key, by the first key of each.
pub(super) fn block_of<T>(blocks: &[T], first: impl Fn(&T) -> &RawKey, key: &RawKey) -> Option<usize> {
    blocks.partition_point(|block| first(block) <= key).checked_sub(1)
}
