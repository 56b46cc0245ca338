//! A disk that has no space left: how the system says so.

use std::io;

use super::Error;
use super::store_failure::causes;

/// Whether a disk, or what one user may take of it, is full, which goes away.
pub fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Error {
    /// Whether something below it says that a disk is full.
    pub fn tells_full_disk(&self) -> bool {
        causes(self).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(is_full_disk)
    }
}

#[cfg(test)]
mod tests;
