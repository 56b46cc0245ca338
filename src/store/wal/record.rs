//! The bytes of the log, the same on a local disk and in an object store: a header, then one frame a record.
//!
//! A frame is `len u32 | crc32c u32 | position u64 | kind u8 | flags u8 | durable_lag u16 | payload`, little endian.
//! `len` counts the payload; the checksum covers all that stands behind it, then the length.
//! Must not know where the bytes lie, nor what a payload means.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Bytes of a frame before its payload.
pub const FRAME_HEADER_BYTES: usize = 20;
/// Bytes of an encoded [`Header`].
pub const HEADER_BYTES: usize = 72;
/// No payload is longer; a frame that says so is damaged.
pub const MAX_PAYLOAD_BYTES: usize = 256 << 20;

const MAGIC: &[u8; 6] = b"CVKLOG";
const FORMAT: u16 = 2;

/// What a record is about. The numbers are stored: none is ever used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// Events with the nodes, births and identifier sets that they brought.
    Events = 1,
    /// Node numbers for identifiers, invisible until something links them.
    Intern = 2,
    /// The place of a bulk load among the records: its files become visible with the commit that names this position.
    Load = 3,
    /// Births and rejections of a resolution of identities.
    Epoch = 4,
    /// An identity override.
    Override = 5,
    /// New identity rules.
    Rulebook = 6,
    /// A version of a set.
    SetVersion = 7,
    /// A writer began its term.
    Fence = 8,
    /// Records up to a position are in Parquet.
    Flushed = 9,
    /// Clean stop of a local log. Not a record of its own: it repeats the position of the last record.
    End = 10,
    /// Another segment of a local log follows, whose sequence is the payload. Not a record of its own, like [`Self::End`].
    Next = 11,
}

impl RecordKind {
    /// The kind that a stored number stands for, if it is one of ours.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Events,
            2 => Self::Intern,
            3 => Self::Load,
            4 => Self::Epoch,
            5 => Self::Override,
            6 => Self::Rulebook,
            7 => Self::SetVersion,
            8 => Self::Fence,
            9 => Self::Flushed,
            10 => Self::End,
            11 => Self::Next,
            _ => return None,
        })
    }

    /// Whether it is no record, but tells how a segment of a local log ends.
    pub fn is_mark(self) -> bool {
        matches!(self, Self::End | Self::Next)
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Count of records since the workspace began; the first one has 1.
    pub position: u64,
    pub kind: RecordKind,
    pub flags: u8,
    /// At most [`MAX_PAYLOAD_BYTES`].
    pub payload: Bytes,
}

/// What stands at an offset of a segment or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole record; the next frame begins at `next`.
    Record { record: Record, durable_lag: u16, next: usize },
    /// A whole frame whose kind this version does not know: never to be cut, see [`unknown_kind`].
    Unknown { position: u64, number: u8 },
    /// Nothing was written here: the bytes end, or those of a frame's header are all zero.
    End,
    /// Neither a frame nor nothing.
    Bad { why: &'static str },
}

/// The refusal of a whole record whose kind this version does not know.
pub fn unknown_kind(position: u64, number: u8) -> Error {
    Error::corrupt(format!("the record of position {position} has kind {number}, which this version does not know"))
        .with_help("open the workspace with the version that wrote it, or a newer one")
}

/// The newest position that was known to be durable when a record was written; `None` if the frame does not say.
pub fn durable_before(position: u64, durable_lag: u16) -> Option<u64> {
    // A lag of u16::MAX means this many records or more.
    if durable_lag == u16::MAX { None } else { position.checked_sub(u64::from(durable_lag)) }
}

/// The lag to write for a record, when all positions up to `durable` are known to be durable.
pub fn durable_lag(position: u64, durable: u64) -> u16 {
    u16::try_from(position.saturating_sub(durable)).unwrap_or(u16::MAX)
}

/// Bytes of the frame of a payload.
pub fn frame_bytes(payload: &[u8]) -> usize {
    FRAME_HEADER_BYTES + payload.len()
}

