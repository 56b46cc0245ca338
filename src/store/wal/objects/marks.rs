//! Trim marks: from which object on the log is kept. A mark is durable before the objects that it gives up are deleted.
//!
//! Marks are create-only and numbered densely, so that a trimmer whose number is taken knows that another has come. The
//! newest is found by reads alone, since a list may be stale: every [`MILESTONE`]th mark is kept for ever, and so are
//! all behind the last but one of these.

use bytes::Bytes;
use uuid::Uuid;

use super::folder::Folder;
use super::requests::Landed;
use crate::error::{Error, Result};

const MAGIC: &[u8; 6] = b"CVKTRM";
const FORMAT: u16 = 1;
const BYTES: usize = 68;

/// Of so many marks one is never deleted.
pub(super) const MILESTONE: u64 = 256;

/// One statement of where the log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrimMark {
    pub(super) number: u64,
    /// Sequence number of the oldest object that is kept.
    pub(super) first_kept: u64,
    pub(super) term: u64,
    pub(super) writer: Uuid,
}

impl TrimMark {
    /// What holds before the first mark.
    const NONE: Self = Self { number: 0, first_kept: 1, term: 0, writer: Uuid::nil() };

    fn encode(&self, workspace: Uuid) -> Bytes {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(workspace.as_bytes());
        for number in [self.number, self.first_kept, self.term] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.writer.as_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes.into()
    }

    /// `None` for anything but a mark of this workspace.
    fn decode(bytes: &[u8], workspace: Uuid) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let whole = body.len() + crc.len() == BYTES && crc32c::crc32c(body) == u32::from_le_bytes(*crc);
        let rest = body.strip_prefix(MAGIC)?.strip_prefix(&FORMAT.to_le_bytes())?.strip_prefix(workspace.as_bytes())?;
        let (number, rest) = rest.split_first_chunk()?;
        let (first_kept, rest) = rest.split_first_chunk()?;
        let (term, writer) = rest.split_first_chunk()?;
        whole.then_some(Self {
            number: u64::from_le_bytes(*number),
            first_kept: u64::from_le_bytes(*first_kept),
            term: u64::from_le_bytes(*term),
            writer: Uuid::from_slice(writer).ok()?,
        })
    }
}

impl Folder {
    /// The newest mark; before the first one, that the log is kept from object 1 on.
    pub(super) async fn newest_mark(&self) -> Result<TrimMark> {
        let milestone = self.last_mark(TrimMark::NONE, MILESTONE).await?;
        self.last_mark(milestone, 1).await
    }

    /// The last mark of those `step` apart, counted from `base`. All up to it are there, none behind it.
    async fn last_mark(&self, base: TrimMark, step: u64) -> Result<TrimMark> {
        let (mut last, mut there, mut width) = (base, 0, 1);
        // First in strides that double, until one leads beyond the end.
        while let Some(mark) = self.read_mark(base.number + (there + width) * step).await? {
            last = mark;
            there += width;
            width *= 2;
        }
        // Then halving what lies between.
        while width > 1 {
            width /= 2;
            if let Some(mark) = self.read_mark(base.number + (there + width) * step).await? {
                last = mark;
                there += width;
            }
        }
        Ok(last)
    }

    pub(super) async fn read_mark(&self, number: u64) -> Result<Option<TrimMark>> {
        self.requests.read(&self.paths.trim_mark(number), None, |bytes, _| self.mark(number, &bytes)).await
    }

    /// Creates a mark, unless another one has its number.
    pub(super) async fn create_mark(&self, mark: &TrimMark) -> Result<Landed<TrimMark>> {
        let bytes = mark.encode(self.workspace);
        let path = self.paths.trim_mark(mark.number);
        self.requests.create(&path, &bytes, |bytes| self.mark(mark.number, &bytes)).await
    }

    /// Deletes the marks that no search comes across, when `newest` is a milestone.
    pub(super) async fn forget_marks(&self, newest: u64) {
        if !newest.is_multiple_of(MILESTONE) || newest < 2 * MILESTONE {
            return;
        }
        let passed = (newest - 2 * MILESTONE + 1)..(newest - MILESTONE);
        let paths: Vec<_> = passed.map(|number| self.paths.trim_mark(number)).collect();
        // Marks that stay cost a few bytes, no more.
        self.requests.delete(&paths).await.ok();
    }

    fn mark(&self, number: u64, bytes: &[u8]) -> Result<TrimMark> {
        let mark = TrimMark::decode(bytes, self.workspace).filter(|mark| mark.number == number);
        mark.ok_or_else(|| {
            Error::corrupt(format!(
                "object '{}' is damaged, or no trim mark of this workspace",
                self.paths.trim_mark(number)
            ))
            .with_help("restore it from a copy")
        })
    }
}
