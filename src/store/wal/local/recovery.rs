//! Takes over the log that the last writer left, however it ended, and begins a segment of a new term.
//!
//! The last group before a crash may be whole in the memory of the kernel and not on disk, also after a sync that
//! failed; a sync now would say that all is well. So it is written again, into the new segment, and only what lies there
//! counts. Must not know how records are appended later.

use std::sync::Arc;

use super::super::record::{self, HEADER_BYTES, Header, Record};
use super::disk::Disk;
use super::options::{LogIdentity, LogLimits};
use super::scan::{Damage, Scan, scan_newest};
use super::segment::{
    Listing, OpenSegment, Segment, corrupt, file_name, list_segments, lost_next, mark_next, write_error,
};
use crate::error::{Error, Result};

/// The log as its new writer has it.
#[derive(Debug)]
pub(super) struct Recovery {
    /// Oldest first, without the current one.
    pub(super) segments: Vec<Segment>,
    pub(super) current: OpenSegment,
    pub(super) term: u64,
    /// The last position of the log; all of it is durable.
    pub(super) durable: u64,
}

/// See `LocalLog::open`.
pub(super) async fn recover(
    disk: &Arc<dyn Disk>,
    identity: &LogIdentity,
    limits: &LogLimits,
    flushed_to: u64,
) -> Result<Recovery> {
    disk.create_folder().await?;
    let listing = list_segments(disk.as_ref(), identity.workspace).await?;
    let tail = read_tail(disk.as_ref(), listing.segments.last()).await?;
    if tail.last < flushed_to {
        return Err(ends_too_early(disk.as_ref(), &listing, &tail, flushed_to));
    }
    let header = Header {
        workspace: identity.workspace,
        term: listing.highest_term + 1,
        writer: identity.writer,
        sequence: listing.highest_sequence + 1,
        first_position: tail.durable + 1,
        schema_revision: identity.schema_revision,
    };
    let mut body = Vec::new();
    for record in &tail.in_doubt {
        record::encode(record, record::durable_lag(record.position, tail.durable), &mut body);
    }
    let reserve = limits.round_up((HEADER_BYTES + body.len()) as u64);
    let current = OpenSegment::create(disk.as_ref(), &header, body, reserve)
        .await
        .map_err(|fault| write_error(disk.as_ref(), &file_name(header.sequence), fault))?;
    let mut segments = listing.segments;
    // Only now: until here they stood in for the new segment.
    if let Some(last) = segments.last_mut()
        && tail.end < last.bytes
    {
        disk.truncate(&last.name, tail.end).await?;
        last.bytes = tail.end;
    }
    for name in &listing.unborn {
        disk.remove(name).await?;
    }
    while let Some(empty) = segments.pop_if(|segment| segment.first_position >= header.first_position) {
        disk.remove(&empty.name).await?;
    }
    if let Some(last) = segments.last_mut() {
        mark_next(disk.as_ref(), last, &header).await?;
    }
    Ok(Recovery { segments, current, term: header.term, durable: tail.last })
}

/// The end of the log as the last writer left it.
#[derive(Debug, Default)]
struct Tail {
    /// The last position that is there.
    last: u64,
    /// Up to here the disk has it.
    durable: u64,
    /// The records after `durable`.
    in_doubt: Vec<Record>,
    /// Bytes of the newest segment that hold durable records.
    end: u64,
    /// Where the frame after `last` would begin.
    scan_end: usize,
}

async fn read_tail(disk: &dyn Disk, newest: Option<&Segment>) -> Result<Tail> {
    let Some(segment) = newest else { return Ok(Tail::default()) };
    let bytes = disk.read(&segment.name, 0, segment.bytes).await?;
    let scan = scan_newest(&bytes, segment.first_position).map_err(|damage| corrupt(disk, &segment.name, &damage))?;
    if let Some(error) = lost_next(disk, segment, &scan) {
        return Err(error);
    }
    let Scan { mut records, offsets, end: scan_end, durable, .. } = scan;
    // The header says that the one before the first position is durable.
    let durable_records = usize::try_from(durable + 1 - segment.first_position).unwrap_or(usize::MAX);
    let last = segment.first_position + records.len() as u64 - 1;
    let end = offsets.get(durable_records).copied().unwrap_or(scan_end) as u64;
    let in_doubt = records.split_off(durable_records.min(records.len()));
    Ok(Tail { last, durable, in_doubt, end, scan_end })
}

fn ends_too_early(disk: &dyn Disk, listing: &Listing, tail: &Tail, flushed_to: u64) -> Error {
    let Some(newest) = listing.segments.last() else {
        return Error::corrupt(format!(
            "the log has no segment in '{}', and {flushed_to} records were flushed from it",
            disk.path("")
        ))
        .with_help("restore the folder");
    };
    let (offset, position) = (tail.scan_end, tail.last + 1);
    let why = format!("the log ends here, and records up to position {flushed_to} were flushed from it");
    corrupt(disk, &newest.name, &Damage { offset, position, why })
}