/// Appends the frame of a record. A payload beyond [`MAX_PAYLOAD_BYTES`] makes a frame that nobody reads: callers refuse
/// it before.
pub fn encode(record: &Record, durable_lag: u16, out: &mut Vec<u8>) {
    out.reserve(frame_bytes(&record.payload));
    let start = out.len();
    let len = u32::try_from(record.payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&record.position.to_le_bytes());
    out.extend_from_slice(&[record.kind as u8, record.flags]);
    out.extend_from_slice(&durable_lag.to_le_bytes());
    out.extend_from_slice(&record.payload);
    let crc = checksum(&out[start + 8..], len);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// What stands at `offset`. The payload shares the memory of `bytes`.
pub fn decode(bytes: &Bytes, offset: usize) -> Frame {
    let rest = bytes.get(offset..).unwrap_or_default();
    if rest.is_empty() {
        return Frame::End;
    }
    let Some(fields) = FrameHeader::read(rest) else {
        return if is_zero(rest) {
            Frame::End
        } else {
            Frame::Bad { why: "the bytes end inside the header of a frame" }
        };
    };
    if is_zero(&rest[..FRAME_HEADER_BYTES]) {
        return Frame::End;
    }
    if fields.len > MAX_PAYLOAD_BYTES {
        return Frame::Bad { why: "the length is beyond the maximum" };
    }
    let Some(body) = rest.get(8..FRAME_HEADER_BYTES + fields.len) else {
        return Frame::Bad { why: "the length is beyond the end" };
    };
    if checksum(body, fields.len as u32) != fields.crc {
        return Frame::Bad { why: "the checksum is wrong" };
    }
    let (position, number) = (fields.position, fields.kind);
    let Some(kind) = RecordKind::from_number(number) else { return Frame::Unknown { position, number } };
    let next = offset + FRAME_HEADER_BYTES + fields.len;
    let payload = bytes.slice(offset + FRAME_HEADER_BYTES..next);
    let record = Record { position, kind, flags: fields.flags, payload };
    Frame::Record { record, durable_lag: fields.durable_lag, next }
}

/// The fields before a payload, not checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHeader {
    /// Bytes of the payload.
    pub(super) len: usize,
    pub(super) crc: u32,
    pub(super) position: u64,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) durable_lag: u16,
}

impl FrameHeader {
    /// `None` if `bytes` are fewer than a header has.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let ([kind, flags, low, high], _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            len: u32::from_le_bytes(*len) as usize,
            crc: u32::from_le_bytes(*crc),
            position: u64::from_le_bytes(*position),
            kind: *kind,
            flags: *flags,
            durable_lag: u16::from_le_bytes([*low, *high]),
        })
    }
}

/// The checksum of a frame: `body` is all that stands behind the checksum. The length comes last, so that a reader can
/// try other lengths without reading the body again.
pub(super) fn checksum(body: &[u8], len: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(body), &len.to_le_bytes())
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// The first bytes of a segment or object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub workspace: Uuid,
    /// Number of the writer's reign.
    pub term: u64,
    /// The process that wrote it.
    pub writer: Uuid,
    /// Number of the segment or object.
    pub sequence: u64,
    /// Position of the first record in it, also when none follows yet.
    pub first_position: u64,
    /// Of the columns of events, as the writer knew them.
    pub schema_revision: u32,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..6].copy_from_slice(MAGIC);
        bytes[6..8].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[8..24].copy_from_slice(self.workspace.as_bytes());
        bytes[24..32].copy_from_slice(&self.term.to_le_bytes());
        bytes[32..48].copy_from_slice(self.writer.as_bytes());
        bytes[48..56].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.first_position.to_le_bytes());
        bytes[64..68].copy_from_slice(&self.schema_revision.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..68]);
        bytes[68..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header at the beginning of `bytes`; `None` if they are fewer than a header has, or if none was written.
    ///
    /// # Errors
    /// `Corrupt`: something else stands there, or a format that this version does not read.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        if is_zero(bytes) {
            return Ok(None);
        }
        if &bytes[..6] != MAGIC || crc32c::crc32c(&bytes[..68]) != u32::from_le_bytes(chunk(bytes, 68)) {
            return Err(Error::corrupt("the header of the log is damaged").with_help("restore the file from a copy"));
        }
        let format = u16::from_le_bytes(chunk(bytes, 6));
        if format != FORMAT {
            return Err(Error::corrupt(format!("the log has format {format}, this version reads {FORMAT}"))
                .with_help("open it with the version that wrote it"));
        }
        Ok(Some(Self {
            workspace: Uuid::from_bytes(chunk(bytes, 8)),
            term: u64::from_le_bytes(chunk(bytes, 24)),
            writer: Uuid::from_bytes(chunk(bytes, 32)),
            sequence: u64::from_le_bytes(chunk(bytes, 48)),
            first_position: u64::from_le_bytes(chunk(bytes, 56)),
            schema_revision: u32::from_le_bytes(chunk(bytes, 64)),
        }))
    }
}

/// `N` bytes from `offset`, which the layout puts inside the header.
fn chunk<const N: usize>(bytes: &[u8; HEADER_BYTES], offset: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[offset..offset + N]);
    out
}
