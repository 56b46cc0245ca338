//! The log of a workspace on a local disk: segments that only grow, one write and one sync a group of records.
//!
//! What `append` returned for survives a crash and a power cut. One value writes a log; whoever opens it holds the lock
//! of the workspace. Must not know what a payload means, nor when a record is flushed.

pub mod disk;
mod options;
mod reader;
pub mod real_disk;
mod recovery;
mod scan;
mod segment;
#[cfg(test)]
pub mod simulated_disk;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

pub use self::options::{LogIdentity, LogLimits};
pub use self::reader::LogReader;

use self::disk::{Disk, WriteFault};
use self::recovery::{Recovery, recover};
use self::segment::{NEXT_MARK_BYTES, OpenSegment, Segment, file_name, next_mark, write_error};
use super::record::{self, HEADER_BYTES, Header, MAX_PAYLOAD_BYTES, Record, RecordKind};
use super::size::no_room;
use crate::error::{Error, Result};

/// A record before it has its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Any but a mark, see [`RecordKind::is_mark`].
    pub kind: RecordKind,
    pub flags: u8,
    /// At most [`MAX_PAYLOAD_BYTES`].
    pub payload: Bytes,
}

/// Whether a log takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    Open,
    /// Nobody knows what the disk holds of the last group: only [`LocalLog::open`] can tell, and goes on.
    Failed,
    Closed,
}

/// What a log has, for system tables and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogStatus {
    pub state: LogState,
    pub term: u64,
    pub segments: u64,
    /// On disk, those reserved for later records included.
    pub bytes: u64,
    /// Without those.
    pub used: u64,
    /// Position of the oldest record that is there, or would be.
    pub first_position: u64,
    /// Position of the newest record; 0 before the first. All of them are durable.
    pub durable_position: u64,
}

/// The writer of a local log.
#[derive(Debug)]
pub struct LocalLog {
    disk: Arc<dyn Disk>,
    identity: LogIdentity,
    limits: LogLimits,
    state: LogState,
    term: u64,
    /// Full ones, oldest first.
    segments: VecDeque<Segment>,
    current: OpenSegment,
    durable: u64,
    /// The highest position that is known to be in files.
    flushed: u64,
    /// Sequence of the newest file that this log tried to make.
    sequence: u64,
}

impl LocalLog {
    /// Takes over the log, whatever a crash left, under a new term: 1 + the highest in any header. The caller holds the
    /// lock of the workspace. `flushed_to`: the last position that is in Parquet, which the log must reach.
    ///
    /// Records that the last writer wrote and did not acknowledge may be kept; those are the last of the log.
    ///
    /// # Errors
    /// `Corrupt`: a record that was durable is damaged or missing; the message has segment, offset and position.
    /// `Busy`: the disk has no space for a new segment. `InvalidInput`: the limits.
    pub async fn open(disk: Arc<dyn Disk>, identity: LogIdentity, limits: LogLimits, flushed_to: u64) -> Result<Self> {
        limits.check()?;
        let Recovery { segments, current, term, durable } = recover(&disk, &identity, &limits, flushed_to).await?;
        let sequence = current.segment.sequence;
        let segments = segments.into();
        let (state, flushed) = (LogState::Open, flushed_to);
        Ok(Self { disk, identity, limits, state, term, segments, current, durable, flushed, sequence })
    }

    /// Number of this writer's reign.
    pub fn term(&self) -> u64 {
        self.term
    }

    pub fn state(&self) -> LogState {
        self.state
    }

    /// The position that the next record gets.
    pub fn next_position(&self) -> u64 {
        self.durable + 1
    }

    pub fn status(&self) -> LogStatus {
        let oldest = self.segments.front().unwrap_or(&self.current.segment);
        LogStatus {
            state: self.state,
            term: self.term,
            segments: self.segments.len() as u64 + 1,
            bytes: self.bytes(),
            used: self.bytes() - self.current.segment.bytes + self.current.end,
            first_position: oldest.first_position,
            durable_position: self.durable,
        }
    }

