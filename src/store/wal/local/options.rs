//! Who writes a local log, and how much it may take.

use uuid::Uuid;

use super::super::record::HEADER_BYTES;
use super::segment::NEXT_MARK_BYTES;
use crate::error::{Error, Result};

/// What the headers of segments say about their writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogIdentity {
    pub workspace: Uuid,
    /// This process.
    pub writer: Uuid,
    /// Of the columns of events.
    pub schema_revision: u32,
}

/// How much space the log takes on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// A segment of this many bytes gets no further group. One group alone may be larger.
    pub segment_bytes: u64,
    /// Space is reserved in pieces of this many bytes, so that most syncs touch no metadata.
    pub reserve_bytes: u64,
    /// Beyond this many bytes on disk nothing is appended until something is trimmed; at least two segments.
    pub total_bytes: u64,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, reserve_bytes: 1 << 20, total_bytes: 8 << 30 }
    }
}

impl LogLimits {
    /// Those of a log that may take so many bytes: the segments of a small one are small, so that it can be trimmed.
    pub fn within(total_bytes: u64) -> Self {
        let default = Self::default();
        let segment_bytes = default.segment_bytes.min(total_bytes / 4);
        Self { segment_bytes, reserve_bytes: default.reserve_bytes.min(segment_bytes), total_bytes }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.segment_bytes == 0 || self.reserve_bytes == 0 || self.reserve_bytes > self.segment_bytes {
            return Err(Error::invalid(
                "a segment of the log must have at least one byte, and at least as many as are reserved at once",
            ));
        }
        // The newest segment is never trimmed: a full one and a new one must fit.
        if self.total_bytes / 2 < self.segment_bytes || self.group_bytes() == 0 {
            return Err(Error::invalid(format!(
                "the log may take {} bytes, which must be at least two segments of {} and leave room for a record: raise it",
                self.total_bytes, self.segment_bytes
            )));
        }
        Ok(())
    }

    /// Bytes of the frames of the largest group: a segment of one takes half the log, so that it fits once older ones
    /// are trimmed.
    pub(super) fn group_bytes(&self) -> u64 {
        (self.total_bytes / 2).saturating_sub(self.reserve_bytes + HEADER_BYTES as u64 + NEXT_MARK_BYTES)
    }

    /// `bytes` with the rest of the piece that they end in.
    pub(super) fn round_up(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.reserve_bytes).saturating_mul(self.reserve_bytes)
    }
}
