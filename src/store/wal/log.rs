//! The log of one workspace, wherever its root lies: segments on a local disk, objects in an object store, or as little as
//! the rest of a root in memory, which does not outlive the process.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::local::disk::Disk;
use super::local::real_disk::RealDisk;
use super::local::{self, Entry, LocalLog, LogIdentity, LogLimits};
use super::objects::{self, ClaimProbe, LogPlace, LogView, LogWriter, ObjectLog, Retries, Trimmer};
use super::places::RecordPlaces;
use super::record::{self, Record, RecordKind};
use super::size::{LogGauge, LogSize, no_room};
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::paths::{WAL, WalPaths};
use crate::store::{Root, WriterLock};

/// Of the columns of events in records.
const SCHEMA_REVISION: u32 = 1;

/// Objects of a log that are read at once.
const READ_AHEAD: usize = 4;

/// A log that is open for writing.
pub struct Log {
    appender: Appender,
    /// Bytes beyond which it takes no record.
    limit: u64,
    gauge: Arc<LogGauge>,
}

enum Appender {
    Local(LocalLog),
    Objects { log: ObjectLog, trimmer: Trimmer },
    Memory(MemoryLog),
}

struct MemoryLog {
    position: u64,
    records: VecDeque<Record>,
    bytes: u64,
}

/// The records of a log after a position, some at a time.
pub struct Records {
    reader: Reader,
    size: LogSize,
    last: Option<u64>,
}

enum Reader {
    Local(local::LogReader),
    Objects(objects::LogReader),
    Memory(Option<Vec<Record>>),
}

impl Log {
    /// Takes over the log of workspace `id`, which must reach `flushed_to` and may hold `limit` bytes. `gauge` is told
    /// what it holds.
    ///
    /// # Errors
    /// `Corrupt` for damage of what was durable, `Conflict` when another process has taken over, `Busy` when the disk is
    /// full.
    pub async fn open(
        root: &Root,
        name: &WorkspaceName,
        id: Uuid,
        lock: &WriterLock,
        flushed_to: u64,
        limit: u64,
        gauge: Arc<LogGauge>,
    ) -> Result<Self> {
        let writer = root.clock().new_id();
        let appender = if let Some(own) = lock.claim() {
            let paths = root.paths(name);
            let claim = move |term| paths.writer_claim(term);
            let claims = ClaimProbe::new(root.store(), Retries::default(), claim, own.clone());
            let writer = LogWriter { term: own.term(), id: writer, schema_revision: SCHEMA_REVISION };
            let (log, trimmer) = objects::open(place(root, name, id), writer, Arc::new(claims), flushed_to).await?;
            Appender::Objects { log, trimmer }
        } else if let Some(disk) = disk(root, name) {
            let identity = LogIdentity { workspace: id, writer, schema_revision: SCHEMA_REVISION };
            Appender::Local(LocalLog::open(disk, identity, LogLimits::within(limit), flushed_to).await?)
        } else {
            Appender::Memory(MemoryLog { position: flushed_to, records: VecDeque::new(), bytes: 0 })
        };
        let log = Self { appender, limit, gauge };
        log.tell_size();
        Ok(log)
    }

    /// Makes a record durable, and gives its position.
    ///
    /// # Errors
    /// `Busy` when there is no space, or no more that it may take, `Conflict` when another process has taken over; see
    /// [`Self::is_open`].
    pub async fn append(&mut self, kind: RecordKind, payload: Bytes) -> Result<u64> {
        let outcome = self.append_record(kind, payload).await;
        self.tell_size();
        outcome
    }

    async fn append_record(&mut self, kind: RecordKind, payload: Bytes) -> Result<u64> {
        let frame = record::frame_bytes(&payload) as u64;
        let size = self.size();
        match &mut self.appender {
            // It counts what it reserves by itself.
            Appender::Local(log) => Ok(log.append(&[Entry { kind, flags: 0, payload }]).await?.start),
            _ if size.bytes + frame > self.limit => Err(no_room(size.bytes, self.limit)),
            Appender::Objects { log, .. } => {
                let position = log.next_position();
                log.append(&[Record { position, kind, flags: 0, payload }]).await?;
                Ok(position)
            }
            Appender::Memory(log) => {
                log.position += 1;
                log.bytes += frame;
                log.records.push_back(Record { position: log.position, kind, flags: 0, payload });
                Ok(log.position)
            }
        }
    }

    /// Whether it takes records: one that failed must be opened again.
    pub fn is_open(&self) -> bool {
        match &self.appender {
            Appender::Local(log) => log.state() == local::LogState::Open,
            Appender::Objects { log, .. } => log.state() == objects::LogState::Serving,
            Appender::Memory(_) => true,
        }
    }

