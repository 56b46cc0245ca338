//! The objects of one log, read and created one at a time: what a header must say, what records must be.
//!
//! Must not know who writes or which objects are there.

use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use uuid::Uuid;

use super::requests::{Landed, Requests, Retries};
use crate::error::{Error, Result};
use crate::store::paths::WalPaths;
use crate::store::wal::record::{self, Frame, HEADER_BYTES, Header, Record};

/// Where one workspace's log lies.
#[derive(Debug, Clone)]
pub struct LogPlace {
    pub store: Arc<dyn ObjectStore>,
    pub paths: WalPaths,
    pub workspace: Uuid,
    pub retries: Retries,
    /// Requests under way at once while the log is searched or read. Each may hold one object in memory.
    pub read_ahead: usize,
}

/// One object of the log, whole and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogObject {
    pub header: Header,
    /// At least one; positions are dense.
    pub records: Vec<Record>,
}

impl LogObject {
    /// Size of the whole object.
    pub(super) fn bytes(&self) -> u64 {
        let frames: usize = self.records.iter().map(|record| record::frame_bytes(&record.payload)).sum();
        (HEADER_BYTES + frames) as u64
    }

    /// Where the frame of each record begins.
    pub(super) fn offsets(&self) -> Vec<usize> {
        let mut end = HEADER_BYTES;
        let offset = |record: &Record| {
            let offset = end;
            end += record::frame_bytes(&record.payload);
            offset
        };
        self.records.iter().map(offset).collect()
    }

    /// The position behind the last record.
    pub fn next_position(&self) -> u64 {
        self.header.first_position + self.records.len() as u64
    }
}

/// One object of the log as its header shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sequence: u64,
    pub(super) term: u64,
    pub(super) first_position: u64,
    /// Size of the whole object.
    pub(super) bytes: u64,
}

impl Entry {
    pub(super) fn new(header: &Header, bytes: u64) -> Self {
        Self { sequence: header.sequence, term: header.term, first_position: header.first_position, bytes }
    }
}

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) requests: Requests,
    pub(super) paths: WalPaths,
    pub(super) workspace: Uuid,
    pub(super) read_ahead: usize,
}

impl Folder {
    pub(super) fn new(place: LogPlace) -> Self {
        Self {
            requests: Requests::new(place.store, place.retries),
            paths: place.paths,
            workspace: place.workspace,
            read_ahead: place.read_ahead.max(1),
        }
    }

    /// What the header of an object shows; `None` when there is no such object.
    ///
    /// # Errors
    /// `Corrupt` for an object that is not what its name says.
    pub(super) async fn read_header(&self, sequence: u64) -> Result<Option<Entry>> {
        let path = self.paths.object(sequence);
        let decode = |bytes: Bytes, size| Ok(Entry::new(&self.header(&path, sequence, &bytes)?, size));
        self.requests.read(&path, Some(0..HEADER_BYTES as u64), decode).await
    }

    /// The whole object; `None` when there is none.
    ///
    /// # Errors
    /// `Corrupt` names object, offset and position of the damage.
    pub(super) async fn read_object(&self, sequence: u64) -> Result<Option<LogObject>> {
        let path = self.paths.object(sequence);
        self.requests.read(&path, None, |bytes, _| self.decode(&path, sequence, &bytes)).await
    }

    pub(super) async fn create_object(&self, sequence: u64, bytes: &Bytes) -> Result<Landed<LogObject>> {
        let path = self.paths.object(sequence);
        self.requests.create(&path, bytes, |bytes| self.decode(&path, sequence, &bytes)).await
    }

    fn header(&self, path: &Path, sequence: u64, bytes: &[u8]) -> Result<Header> {
        let header = Header::decode(bytes).map_err(|error| error.context(format!("log object '{path}'")))?;
        let Some(header) = header else {
            return Err(Error::corrupt(format!("log object '{path}' ends within its header or has none"))
                .with_help("restore it from a copy"));
        };
        if header.workspace != self.workspace || header.sequence != sequence {
            return Err(Error::corrupt(format!(
                "log object '{path}' is object {} of workspace {}",
                header.sequence, header.workspace
            ))
            .with_help("it was copied from elsewhere, restore the right one"));
        }
        Ok(header)
    }

    fn decode(&self, path: &Path, sequence: u64, bytes: &Bytes) -> Result<LogObject> {
        let header = self.header(path, sequence, bytes)?;
        let mut records = Vec::new();
        let mut offset = HEADER_BYTES;
        let damage = |offset: usize, position: u64, why: &str| {
            Err(Error::corrupt(format!("log object '{path}' is damaged at byte {offset}, position {position}: {why}"))
                .with_help("restore it from a copy"))
        };
        while offset < bytes.len() {
            let expected = header.first_position + records.len() as u64;
            match record::decode(bytes, offset) {
                Frame::Record { record, .. } if record.position != expected => {
                    return damage(offset, expected, &format!("the record there has position {}", record.position));
                }
                Frame::Record { record, .. } if record.kind.is_mark() => {
                    return damage(offset, expected, "a mark of a local log stands there");
                }
                Frame::Record { record, next, .. } => {
                    records.push(record);
                    offset = next;
                }
                Frame::Unknown { position, number } => {
                    return Err(record::unknown_kind(position, number).context(format!("log object '{path}'")));
                }
                Frame::End => return damage(offset, expected, "nothing was written there"),
                Frame::Bad { why } => return damage(offset, expected, why),
            }
        }
        if records.is_empty() {
            return damage(offset, header.first_position, "no record follows the header");
        }
        Ok(LogObject { header, records })
    }
}

/// The bytes of an object. `durable` is the newest position that was known to be durable before.
pub(super) fn encode(header: &Header, records: &[Record], durable: u64) -> Bytes {
    let frames: usize = records.iter().map(|record| record::frame_bytes(&record.payload)).sum();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + frames);
    bytes.extend_from_slice(&header.encode());
    for record in records {
        record::encode(record, record::durable_lag(record.position, durable), &mut bytes);
    }
    bytes.into()
}