    /// The records after position `after`.
    ///
    /// # Errors
    /// Those of [`LogReader::open`].
    pub async fn read(&self, after: u64) -> Result<LogReader> {
        LogReader::open(self.disk.clone(), self.identity.workspace, after).await
    }

    /// Appends a group and gives its positions; all of it is durable then.
    ///
    /// A future that is dropped half-way fails the log.
    ///
    /// # Errors
    /// `Busy`: the disk, or what the log may take of it, is full; the group is not in the log and will not be, and the
    /// next one may fit. `InvalidInput`: an entry that no log takes. Otherwise [`LocalLog::state`] is `Failed` and the
    /// group may be found when the log is opened again, whole or its first records.
    pub async fn append(&mut self, group: &[Entry]) -> Result<Range<u64>> {
        self.check_state()?;
        let frames = self.encode(group)?;
        let first = self.next_position();
        if frames.is_empty() {
            return Ok(first..first);
        }
        self.state = LogState::Failed;
        match self.write(frames).await {
            Ok(()) => {
                self.durable += group.len() as u64;
                self.state = LogState::Open;
                Ok(first..self.next_position())
            }
            Err(AppendFault::Limit) => {
                self.state = LogState::Open;
                Err(no_room(self.bytes(), self.limits.total_bytes))
            }
            Err(AppendFault::Write(name, fault)) => Err(self.fail(&name, fault)),
        }
    }

