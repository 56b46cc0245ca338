//! A checked view of portable 32-bit Roaring bytes. The structure (counts, keys, offsets, lengths) is checked against
//! the length when a view is made and nothing is allocated; contents are checked by `BitmapRef::check_contents`.
//! Must not know: expressions, results.
//!
//! Layout (RoaringFormatSpec): cookie 12346 and a u32 count, or 12347 | (count - 1) << 16 and one run flag a
//! container; then (key u16, members - 1 u16) a container; then u32 offsets unless there are run flags and less than
//! four containers; then the containers. All little endian; with run flags nothing is aligned.

use super::container::{Container, MAX_ARRAY, Run, Value, WORDS, Word};
use super::error::{Result, malformed};

pub(crate) const COOKIE_PLAIN: u32 = 12346;
pub(crate) const COOKIE_RUNS: u32 = 12347;
/// With run flags, offsets are stored from this number of containers on.
pub(crate) const OFFSETS_FROM: usize = 4;
const BITSET_BYTES: usize = 8 * WORDS;

/// A set of u32 in portable Roaring bytes, borrowed.
#[derive(Clone, Copy)]
pub struct BitmapRef<'a> {
    bytes: &'a [u8],
    /// (key, members - 1) of each container.
    descriptors: &'a [[u8; 4]],
    /// Empty when the format leaves them out.
    offsets: &'a [[u8; 4]],
    /// Empty when there are no run containers.
    run_flags: &'a [u8],
    /// Where the first container lies.
    payload: usize,
    cardinality: u64,
}

impl std::fmt::Debug for BitmapRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BitmapRef({} members, {} bytes)", self.cardinality, self.bytes.len())
    }
}

/// The eight bytes of a set without members.
pub const EMPTY: [u8; 8] = [0x3a, 0x30, 0, 0, 0, 0, 0, 0];

