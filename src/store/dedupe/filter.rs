//! Which keys a run may hold: 8-bit binary fuse filters in sections of the sorted keys.
//!
//! Sections bound what building takes (about 33 bytes a key of one section) however many keys a run has, and keep the
//! probes of a sorted batch close together. A filter never denies a key that it was built from; one in 256 others hits.
//!
//! Must not know what keys mean nor where the filter is stored.

use bytes::Bytes;
use xorf::{BinaryFuse8, Descriptor, Filter};

use super::key::{KEY_BYTES, RawKey, prefix};
use super::reader::ByteReader;

/// Keys of a section; 256 Ki keys make a filter of 300 KB, which the cache of a core holds.
pub(super) const SECTION_KEYS: usize = 1 << 18;

/// A section is at least this long when stored: its first key, the descriptor, the count of fingerprints.
const SECTION_HEAD: usize = KEY_BYTES + 8 + 4 + 4 + 4;

#[derive(Debug)]
pub(super) struct KeyFilter {
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    first: RawKey,
    /// Without one every key may be here: building can fail, though nobody has seen it.
    fuse: Option<BinaryFuse8>,
}

impl KeyFilter {
    pub(super) fn may_contain(&self, key: &RawKey) -> bool {
        let behind = self.sections.partition_point(|section| section.first <= *key);
        let Some(section) = behind.checked_sub(1).map(|at| &self.sections[at]) else { return false };
        section.fuse.as_ref().is_none_or(|fuse| fuse.contains(&prefix(key)))
    }

    /// Memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        let fingerprints = self.sections.iter().filter_map(|section| section.fuse.as_ref()).map(Filter::len);
        self.sections.capacity() * size_of::<Section>() + fingerprints.sum::<usize>()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.sections.len() as u32).to_le_bytes());
        for section in &self.sections {
            out.extend(section.first);
            let (seed, segment, segments, fingerprints) = match &section.fuse {
                None => (0, 0, 0, &[][..]),
                Some(fuse) => {
                    let descriptor = &fuse.descriptor;
                    let (segment, segments) = (descriptor.segment_length, descriptor.segment_count_length);
                    (descriptor.seed, segment, segments, &*fuse.fingerprints)
                }
            };
            out.extend(seed.to_le_bytes());
            out.extend(segment.to_le_bytes());
            out.extend(segments.to_le_bytes());
            out.extend((fingerprints.len() as u32).to_le_bytes());
            out.extend(fingerprints);
        }
    }

    /// `None` when these bytes are no filter.
    pub(super) fn decode(reader: &mut ByteReader) -> Option<Self> {
        let count = reader.u32()? as usize;
        // A count beyond what the bytes can hold must not reserve memory.
        let mut sections = Vec::with_capacity(count.min(reader.left() / SECTION_HEAD));
        for _ in 0..count {
            let first = reader.key()?;
            let (seed, segment_length, segment_count_length) = (reader.u64()?, reader.u32()?, reader.u32()?);
            let length = reader.u32()? as usize;
            let fingerprints = reader.take(length)?;
            let fuse =
                if length == 0 { None } else { Some(fuse(seed, segment_length, segment_count_length, &fingerprints)?) };
            sections.push(Section { first, fuse });
        }
        Some(Self { sections })
    }
}

/// A filter from its stored parts. Parts that do not fit together would make look-ups reach out of bounds.
fn fuse(seed: u64, segment_length: u32, segment_count_length: u32, fingerprints: &Bytes) -> Option<BinaryFuse8> {
    let fits = segment_length.is_power_of_two()
        && segment_count_length > 0
        && segment_count_length.is_multiple_of(segment_length)
        && u64::from(segment_count_length) + 2 * u64::from(segment_length) == fingerprints.len() as u64;
    let segment_length_mask = segment_length.wrapping_sub(1);
    fits.then(|| BinaryFuse8 {
        descriptor: Descriptor { seed, segment_length, segment_length_mask, segment_count_length },
        fingerprints: fingerprints.to_vec().into_boxed_slice(),
    })
}

/// Makes a filter of keys that come in ascending order.
#[derive(Debug)]
pub(super) struct FilterBuilder {
    section_keys: usize,
    first: Option<RawKey>,
    prefixes: Vec<u64>,
    sections: Vec<Section>,
}

impl FilterBuilder {
    pub(super) fn new(section_keys: usize) -> Self {
        Self { section_keys, first: None, prefixes: Vec::new(), sections: Vec::new() }
    }

    pub(super) fn push(&mut self, key: &RawKey) {
        if self.prefixes.len() >= self.section_keys {
            self.end_section();
        }
        self.first.get_or_insert(*key);
        let prefix = prefix(key);
        // Building needs distinct numbers; two keys of one prefix are neighbours here.
        if self.prefixes.last() != Some(&prefix) {
            self.prefixes.push(prefix);
        }
    }

    pub(super) fn finish(mut self) -> KeyFilter {
        self.end_section();
        self.sections.shrink_to_fit();
        KeyFilter { sections: self.sections }
    }

    fn end_section(&mut self) {
        let Some(first) = self.first.take() else { return };
        let built = BinaryFuse8::try_from(&self.prefixes).ok();
        // A key that its own filter denies would be a duplicate stored twice: rather no filter than such a one.
        let fuse = built.filter(|fuse| self.prefixes.iter().all(|prefix| fuse.contains(prefix)));
        self.sections.push(Section { first, fuse });
        self.prefixes.clear();
    }
}