    /// Deletes the segments of which all records have positions up to `flushed_to`; never the newest one, whose header
    /// keeps term and position.
    ///
    /// # Errors
    /// Those of the disk; what could not be deleted is so by the next call. A failed or closed log is trimmed as well.
    pub async fn trim(&mut self, flushed_to: u64) -> Result<()> {
        self.flushed = self.flushed.max(flushed_to);
        // Names need no sync: one that a power cut brings back is of no record that anybody reads.
        while let Some(oldest) = self.segments.front() {
            let next = self.segments.get(1).unwrap_or(&self.current.segment);
            if next.first_position > flushed_to.saturating_add(1) {
                break;
            }
            match self.disk.remove(&oldest.name).await {
                // A call that was dropped half-way was here before.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Marks the end of the log, so that any damage of it is found later, and gives back the space of records that are in
    /// files. The log takes no record after that.
    ///
    /// # Errors
    /// As those of [`LocalLog::append`]; all records are durable also then.
    pub async fn close(&mut self) -> Result<()> {
        self.check_state()?;
        let mark = Record { position: self.durable, kind: RecordKind::End, flags: 0, payload: Bytes::new() };
        let mut frames = Vec::new();
        record::encode(&mark, 0, &mut frames);
        self.state = LogState::Failed;
        let has_records = self.current.end > HEADER_BYTES as u64;
        if has_records && self.flushed >= self.durable {
            // Of the records that nobody reads any more not one need stay: a header keeps term and position.
            match self.roll((HEADER_BYTES + frames.len()) as u64).await {
                Err(AppendFault::Write(name, fault)) if !fault.is_passing() => return Err(self.fail(&name, fault)),
                // Without space for another segment the mark stands behind the records.
                _ => {}
            }
        }
        let written = match self.current.append(frames).await {
            // To its exact length: nothing stands behind the mark.
            Ok(()) => self.current.cut().await.map_err(WriteFault::Sync),
            Err(fault) => Err(fault),
        };
        match written {
            Ok(()) => {
                self.state = LogState::Closed;
                // What cannot be deleted is so by the next writer.
                self.trim(self.flushed).await.ok();
                Ok(())
            }
            Err(fault) => Err(self.fail(&self.current.segment.name.clone(), fault)),
        }
    }

    /// What a failed write leaves: a disk that was full, or a file that could not be opened, did not take it; of any other
    /// nobody knows.
    fn fail(&mut self, name: &str, fault: WriteFault) -> Error {
        self.state = if fault.is_passing() { LogState::Open } else { LogState::Failed };
        write_error(self.disk.as_ref(), name, fault)
    }

    fn check_state(&self) -> Result<()> {
        match self.state {
            LogState::Open => Ok(()),
            LogState::Failed => Err(Error::internal(
                "a write to the log failed, and what the disk holds of it is unknown: open the workspace again",
            )),
            LogState::Closed => Err(Error::internal("the log is closed: open the workspace again")),
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum::<u64>() + self.current.segment.bytes
    }

    fn encode(&self, group: &[Entry]) -> Result<Vec<u8>> {
        for entry in group {
            if entry.payload.len() > MAX_PAYLOAD_BYTES {
                return Err(Error::invalid(format!(
                    "a record of {} bytes, the log takes {MAX_PAYLOAD_BYTES} at most: split it",
                    entry.payload.len()
                )));
            }
            if entry.kind.is_mark() {
                return Err(Error::invalid("the mark of an end is no record: close the log"));
            }
        }
        let bytes = group.iter().map(|entry| record::frame_bytes(&entry.payload)).sum();
        if bytes as u64 > self.limits.group_bytes() {
            return Err(Error::invalid(format!(
                "a group of {bytes} bytes, a log of {} takes {} at once: split it, or raise log.disk_limit",
                self.limits.total_bytes,
                self.limits.group_bytes()
            )));
        }
        let mut frames = Vec::with_capacity(bytes);
        for (position, entry) in (self.next_position()..).zip(group) {
            let Entry { kind, flags, payload } = entry.clone();
            let lag = record::durable_lag(position, self.durable);
            record::encode(&Record { position, kind, flags, payload }, lag, &mut frames);
        }
        Ok(frames)
    }

    async fn write(&mut self, frames: Vec<u8>) -> Result<(), AppendFault> {
        let len = frames.len() as u64;
        let end = self.current.end + len;
        let has_records = self.current.end > HEADER_BYTES as u64;
        let rolls = has_records && end > self.limits.segment_bytes;
        let to = if rolls { HEADER_BYTES as u64 + len } else { end };
        let reserve = self.limits.round_up(to);
        let older: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        let before = if rolls { older + self.current.end + NEXT_MARK_BYTES } else { older };
        if before + reserve > self.limits.total_bytes {
            return Err(AppendFault::Limit);
        }
        if rolls {
            self.roll(reserve).await?;
        }
        let name = self.current.segment.name.clone();
        let failed = |fault| AppendFault::Write(name.clone(), fault);
        self.current.reserve(reserve).await.map_err(failed)?;
        self.current.append(frames).await.map_err(failed)
    }

    /// Begins a new segment, and says so in the one before.
    async fn roll(&mut self, reserve: u64) -> Result<(), AppendFault> {
        self.sequence += 1;
        let header = Header {
            workspace: self.identity.workspace,
            term: self.term,
            writer: self.identity.writer,
            sequence: self.sequence,
            first_position: self.next_position(),
            schema_revision: self.identity.schema_revision,
        };
        let failed = |fault| AppendFault::Write(file_name(header.sequence), fault);
        let next = OpenSegment::create(self.disk.as_ref(), &header, Vec::new(), reserve).await.map_err(failed)?;
        let mut before = std::mem::replace(&mut self.current, next);
        // Only now that the new one is durable. The log is whole without the mark: a disk that is full goes without.
        let marked = before.append(next_mark(self.durable, header.sequence)).await;
        let OpenSegment { segment: mut full, end, .. } = before;
        // Where this fails, the space is given back when the segment is trimmed.
        if self.disk.truncate(&full.name, end).await.is_ok() {
            full.bytes = end;
        }
        let name = full.name.clone();
        self.segments.push_back(full);
        match marked {
            Err(fault) if !fault.is_passing() => Err(AppendFault::Write(name, fault)),
            _ => Ok(()),
        }
    }
}

/// Why a group was not appended.
#[derive(Debug)]
enum AppendFault {
    /// The log has all the space that it may take.
    Limit,
    /// A write to the named file.
    Write(String, WriteFault),
}
