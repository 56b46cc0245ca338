//! The local log on a disk with faults, against a model, and on a real one.

mod damage;
mod disk;
mod log;
mod model;

use std::sync::Arc;

use super::*;

pub(super) const WORKSPACE: uuid::Uuid = uuid::Uuid::from_u128(0xc0);
/// Small, so that a test sees many segments.
pub(super) const LIMITS: LogLimits = LogLimits { segment_bytes: 4096, reserve_bytes: 1024, total_bytes: 64 << 10 };

pub(super) fn identity() -> LogIdentity {
    LogIdentity { workspace: WORKSPACE, writer: uuid::Uuid::from_u128(0xd0), schema_revision: 3 }
}

pub(super) fn entry(payload: impl AsRef<[u8]>) -> Entry {
    Entry { kind: RecordKind::Events, flags: 1, payload: Bytes::copy_from_slice(payload.as_ref()) }
}

pub(super) async fn open(disk: impl Disk + 'static) -> Result<LocalLog> {
    LocalLog::open(Arc::new(disk), identity(), LIMITS, 0).await
}

/// All records after a position.
pub(super) async fn read_all(disk: impl Disk + 'static, after: u64) -> Result<Vec<Record>> {
    let mut reader = LogReader::open(Arc::new(disk), WORKSPACE, after).await?;
    let mut records = Vec::new();
    while let Some(some) = reader.next().await? {
        records.extend(some);
    }
    Ok(records)
}
