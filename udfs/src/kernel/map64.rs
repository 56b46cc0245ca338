//! 64-bit portable Roaring maps: a u64 count, then (u32 upper half, 32-bit bitmap) in ascending order. Read and written
//! at the border only. Must not know: expressions.

use super::error::{Error, Result, malformed};
use super::view::{BitmapRef, read_u32};
use super::writer::from_sorted;

/// A checked view of a 64-bit map: its parts by upper half.
#[derive(Clone, Debug)]
pub struct Map64<'a> {
    parts: Vec<(u32, BitmapRef<'a>)>,
}

impl<'a> Map64<'a> {
    /// Checks the structure of all parts. Offsets in errors count from the start of the map.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let Some(count) = bytes.first_chunk::<8>().map(|eight| u64::from_le_bytes(*eight)) else {
            return malformed(bytes.len(), "the header ends early");
        };
        // Each part takes 12 bytes at least, so memory stays within the input's size.
        if count > (bytes.len() as u64 - 8) / 12 {
            return malformed(0, "more parts than the bytes can hold");
        }
        let mut parts: Vec<(u32, BitmapRef<'a>)> = Vec::with_capacity(count as usize);
        let mut at = 8;
        for _ in 0..count {
            let Some(high) = read_u32(bytes, at) else { return malformed(bytes.len(), "a part ends early") };
            if parts.last().is_some_and(|(before, _)| *before >= high) {
                return malformed(at, "upper halves do not ascend");
            }
            let rest = bytes.get(at + 4..).unwrap_or_default();
            let view = BitmapRef::prefix(rest).map_err(|error| shifted(error, at + 4))?;
            at += 4 + view.as_bytes().len();
            parts.push((high, view));
        }
        if at != bytes.len() {
            return malformed(at, "bytes follow the last part");
        }
        Ok(Map64 { parts })
    }

    /// See [`BitmapRef::check_contents`].
    pub fn check_contents(&self) -> Result<()> {
        let mut at = 8;
        for (_, view) in &self.parts {
            view.check_contents().map_err(|error| shifted(error, at + 4))?;
            at += 4 + view.as_bytes().len();
        }
        Ok(())
    }

    /// (upper half, members' lower halves), ascending.
    pub fn parts(&self) -> &[(u32, BitmapRef<'a>)] {
        &self.parts
    }

    pub fn count(&self) -> u64 {
        self.parts.iter().map(|(_, view)| view.count()).sum()
    }

    /// The 32-bit set, when no member is above 2^32 - 1.
    pub fn narrow(&self) -> Result<Option<BitmapRef<'a>>> {
        for (high, view) in &self.parts {
            if *high > 0
                && let Some(low) = view.min()
            {
                return Err(Error::TooLarge { value: u64::from(*high) << 32 | u64::from(low) });
            }
        }
        Ok(self.parts.iter().find(|(high, _)| *high == 0).map(|(_, view)| *view))
    }
}

fn shifted(error: Error, by: usize) -> Error {
    match error {
        Error::Malformed { offset, fault } => Error::Malformed { offset: offset + by, fault },
        other => other,
    }
}

/// A 64-bit map of parts with ascending upper halves; parts without members are left out.
pub fn write_map64(parts: &[(u32, BitmapRef<'_>)]) -> Result<Vec<u8>> {
    if parts.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(Error::Argument("upper halves do not ascend"));
    }
    let parts: Vec<_> = parts.iter().filter(|(_, view)| !view.is_empty()).collect();
    let mut bytes = (parts.len() as u64).to_le_bytes().to_vec();
    for (high, view) in parts {
        bytes.extend_from_slice(&high.to_le_bytes());
        bytes.extend_from_slice(view.as_bytes());
    }
    Ok(bytes)
}

/// The 64-bit map of ids in any order, repeated or not.
pub fn map64_from_ids(mut ids: Vec<u64>) -> Result<Vec<u8>> {
    ids.sort_unstable();
    let groups: Vec<&[u64]> = ids.chunk_by(|a, b| a >> 32 == b >> 32).collect();
    let mut bytes = (groups.len() as u64).to_le_bytes().to_vec();
    for group in groups {
        bytes.extend_from_slice(&((group[0] >> 32) as u32).to_le_bytes());
        bytes.extend(from_sorted(group.iter().map(|id| *id as u32))?);
    }
    Ok(bytes)
}
