//! The last bytes of a run: what it holds, where, and where log and time stood when it was written.
//!
//! Must not know how an object is read.

use bytes::Bytes;

use super::super::block::{CHECKSUM_BYTES, Part, check, checksum, message_block_bytes};
use super::super::clock::{Hour, IndexClock};
use super::super::reader::ByteReader;

pub(super) const MAGIC: [u8; 8] = *b"CVKDEDUP";
pub(super) const FORMAT: u32 = 1;

/// The first bytes of a run: magic, format, zero.
pub(super) const HEADER_BYTES: usize = 16;

/// The last bytes of a run.
pub(super) const FOOTER_BYTES: usize = 84;

pub(super) fn header() -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header
}

/// Where the log and the index's time stood when the keys of a run were sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Position of the newest record whose keys are in this run or in older ones.
    pub position: u64,
    pub clock: IndexClock,
    /// Up to this hour keys may be missing, since the index had to be cut down to its memory.
    pub lost: Option<Hour>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) block_entries: u32,
    pub(super) messages: u64,
    pub(super) batches: u64,
    pub(super) oldest: Hour,
    pub(super) newest: Hour,
    pub(super) mark: Mark,
    pub(super) tail_offset: u64,
    pub(super) tail_bytes: u64,
    pub(super) tail_checksum: u32,
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_BYTES);
        out.extend(self.block_entries.to_le_bytes());
        out.extend(self.messages.to_le_bytes());
        out.extend(self.batches.to_le_bytes());
        out.extend(self.oldest.0.to_le_bytes());
        out.extend(self.newest.0.to_le_bytes());
        out.extend(self.mark.position.to_le_bytes());
        out.extend(self.mark.clock.now().0.to_le_bytes());
        out.extend(self.mark.clock.wall().to_le_bytes());
        // Hour zero cannot be told from none, nor need it: the index's time starts in our century.
        out.extend(self.mark.lost.map_or(0, |hour| hour.0).to_le_bytes());
        out.extend(self.tail_offset.to_le_bytes());
        out.extend(self.tail_bytes.to_le_bytes());
        out.extend(self.tail_checksum.to_le_bytes());
        let checksum = checksum(Part::Footer, FORMAT, &out);
        out.extend(checksum);
        out.extend(FORMAT.to_le_bytes());
        out.extend(MAGIC);
        out
    }

    /// # Errors
    /// What is wrong with the bytes, which are the last [`FOOTER_BYTES`] of an object of `size` bytes.
    pub(super) fn decode(stored: &Bytes, size: u64) -> Result<Self, &'static str> {
        let Some(checked) = stored.len().checked_sub(12).filter(|_| stored.len() == FOOTER_BYTES) else {
            return Err("it is too short for a dedupe run");
        };
        if stored[checked + 4..] != MAGIC {
            return Err("it does not end as a dedupe run does");
        }
        if stored[checked..checked + 4] != FORMAT.to_le_bytes() {
            return Err("its format is not the one that this version reads");
        }
        let payload = check(Part::Footer, FORMAT, &stored.slice(..checked)).ok_or("its footer fails the checksum")?;
        let footer = Self::parse(&mut ByteReader::new(payload)).ok_or("its footer is cut short")?;
        footer.check_layout(size)?;
        Ok(footer)
    }

    fn parse(reader: &mut ByteReader) -> Option<Self> {
        let block_entries = reader.u32()?;
        let (messages, batches) = (reader.u64()?, reader.u64()?);
        let (oldest, newest) = (Hour(reader.u32()?), Hour(reader.u32()?));
        let position = reader.u64()?;
        let clock = IndexClock::from_parts(Hour(reader.u32()?), reader.u32()?);
        let lost = Some(Hour(reader.u32()?)).filter(|hour| hour.0 > 0);
        let (tail_offset, tail_bytes, tail_checksum) = (reader.u64()?, reader.u64()?, reader.u32()?);
        let mark = Mark { position, clock, lost };
        Some(Self { block_entries, messages, batches, oldest, newest, mark, tail_offset, tail_bytes, tail_checksum })
    }

    /// Whether the parts fill the object. The checksum makes a mistake unlikely, this makes every later sum safe.
    fn check_layout(&self, size: u64) -> Result<(), &'static str> {
        let fits = self.block_entries > 0
            && self.messages < 1 << 40
            && self.messages.div_ceil(u64::from(self.block_entries)) <= u64::from(u32::MAX)
            && self.messages_end() <= self.tail_offset
            && self.tail_offset.checked_add(self.tail_bytes).and_then(|end| end.checked_add(FOOTER_BYTES as u64))
                == Some(size);
        if fits { Ok(()) } else { Err("the lengths in its footer do not fit its size") }
    }

    pub(super) fn blocks(&self) -> u32 {
        // `check_layout` holds this below 2^32.
        self.messages.div_ceil(u64::from(self.block_entries)) as u32
    }

    /// Messages of one block: all blocks but the last are full.
    pub(super) fn entries_of(&self, block: u32) -> usize {
        let before = u64::from(block) * u64::from(self.block_entries);
        self.messages.saturating_sub(before).min(u64::from(self.block_entries)) as usize
    }

    pub(super) fn block_range(&self, block: u32) -> std::ops::Range<u64> {
        let start = HEADER_BYTES as u64 + u64::from(block) * message_block_bytes(self.block_entries as usize) as u64;
        start..start + message_block_bytes(self.entries_of(block)) as u64
    }

    /// End of the blocks of messages, where those of batches start.
    pub(super) fn messages_end(&self) -> u64 {
        self.blocks().checked_sub(1).map_or(HEADER_BYTES as u64, |last| self.block_range(last).end)
    }
}

/// The number that stands for a tail in the footer.
pub(super) fn tail_checksum(tail: &[u8]) -> u32 {
    u32::from_le_bytes(checksum(Part::Tail, FORMAT, tail))
}

// The fields above, the checksum, format and magic.
const _: () = assert!(FOOTER_BYTES == 4 + 8 + 8 + 4 + 4 + 8 + 4 + 4 + 4 + 8 + 8 + 4 + CHECKSUM_BYTES + 4 + 8);