impl<'a> BitmapRef<'a> {
    /// Checks the structure of `bytes`, which must hold one bitmap and nothing else.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let view = Self::prefix(bytes)?;
        if view.bytes.len() != bytes.len() {
            return malformed(view.bytes.len(), "bytes follow the last container");
        }
        Ok(view)
    }

    /// Checks the bitmap at the start of `bytes`; [`BitmapRef::as_bytes`] tells how far it reaches.
    pub fn prefix(bytes: &'a [u8]) -> Result<Self> {
        let Some(cookie) = read_u32(bytes, 0) else { return malformed(bytes.len(), "the header ends early") };
        let (count, flags_at, has_runs) = if cookie == COOKIE_PLAIN {
            let Some(count) = read_u32(bytes, 4) else { return malformed(bytes.len(), "the header ends early") };
            (count as usize, 8, false)
        } else if cookie & 0xffff == COOKIE_RUNS {
            ((cookie >> 16) as usize + 1, 4, true)
        } else {
            return malformed(0, "unknown cookie");
        };
        if count > 1 << 16 {
            return malformed(4, "more than 65536 containers");
        }
        let descriptors_at = flags_at + if has_runs { count.div_ceil(8) } else { 0 };
        let has_offsets = !has_runs || count >= OFFSETS_FROM;
        let offsets_at = descriptors_at + 4 * count;
        let payload = offsets_at + if has_offsets { 4 * count } else { 0 };
        if payload > bytes.len() {
            return malformed(bytes.len(), "the header ends early");
        }
        let mut view = BitmapRef {
            bytes,
            descriptors: bytes[descriptors_at..offsets_at].as_chunks().0,
            offsets: bytes[offsets_at..payload].as_chunks().0,
            run_flags: &bytes[flags_at..descriptors_at],
            payload,
            cardinality: 0,
        };
        let end = if has_runs { view.check_with_runs(descriptors_at)? } else { view.check_plain()? };
        view.bytes = &bytes[..end];
        Ok(view)
    }

    /// Without run containers all sizes follow from the header alone. One pass without branches; where it finds a
    /// fault, the careful pass finds the place.
    fn check_plain(&mut self) -> Result<usize> {
        let (mut at, mut least, mut members, mut faults) = (self.payload, 0_u32, 0_u64, false);
        for (descriptor, offset) in self.descriptors.iter().zip(self.offsets) {
            let key = u32::from(u16::from_le_bytes([descriptor[0], descriptor[1]]));
            let card = usize::from(u16::from_le_bytes([descriptor[2], descriptor[3]])) + 1;
            faults |= key < least || u32::from_le_bytes(*offset) as usize != at;
            least = key + 1;
            members += card as u64;
            at += if card <= MAX_ARRAY { 2 * card } else { BITSET_BYTES };
        }
        if faults || at > self.bytes.len() {
            return self.check_with_runs(8);
        }
        self.cardinality = members;
        Ok(at)
    }

    fn check_with_runs(&mut self, descriptors_at: usize) -> Result<usize> {
        let offsets_at = descriptors_at + 4 * self.descriptors.len();
        let (mut at, mut least, mut members) = (self.payload, 0_u32, 0_u64);
        for (index, descriptor) in self.descriptors.iter().enumerate() {
            let [a, b, c, d] = *descriptor;
            let (key, card) = (u32::from(u16::from_le_bytes([a, b])), usize::from(u16::from_le_bytes([c, d])) + 1);
            if key < least {
                return malformed(descriptors_at + 4 * index, "keys do not ascend");
            }
            if self.offsets.get(index).is_some_and(|offset| u32::from_le_bytes(*offset) as usize != at) {
                return malformed(offsets_at + 4 * index, "an offset does not point at its container");
            }
            let size = if self.is_run(index) {
                let count = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
                2 + 4 * usize::from(count.map_or(u16::MAX, |count| u16::from_le_bytes(*count)))
            } else if card <= MAX_ARRAY {
                2 * card
            } else {
                BITSET_BYTES
            };
            (at, least, members) = (at + size, key + 1, members + card as u64);
            if at > self.bytes.len() {
                return malformed(self.bytes.len(), "a container ends early");
            }
        }
        self.cardinality = members;
        Ok(at)
    }

    /// (key, members) of a container, as the header has them.
    #[inline(always)]
    fn descriptor(&self, index: usize) -> (u16, u32) {
        let [a, b, c, d] = self.descriptors[index];
        (u16::from_le_bytes([a, b]), u32::from(u16::from_le_bytes([c, d])) + 1)
    }

    #[inline(always)]
    fn is_run(&self, index: usize) -> bool {
        self.run_flags.get(index / 8).is_some_and(|flags| flags >> (index % 8) & 1 == 1)
    }

    /// Bytes of the container that begins at `at`; reaches past the end if its run count does.
    fn size_at(&self, index: usize, at: usize) -> usize {
        if self.is_run(index) {
            let runs = self.bytes.get(at..at.saturating_add(2)).map_or(u16::MAX, |n| u16::from_le_bytes([n[0], n[1]]));
            return 2 + 4 * usize::from(runs);
        }
        let card = self.descriptor(index).1 as usize;
        if card <= MAX_ARRAY { 2 * card } else { BITSET_BYTES }
    }

    /// Where a container begins: told by its offset, or by adding up the at most two before it.
    #[inline(always)]
    pub(crate) fn start(&self, index: usize) -> usize {
        match self.offsets.get(index) {
            Some(offset) => u32::from_le_bytes(*offset) as usize,
            None => (0..index).fold(self.payload, |at, before| at + self.size_at(before, at)),
        }
    }

    /// Number of containers.
    pub fn containers(&self) -> usize {
        self.descriptors.len()
    }

    /// The upper 16 bits of all members of container `index`.
    #[inline(always)]
    pub(crate) fn key(&self, index: usize) -> u32 {
        let [a, b, _, _] = self.descriptors[index];
        u32::from(u16::from_le_bytes([a, b]))
    }

    /// Members of container `index` by the header.
    #[inline(always)]
    pub(crate) fn card(&self, index: usize) -> u32 {
        self.descriptor(index).1
    }

    /// The container `index`. The structure was checked, so the fallbacks are never taken; they keep this free of panics.
    #[inline]
    pub(crate) fn container(&self, index: usize) -> Container<'a> {
        let rest = self.bytes.get(self.start(index)..).unwrap_or_default();
        if self.is_run(index) {
            let count = rest.first_chunk::<2>().map_or(0, |n| usize::from(u16::from_le_bytes(*n)));
            let runs: &[Run] = rest.get(2..).unwrap_or_default().as_chunks().0;
            return Container::Runs(runs.get(..count).unwrap_or_default());
        }
        let card = self.card(index) as usize;
        if card <= MAX_ARRAY {
            let values: &[Value] = rest.as_chunks().0;
            return Container::Array(values.get(..card).unwrap_or_default());
        }
        let words: &[Word] = rest.as_chunks().0;
        words.first_chunk::<WORDS>().map_or(Container::Array(&[]), Container::Bitset)
    }

    /// First container at or after index `from` with a key of at least `key`.
    #[inline(always)]
    pub(crate) fn seek(&self, from: usize, key: u32) -> usize {
        if from >= self.containers() || self.key(from) >= key {
            return from;
        }
        self.seek_far(from + 1, key)
    }

    fn seek_far(&self, from: usize, key: u32) -> usize {
        let (mut low, mut step) = (from, 1);
        while low + step < self.containers() && self.key(low + step) < key {
            low += step;
            step *= 2;
        }
        let high = (low + step + 1).min(self.containers());
        let low = low.min(high);
        let key_of = |descriptor: &[u8; 4]| u32::from(u16::from_le_bytes([descriptor[0], descriptor[1]]));
        low + self.descriptors[low..high].partition_point(|descriptor| key_of(descriptor) < key)
    }

    /// The bytes of this bitmap.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Members, by the header alone.
    pub fn count(&self) -> u64 {
        self.cardinality
    }

    pub fn is_empty(&self) -> bool {
        self.descriptors.is_empty()
    }

    pub fn contains(&self, id: u32) -> bool {
        let index = self.seek(0, id >> 16);
        index < self.containers() && self.key(index) == id >> 16 && self.container(index).contains(id as u16)
    }

    /// Members up to and including `id`.
    pub fn rank(&self, id: u32) -> u64 {
        let index = self.seek(0, id >> 16);
        let before: u64 = (0..index).map(|before| u64::from(self.card(before))).sum();
        if index < self.containers() && self.key(index) == id >> 16 {
            return before + u64::from(self.container(index).rank(id as u16));
        }
        before
    }

    /// The member with `index` members before it.
    pub fn select(&self, mut index: u64) -> Option<u32> {
        for at in 0..self.containers() {
            let card = u64::from(self.card(at));
            if index < card {
                return self.container(at).select(index as u32).map(|low| self.key(at) << 16 | u32::from(low));
            }
            index -= card;
        }
        None
    }

    pub fn min(&self) -> Option<u32> {
        self.select(0)
    }

    pub fn max(&self) -> Option<u32> {
        let last = self.containers().checked_sub(1)?;
        self.container(last).select(self.card(last) - 1).map(|low| self.key(last) << 16 | u32::from(low))
    }
}

pub(crate) fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}