    /// Whether one that takes no more records may be opened again by this process.
    ///
    /// # Errors
    /// `Busy` where the disk has failed: what is read back here may never have reached it.
    pub fn check_may_open_again(&self) -> Result<()> {
        match &self.appender {
            Appender::Local(log) if log.state() == local::LogState::Failed => Err(Error::busy(
                "the disk did not keep what was written to the log: nothing is written to this workspace any more, queries \
                 go on; look at the disk, then start again",
            )),
            _ => Ok(()),
        }
    }

    /// The records after `position`.
    ///
    /// # Errors
    /// `Corrupt` when some are damaged or missing.
    pub async fn read(&self, position: u64) -> Result<Records> {
        let (reader, last) = match &self.appender {
            Appender::Local(log) => (Reader::Local(log.read(position).await?), log.next_position() - 1),
            Appender::Objects { log, .. } => (Reader::Objects(log.read_after(position)?), log.next_position() - 1),
            Appender::Memory(log) => {
                let records = log.records.iter().filter(|record| record.position > position).cloned().collect();
                (Reader::Memory(Some(records)), log.position)
            }
        };
        Ok(Records { reader, size: self.size(), last: Some(last) })
    }

    /// Removes what holds records up to `flushed_to` alone.
    pub async fn trim(&mut self, flushed_to: u64) -> Result<()> {
        let outcome = match &mut self.appender {
            Appender::Local(log) => log.trim(flushed_to).await,
            Appender::Objects { trimmer, .. } => trimmer.trim(flushed_to).await,
            Appender::Memory(log) => {
                log.records.retain(|record| record.position > flushed_to);
                log.bytes = log.records.iter().map(|record| record::frame_bytes(&record.payload) as u64).sum();
                Ok(())
            }
        };
        self.tell_size();
        outcome
    }

    /// Ends the log well.
    pub async fn close(&mut self) -> Result<()> {
        let outcome = match &mut self.appender {
            Appender::Local(log) => log.close().await,
            Appender::Objects { .. } | Appender::Memory(_) => Ok(()),
        };
        self.tell_size();
        outcome
    }

    fn size(&self) -> LogSize {
        match &self.appender {
            Appender::Local(log) => {
                let status = log.status();
                LogSize { segments: status.segments, bytes: status.bytes, used: status.used }
            }
            Appender::Objects { log, .. } => of_objects(log.status()),
            Appender::Memory(log) => LogSize { segments: 0, bytes: log.bytes, used: log.bytes },
        }
    }

    fn tell_size(&self) {
        self.gauge.tell(self.size());
    }
}

impl Records {
    /// The records after `position` of a log that this process does not write.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn of(root: &Root, name: &WorkspaceName, id: Uuid, position: u64) -> Result<Self> {
        if root.is_shared() {
            let view = LogView::open(place(root, name, id)).await?;
            let status = view.status();
            let reader = Reader::Objects(view.read_after(position)?);
            return Ok(Self { reader, size: of_objects(status), last: Some(status.last_position) });
        }
        let Some(disk) = disk(root, name) else {
            return Ok(Self { reader: Reader::Memory(None), size: LogSize::default(), last: None });
        };
        let reader = local::LogReader::open(disk, id, position).await?;
        let (segments, bytes) = reader.size();
        Ok(Self { reader: Reader::Local(reader), size: LogSize { segments, bytes, used: bytes }, last: None })
    }

    /// The next ones, `None` behind the last.
    ///
    /// # Errors
    /// `Corrupt` names what is damaged; `Conflict` when it was trimmed meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>> {
        match &mut self.reader {
            Reader::Local(reader) => reader.next().await,
            Reader::Objects(reader) => Ok(reader.next().await?.map(|object| object.records)),
            Reader::Memory(records) => Ok(records.take()),
        }
    }

    /// What the log held when this began to read it.
    pub fn size(&self) -> LogSize {
        self.size
    }

    /// Position of the last record then, where that is known without reading them.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Where those lie that [`Self::next`] gave last; `None` in memory.
    pub fn places(&self) -> Option<&RecordPlaces> {
        match &self.reader {
            Reader::Local(reader) => Some(reader.places()),
            Reader::Objects(reader) => Some(reader.places()),
            Reader::Memory(_) => None,
        }
    }
}

/// Where the log of a root on a disk lies.
fn disk(root: &Root, name: &WorkspaceName) -> Option<Arc<dyn Disk>> {
    #[cfg(test)]
    if let Some(disk) = root.log_disk() {
        return Some(disk);
    }
    let folder = root.local_folder()?;
    Some(Arc::new(RealDisk::new(folder.join(name.as_str()).join(WAL))))
}

fn of_objects(status: objects::LogStatus) -> LogSize {
    LogSize { segments: status.objects, bytes: status.bytes, used: status.bytes }
}

fn place(root: &Root, name: &WorkspaceName, id: Uuid) -> LogPlace {
    let paths = WalPaths::new(object_store::path::Path::default(), id);
    LogPlace {
        store: root.workspace_store(name),
        paths,
        workspace: id,
        retries: Retries::default(),
        read_ahead: READ_AHEAD,
    }
}
