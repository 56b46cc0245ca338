//! The files of the log: their names, their headers, and how a new one begins.
//!
//! Must not know which records are kept, nor when a segment is full.

use std::io;

use bytes::Bytes;
use uuid::Uuid;

use super::super::record::{self, FRAME_HEADER_BYTES, HEADER_BYTES, Header, Record, RecordKind};
use super::disk::{Disk, DiskFile, WriteFault};
use super::scan::{Damage, Scan, scan_followed};
use crate::error::{Error, Result};

/// A segment whose header is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) sequence: u64,
    /// Records at or beyond the first position of the next segment do not count: the next one repeats those that do.
    pub(super) first_position: u64,
    /// Bytes on disk, those reserved for later records included.
    pub(super) bytes: u64,
}

/// Bytes of the mark that names the segment that follows.
pub(super) const NEXT_MARK_BYTES: u64 = FRAME_HEADER_BYTES as u64 + 8;

/// The mark behind the record of position `last`: without the segment that it names the log is damaged.
pub(super) fn next_mark(last: u64, sequence: u64) -> Vec<u8> {
    let payload = Bytes::copy_from_slice(&sequence.to_le_bytes());
    let mut frame = Vec::new();
    record::encode(&Record { position: last, kind: RecordKind::Next, flags: 0, payload }, 0, &mut frame);
    frame
}

/// What lies in the folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Oldest first.
    pub(super) segments: Vec<Segment>,
    /// Names of files whose header never became durable: a crash left them, and no record in them was acknowledged.
    pub(super) unborn: Vec<String>,
    /// Of all files, those without a header included.
    pub(super) highest_sequence: u64,
    pub(super) highest_term: u64,
}

/// The name of a segment's file: as text they stand in the order of their numbers.
pub(super) fn file_name(sequence: u64) -> String {
    format!("{sequence:020}.log")
}

fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let sequence = digits.parse().ok()?;
    (file_name(sequence) == name).then_some(sequence)
}

/// The refusal to read a segment.
pub(super) fn corrupt(disk: &dyn Disk, name: &str, damage: &Damage) -> Error {
    Error::corrupt(format!("the log is damaged: segment '{}', {damage}; records may be lost", disk.path(name)))
        .with_help("restore the file from a copy, or the workspace from a backup")
}

/// Why the segment that no other one follows is not the newest that was written, if it says so.
pub(super) fn lost_next(disk: &dyn Disk, newest: &Segment, scan: &Scan) -> Option<Error> {
    let why = format!("segment '{}' goes on from here, and is missing or empty", file_name(scan.next_sequence()?));
    let damage = Damage { offset: scan.end, position: scan.position(newest.first_position), why };
    Some(corrupt(disk, &newest.name, &damage))
}

/// What a caller can do about a write that failed.
pub(super) fn write_error(disk: &dyn Disk, name: &str, fault: WriteFault) -> Error {
    let path = disk.path(name);
    if fault.is_full() {
        let (WriteFault::Write(failure) | WriteFault::Sync(failure)) = fault;
        return Error::full_disk(path.as_ref()).with_source(failure);
    }
    let (WriteFault::Write(failure) | WriteFault::Sync(failure)) = &fault;
    if let Some(error) = Error::of_open_files(failure) {
        return error.context(format!("the log cannot write '{path}'")).with_source(fault);
    }
    Error::internal(format!("the log cannot write '{path}': {fault}; look at the disk, then open the workspace again"))
        .with_source(fault)
}

/// All segments of a workspace, by their headers.
///
/// # Errors
/// `Corrupt`: a header is damaged, or is not that of this file of this workspace.
pub(super) async fn list_segments(disk: &dyn Disk, workspace: Uuid) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut files: Vec<_> =
        disk.list().await?.into_iter().filter_map(|file| Some((sequence_of(&file.name)?, file))).collect();
    files.sort_by_key(|(sequence, _)| *sequence);
    for (sequence, file) in files {
        listing.highest_sequence = sequence;
        let bytes = match disk.read(&file.name, 0, HEADER_BYTES as u64).await {
            // A running writer has trimmed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        let after = listing.segments.last().map_or(1, |segment| segment.first_position);
        let damage = |why: String| corrupt(disk, &file.name, &Damage { offset: 0, position: after, why });
        let Some(header) = Header::decode(&bytes).map_err(|error| damage(error.what().to_owned()))? else {
            listing.unborn.push(file.name);
            continue;
        };
        if header.workspace != workspace {
            return Err(damage(format!("its header names workspace {}, this one is {workspace}", header.workspace)));
        }
        if header.sequence != sequence {
            return Err(damage(format!("its header says that it is number {}", header.sequence)));
        }
        if header.first_position == 0 || header.first_position < after || header.term < listing.highest_term {
            return Err(damage("its header is older than that of the segment before it".to_owned()));
        }
        listing.highest_term = header.term;
        listing.segments.push(Segment {
            name: file.name,
            sequence,
            first_position: header.first_position,
            bytes: file.len,
        });
    }
    Ok(listing)
}

