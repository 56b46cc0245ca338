//! Reads the frames of one segment, and decides what a bad end of it is: a write that a crash cut short, which is
//! given up silently since nobody was told that it is kept, or damage of what was durable, which is told.
//!
//! Must not know files, nor what a payload means.

use std::fmt;

use bytes::Bytes;

use super::super::record::{
    self, FRAME_HEADER_BYTES, Frame, FrameHeader, HEADER_BYTES, MAX_PAYLOAD_BYTES, Record, RecordKind, is_zero,
};

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// The records of a segment that are whole and follow each other.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) records: Vec<Record>,
    /// Where the frame of each record begins.
    pub(super) offsets: Vec<usize>,
    /// Where the frame behind the last record begins or would begin.
    pub(super) end: usize,
    /// All positions up to this one were durable before the last frame was written, as the segment itself tells.
    pub(super) durable: u64,
    /// Why there is no further record.
    stop: Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The last position that was asked for was read.
    Limit,
    /// The mark of a clean stop.
    End,
    /// The mark that the segment of this sequence follows.
    Next(u64),
    /// No byte was written there.
    Unwritten,
    Bad(&'static str),
}

/// Where a segment is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) offset: usize,
    /// Of the record that cannot be read.
    pub(super) position: u64,
    pub(super) why: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}, position {}: {}", self.offset, self.position, self.why)
    }
}

impl Scan {
    /// Of the record that would follow.
    pub(super) fn position(&self, first_position: u64) -> u64 {
        first_position.saturating_add(self.records.len() as u64)
    }

    /// Sequence of the segment that follows, where this one says so.
    pub(super) fn next_sequence(&self) -> Option<u64> {
        match self.stop {
            Stop::Next(sequence) => Some(sequence),
            _ => None,
        }
    }
}

/// The records of a segment that others follow: all from its first position up to `last`.
pub(super) fn scan_followed(bytes: &Bytes, first_position: u64, last: u64) -> Result<Scan, Damage> {
    let scan = scan(bytes, first_position, last)?;
    let why = match scan.stop {
        Stop::Limit => return Ok(scan),
        Stop::Bad(why) => why,
        Stop::End | Stop::Next(_) | Stop::Unwritten => "the records end here, and a later segment begins beyond them",
    };
    Err(Damage { offset: scan.end, position: scan.position(first_position), why: why.to_owned() })
}

/// The records of the newest segment: those before the first bad frame, if that may be a write that was cut short. Where
/// it says that another one follows, that one is lost: see [`Scan::next_sequence`].
///
/// What no later frame tells to be durable is the last group before a crash. A power cut leaves sectors of it
/// unwritten, which are zeros here; bytes that were all written and are wrong are damage. Damage of
/// that one group passes for a cut where it turns a sector's part of a frame into zeros, or where the frame has such a
/// part of its own.
pub(super) fn scan_newest(bytes: &Bytes, first_position: u64) -> Result<Scan, Damage> {
    let scan = scan(bytes, first_position, u64::MAX)?;
    let why = match scan.stop {
        Stop::Limit | Stop::End | Stop::Next(_) => return Ok(scan),
        Stop::Unwritten => "nothing is written here",
        Stop::Bad(why) => why,
    };
    let position = scan.position(first_position);
    let later = next_frame(bytes, scan.end, position);
    let damage = |proof: &str| Damage { offset: scan.end, position, why: format!("{why}, and {proof}") };
    if later.is_some_and(|later| later.proves) {
        return Err(damage("a later record says that this one was durable"));
    }
    if matches!(scan.stop, Stop::Bad(_)) {
        if !has_unwritten_sector(bytes, scan.end) {
            return Err(damage("no sector of it is unwritten, as after a power cut"));
        }
        if is_whole_with_other_length(bytes, scan.end, later.map(|later| later.offset)) {
            return Err(damage("it is whole but for its length"));
        }
    }
    Ok(scan)
}

fn scan(bytes: &Bytes, first_position: u64, last: u64) -> Result<Scan, Damage> {
    // The header was written when all before the segment was durable.
    let durable = first_position.saturating_sub(1);
    let (records, offsets) = (Vec::new(), Vec::new());
    let mut scan = Scan { records, offsets, end: HEADER_BYTES, durable, stop: Stop::Limit };
    let mut position = first_position;
    while position <= last {
        let (record, durable_lag, next) = match record::decode(bytes, scan.end) {
            Frame::Record { record, durable_lag, next } => (record, durable_lag, next),
            Frame::Unknown { position: found, number } if found == position => {
                let why = record::unknown_kind(found, number).message().to_owned();
                return Err(Damage { offset: scan.end, position, why });
            }
            Frame::Unknown { position: found, .. } => return Err(misplaced(scan.end, position, found)),
            Frame::End => return Ok(Scan { stop: Stop::Unwritten, ..scan }),
            Frame::Bad { why } => return Ok(Scan { stop: Stop::Bad(why), ..scan }),
        };
        let is_mark = record.kind.is_mark();
        // A mark repeats the position before it.
        if record.position != position.saturating_sub(u64::from(is_mark)) {
            return Err(misplaced(scan.end, position, record.position));
        }
        if let Some(durable) = record::durable_before(record.position, durable_lag) {
            scan.durable = scan.durable.max(durable);
        }
        match record.kind {
            RecordKind::End => return Ok(Scan { end: next, stop: Stop::End, ..scan }),
            RecordKind::Next => return read_next(scan, &record, position),
            _ => {}
        }
        scan.offsets.push(scan.end);
        scan.records.push(record);
        scan.end = next;
        position = position.saturating_add(1);
    }
    Ok(scan)
}

