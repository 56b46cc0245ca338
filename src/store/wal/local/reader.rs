//! Reads the records of a local log, one segment at a time, without writing anything.
//!
//! Must not know what a payload means, nor whether a writer runs beside it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::super::places::RecordPlaces;
use super::super::record::Record;
use super::disk::Disk;
use super::scan::{Scan, scan_followed, scan_newest};
use super::segment::{Segment, corrupt, list_segments, lost_next};
use crate::error::{Error, Result};

/// The records of a log after a position, in order and without a gap.
///
/// Beside a running writer it sees what was there when it read a segment, and perhaps a group that is not acknowledged
/// yet. There, records that are missing may have been flushed and trimmed meanwhile: ask how far the flush is, and open
/// the reader again, before believing it.
#[derive(Debug)]
pub struct LogReader {
    disk: Arc<dyn Disk>,
    workspace: Uuid,
    /// Not read yet, oldest first.
    segments: VecDeque<Segment>,
    /// The last position that was given out; before the first, the one that was asked for.
    after: u64,
    /// Sequence of the newest segment that was read to its end.
    newest: Option<u64>,
    /// What is wrong with the log where no segment follows that one.
    lost_next: Option<Error>,
    /// Of the segment that was read last.
    places: RecordPlaces,
}

impl LogReader {
    /// A reader of the records after position `after`.
    ///
    /// # Errors
    /// `Corrupt`: a header is damaged, or records after `after` are not there any more; also if `after` is beyond the
    /// end of a log without segments.
    pub async fn open(disk: Arc<dyn Disk>, workspace: Uuid, after: u64) -> Result<Self> {
        let segments: VecDeque<_> = list_segments(disk.as_ref(), workspace).await?.segments.into();
        match segments.front() {
            None if after > 0 => {
                return Err(Error::corrupt(format!(
                    "the log has no segment in '{}', and should reach to position {after}",
                    disk.path("")
                ))
                .with_help("restore the folder"));
            }
            Some(first) if first.first_position > after + 1 => return Err(missing(disk.as_ref(), first, after + 1)),
            _ => {}
        }
        Ok(Self { disk, workspace, segments, after, newest: None, lost_next: None, places: RecordPlaces::default() })
    }

    /// Segments that are still to be read, with those that only hold records up to `after`, and their bytes.
    pub fn size(&self) -> (u64, u64) {
        (self.segments.len() as u64, self.segments.iter().map(|segment| segment.bytes).sum())
    }

    /// Where the records lie that were given out last.
    pub fn places(&self) -> &RecordPlaces {
        &self.places
    }

    /// The next records, those of one segment at most; `None` at the end of the log. They share one allocation of the
    /// segment's size, which is freed with the last of their payloads.
    ///
    /// # Errors
    /// `Corrupt`: durable records are damaged; the message has segment, offset and position. `Conflict`: a writer has
    /// trimmed the log in between.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>> {
        loop {
            let Some(segment) = self.segments.pop_front() else {
                if self.find_newer().await? {
                    continue;
                }
                return Ok(None);
            };
            let last = self.segments.front().map(|next| next.first_position - 1);
            if last.is_some_and(|last| last <= self.after) {
                continue;
            }
            if segment.first_position > self.after + 1 {
                return Err(missing(self.disk.as_ref(), &segment, self.after + 1));
            }
            let mut records = self.read(&segment, last).await?;
            let end = segment.first_position + records.len() as u64 - 1;
            if end < self.after {
                return Err(Error::corrupt(format!(
                    "the log ends at position {end} in segment '{}', and should reach to {}",
                    self.disk.path(&segment.name),
                    self.after
                ))
                .with_help("restore the file from a copy"));
            }
            records.drain(..(self.after + 1 - segment.first_position) as usize);
            if let Some(record) = records.last() {
                self.after = record.position;
                return Ok(Some(records));
            }
        }
    }

    /// All records of a segment, up to `last` where others follow it.
    async fn read(&mut self, segment: &Segment, last: Option<u64>) -> Result<Vec<Record>> {
        let scan = |bytes: &Bytes| match last {
            Some(last) => scan_followed(bytes, segment.first_position, last),
            None => scan_newest(bytes, segment.first_position),
        };
        let mut bytes = self.read_bytes(segment).await?;
        loop {
            match scan(&bytes) {
                Ok(found) => {
                    if last.is_none() {
                        self.newest = Some(segment.sequence);
                        self.lost_next = lost_next(self.disk.as_ref(), segment, &found);
                    }
                    let Scan { records, offsets, .. } = found;
                    let name = self.disk.path(&segment.name);
                    self.places = RecordPlaces { name, first_position: segment.first_position, offsets };
                    return Ok(records);
                }
                Err(damage) => {
                    // A writer may have been in the middle of a write.
                    let again = self.read_bytes(segment).await?;
                    if again == bytes {
                        return Err(corrupt(self.disk.as_ref(), &segment.name, &damage));
                    }
                    bytes = again;
                }
            }
        }
    }

    async fn read_bytes(&self, segment: &Segment) -> Result<Bytes> {
        self.disk.read(&segment.name, 0, u64::MAX).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::conflict(format!(
                "segment '{}' of the log was trimmed while it was read: try again",
                self.disk.path(&segment.name)
            )),
            _ => Error::from(error).context(self.disk.path(&segment.name)),
        })
    }

    /// Whether a writer has begun a new segment since the list was read. The newest one that was read then is read
    /// again, as it may have grown before.
    ///
    /// # Errors
    /// `Corrupt`: that one says that another follows, and none is there.
    async fn find_newer(&mut self) -> Result<bool> {
        let Some(newest) = self.newest else { return Ok(false) };
        let listing = list_segments(self.disk.as_ref(), self.workspace).await?;
        if listing.segments.last().is_none_or(|last| last.sequence <= newest) {
            return self.lost_next.as_ref().map_or(Ok(false), |error| Err(error.repeat()));
        }
        self.segments = listing.segments.into_iter().filter(|segment| segment.sequence >= newest).collect();
        Ok(true)
    }
}

fn missing(disk: &dyn Disk, next: &Segment, position: u64) -> Error {
    Error::corrupt(format!(
        "the log is damaged: the segment before '{}' is missing, offset 0, position {position}",
        disk.path(&next.name)
    ))
    .with_help("restore it from a copy")
}