/// Writes into the segment before `next`, which is durable, that it follows. Over an older mark: there is one at most.
///
/// Without the mark nothing is lost, it only tells when `next` is: neither a disk without space nor damage that a reader
/// will find keeps anybody from writing.
pub(super) async fn mark_next(disk: &dyn Disk, before: &mut Segment, next: &Header) -> Result<()> {
    let last = next.first_position - 1;
    let bytes = disk.read(&before.name, 0, before.bytes).await?;
    let Ok(scan) = scan_followed(&bytes, before.first_position, last) else { return Ok(()) };
    let (offset, mark) = (scan.end as u64, next_mark(last, next.sequence));
    let end = offset + mark.len() as u64;
    let written = match disk.open(&before.name).await {
        Ok(file) => file.write(offset, Bytes::from(mark)).await,
        Err(error) => Err(WriteFault::Write(error)),
    };
    match written {
        Ok(()) => before.bytes = before.bytes.max(end),
        Err(fault) if fault.is_passing() => {}
        Err(fault) => return Err(write_error(disk, &before.name, fault)),
    }
    Ok(())
}

/// The segment that records are appended to.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) segment: Segment,
    file: Box<dyn DiskFile>,
    /// Bytes that hold the header and durable frames.
    pub(super) end: u64,
}

impl OpenSegment {
    /// Creates the file, durably, with `body` behind its header. `reserve`: bytes that the file has at least. After
    /// [`WriteFault::Write`] there is no such file.
    pub(super) async fn create(
        disk: &dyn Disk,
        header: &Header,
        body: Vec<u8>,
        reserve: u64,
    ) -> Result<Self, WriteFault> {
        let name = file_name(header.sequence);
        let file = disk.create(&name).await.map_err(WriteFault::Write)?;
        let end = (HEADER_BYTES + body.len()) as u64;
        let bytes = reserve.max(end);
        if let Err(fault) = Self::fill(disk, file.as_ref(), header, body, bytes).await {
            let removed = match disk.remove(&name).await {
                Ok(()) => disk.sync_folder().await,
                Err(error) => Err(error),
            };
            // Records go on in the segment before: this one must not come back and stand in for them.
            return Err(match (fault, removed) {
                (WriteFault::Write(_), Err(error)) => WriteFault::Sync(error),
                (fault, _) => fault,
            });
        }
        let segment = Segment { name, sequence: header.sequence, first_position: header.first_position, bytes };
        Ok(Self { segment, file, end })
    }

    async fn fill(
        disk: &dyn Disk,
        file: &dyn DiskFile,
        header: &Header,
        body: Vec<u8>,
        bytes: u64,
    ) -> Result<(), WriteFault> {
        file.write_zeros(0, bytes).await.map_err(WriteFault::Write)?;
        // A header on disk says that the body is, too: it stands in for records of the segment before.
        if !body.is_empty() {
            file.write(HEADER_BYTES as u64, Bytes::from(body)).await?;
        }
        file.write(0, Bytes::copy_from_slice(&header.encode())).await?;
        disk.sync_folder().await.map_err(WriteFault::Sync)
    }

    /// Reserves space for all bytes before `to`. After an error the file is as long as before.
    pub(super) async fn reserve(&mut self, to: u64) -> Result<(), WriteFault> {
        let from = self.segment.bytes;
        if to <= from {
            return Ok(());
        }
        if let Err(error) = self.file.write_zeros(from, to).await {
            // Zeros behind the end are harmless, but take space.
            self.file.truncate(from).await.map_err(WriteFault::Sync)?;
            return Err(WriteFault::Write(error));
        }
        self.segment.bytes = to;
        Ok(())
    }

    /// Appends frames, durably. After [`WriteFault::Write`] none of them will ever be read.
    pub(super) async fn append(&mut self, frames: Vec<u8>) -> Result<(), WriteFault> {
        let end = self.end + frames.len() as u64;
        match self.file.write(self.end, Bytes::from(frames)).await {
            Ok(()) => {
                self.end = end;
                self.segment.bytes = self.segment.bytes.max(end);
                Ok(())
            }
            // The next group may end where a frame of this one begins: what was written of it must be gone.
            Err(WriteFault::Write(error)) => {
                self.cut().await.map_err(WriteFault::Sync)?;
                Err(WriteFault::Write(error))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Gives back the space behind the end.
    pub(super) async fn cut(&mut self) -> io::Result<()> {
        self.file.truncate(self.end).await?;
        self.segment.bytes = self.end;
        Ok(())
    }
}
