//! Blocks of a run: the unit that is read and checked to verify one key.
//!
//! A block of messages is its keys, sorted, then their hours (u32), then a checksum; all but the last of a run have the
//! same length, so that a block's place follows from its number. A block of batches is (key, hour u32, length u32,
//! result) for each, then a checksum. The checksum covers purpose and number too: a block in a wrong place is damage.
//!
//! Must not know about objects and paths.

use bytes::Bytes;

use super::clock::Hour;
use super::key::{KEY_BYTES, RawKey};
use super::reader::ByteReader;

/// Messages of a block: 4 KiB with their checksum.
pub(super) const BLOCK_ENTRIES: usize = 204;

const HOUR_BYTES: usize = 4;
const ENTRY_BYTES: usize = KEY_BYTES + HOUR_BYTES;
pub(super) const CHECKSUM_BYTES: usize = 4;

/// What a checksum protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Messages = 1,
    Batches = 2,
    Tail = 3,
    Footer = 4,
}

/// CRC32C, which processors compute: a check of a block takes less than reading it from memory does.
pub(super) fn checksum(part: Part, number: u32, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d] = number.to_le_bytes();
    crc32c::crc32c_append(crc32c::crc32c(&[part as u8, a, b, c, d]), payload).to_le_bytes()
}

/// The payload of stored bytes that end in their checksum; `None` when they are damaged.
pub(super) fn check(part: Part, number: u32, stored: &Bytes) -> Option<Bytes> {
    let length = stored.len().checked_sub(CHECKSUM_BYTES)?;
    let payload = stored.slice(..length);
    (checksum(part, number, &payload)[..] == stored[length..]).then_some(payload)
}

/// Stored bytes of a block of so many messages.
pub(super) fn message_block_bytes(entries: usize) -> usize {
    entries * ENTRY_BYTES + CHECKSUM_BYTES
}

pub(super) fn encode_messages(number: u32, entries: &[(RawKey, Hour)], out: &mut Vec<u8>) {
    let start = out.len();
    entries.iter().for_each(|(key, _)| out.extend(key));
    entries.iter().for_each(|(_, hour)| out.extend(hour.0.to_le_bytes()));
    let checksum = checksum(Part::Messages, number, &out[start..]);
    out.extend(checksum);
}

/// A block of messages that has passed its check.
#[derive(Debug)]
pub(super) struct MessageBlock {
    stored: Bytes,
    entries: usize,
}

impl MessageBlock {
    /// `None` when the bytes are damaged.
    pub(super) fn decode(number: u32, entries: usize, stored: Bytes) -> Option<Self> {
        let whole = stored.len() == message_block_bytes(entries) && check(Part::Messages, number, &stored).is_some();
        whole.then_some(Self { stored, entries })
    }

    /// A block out of the cache, checked when it was read.
    pub(super) fn from_cache(entries: usize, stored: Bytes) -> Self {
        Self { stored, entries }
    }

    pub(super) fn stored(&self) -> &Bytes {
        &self.stored
    }

    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    pub(super) fn get(&self, at: usize) -> (RawKey, Hour) {
        let mut hour = [0; HOUR_BYTES];
        hour.copy_from_slice(&self.stored[self.entries * KEY_BYTES + at * HOUR_BYTES..][..HOUR_BYTES]);
        (self.key(at), Hour(u32::from_le_bytes(hour)))
    }

    pub(super) fn find(&self, key: &RawKey) -> Option<Hour> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle).cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.get(middle).1),
            }
        }
        None
    }

    fn key(&self, at: usize) -> RawKey {
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&self.stored[at * KEY_BYTES..][..KEY_BYTES]);
        key
    }
}

/// A batch with the bytes of its first result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BatchEntry {
    pub(super) key: RawKey,
    pub(super) hour: Hour,
    pub(super) result: Bytes,
}

impl BatchEntry {
    /// Bytes in a block.
    pub(super) fn stored_bytes(&self) -> usize {
        KEY_BYTES + HOUR_BYTES + 4 + self.result.len()
    }
}

pub(super) fn encode_batches(number: u32, entries: &[BatchEntry], out: &mut Vec<u8>) {
    let start = out.len();
    for entry in entries {
        out.extend(entry.key);
        out.extend(entry.hour.0.to_le_bytes());
        out.extend((entry.result.len() as u32).to_le_bytes());
        out.extend(&entry.result);
    }
    let checksum = checksum(Part::Batches, number, &out[start..]);
    out.extend(checksum);
}

/// The batches of a block; `None` when the bytes are damaged.
pub(super) fn decode_batches(number: u32, stored: &Bytes) -> Option<Vec<BatchEntry>> {
    let mut reader = ByteReader::new(check(Part::Batches, number, stored)?);
    let mut entries = Vec::new();
    while reader.left() > 0 {
        let (key, hour, length) = (reader.key()?, Hour(reader.u32()?), reader.u32()?);
        entries.push(BatchEntry { key, hour, result: reader.take(length as usize)? });
    }
    Some(entries)
}
