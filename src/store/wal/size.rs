//! How much a log holds, for those who only want to know: whoever writes or reads it tells, and nobody waits.

use parking_lot::Mutex;

use crate::error::{Detail, Error};

/// What a log takes where it lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogSize {
    /// Segments on a local disk, objects in an object store; none in memory.
    pub segments: u64,
    /// Space that is reserved for later records included: what its limit counts.
    pub bytes: u64,
    /// Without that space, where it is known: what its records take.
    pub used: u64,
}

/// The size of a log as it was told last.
#[derive(Debug, Default)]
pub struct LogGauge(Mutex<LogSize>);

impl LogGauge {
    pub fn tell(&self, size: LogSize) {
        *self.0.lock() = size;
    }

    pub fn size(&self) -> LogSize {
        *self.0.lock()
    }
}

/// The refusal of a record for which a log of so many bytes has no room.
pub(super) fn no_room(bytes: u64, limit: u64) -> Error {
    Error::busy(format!(
        "the log of the workspace holds {bytes} bytes of the {limit} that it may: nothing is taken until its rows are in \
         files"
    ))
    .with_help("try again soon, or raise log.disk_limit")
    .with_detail(Detail::FullLog)
}