/// The scan that ends at the mark of the segment that follows.
fn read_next(scan: Scan, mark: &Record, position: u64) -> Result<Scan, Damage> {
    match <[u8; 8]>::try_from(&mark.payload[..]) {
        Ok(sequence) => Ok(Scan { stop: Stop::Next(u64::from_le_bytes(sequence)), ..scan }),
        Err(_) => {
            let why = "the mark of the segment that follows does not name it".to_owned();
            Err(Damage { offset: scan.end, position, why })
        }
    }
}

/// A whole frame that does not belong where it stands, which no crash makes.
fn misplaced(offset: usize, position: u64, found: u64) -> Damage {
    Damage { offset, position, why: format!("the record of position {found} stands here") }
}

/// A whole frame behind a bad one.
#[derive(Debug, Clone, Copy)]
struct LaterFrame {
    offset: usize,
    /// It says that the bad one was durable.
    proves: bool,
}

/// The next whole frame behind the bad one of `position` at `bad`, or the first beyond that which says that the bad one
/// was durable.
fn next_frame(bytes: &Bytes, bad: usize, position: u64) -> Option<LaterFrame> {
    let mut offset = bad + 1;
    let mut first = None;
    let written = written_end(bytes);
    while offset < written {
        // Cheap, and nearly always enough: there are not more records than there are bytes.
        let plausible = FrameHeader::read(&bytes[offset..])
            .is_some_and(|fields| (position..=position.saturating_add(bytes.len() as u64)).contains(&fields.position));
        let Frame::Record { record, durable_lag, next } =
            (if plausible { record::decode(bytes, offset) } else { Frame::End })
        else {
            offset += 1;
            continue;
        };
        let durable = record::durable_before(record.position, durable_lag);
        let later = LaterFrame { offset, proves: durable.is_some_and(|durable| durable >= position) };
        if later.proves {
            return Some(later);
        }
        first = first.or(Some(later));
        offset = next;
    }
    first
}

/// Behind the last byte that is not zero.
fn written_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Whether a sector that the frame at `offset` should reach into holds only zeros behind `offset`, so that the disk
/// may never have written it.
fn has_unwritten_sector(bytes: &[u8], offset: usize) -> bool {
    let Some(fields) = FrameHeader::read(&bytes[offset..]) else { return true };
    let end = offset + FRAME_HEADER_BYTES + fields.len;
    if end > bytes.len() {
        return true;
    }
    let mut start = offset;
    while start < end {
        let sector_end = (start / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if is_zero(&bytes[start..sector_end.min(bytes.len())]) {
            return true;
        }
        start = sector_end;
    }
    false
}

/// Whether the frame at `offset` would be whole if it ended where the next one begins or, without a next one, about
/// where the written bytes end. Then all of it was written, and its length was damaged later.
fn is_whole_with_other_length(bytes: &[u8], offset: usize, next: Option<usize>) -> bool {
    let Some(fields) = FrameHeader::read(&bytes[offset..]) else { return false };
    let body = offset + 8;
    let shortest = offset + FRAME_HEADER_BYTES;
    let (first, last) = match next {
        Some(next) => (next, next),
        None => {
            let written = written_end(bytes).max(shortest);
            // A payload may end with zeros; where they fill a sector, the sector counts as unwritten.
            (written, (written.div_ceil(SECTOR_BYTES) * SECTOR_BYTES).min(bytes.len()))
        }
    };
    if first < shortest || last - shortest > MAX_PAYLOAD_BYTES {
        return false;
    }
    // A sector that ends within the length, or behind it, may be the only one that was not written.
    let in_first_sector = SECTOR_BYTES - offset % SECTOR_BYTES;
    if in_first_sector <= 4 && is_zero(&bytes[offset..offset + in_first_sector]) {
        return false;
    }
    let mut covered = crc32c::crc32c(&bytes[body..first]);
    for end in first..=last {
        // In range: it is at most the maximum of a payload.
        let len = (end - shortest) as u32;
        if crc32c::crc32c_append(covered, &len.to_le_bytes()) == fields.crc {
            return true;
        }
        if end < last {
            covered = crc32c::crc32c_append(covered, &bytes[end..=end]);
        }
    }
    false
}
