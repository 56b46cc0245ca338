//! A disk that has no space left: how the system says so, and what helps.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use super::store_failure::causes;
use super::{Detail, Error};

const FREE_SPACE: &str = "free space on it, then try again";
/// The same where the data lie on it.
const FREE_SPACE_OR_VACUUM: &str = "free space on it, then try again; `convoke vacuum` removes what the data folder does \
                                    not need any more (stop its server first)";

/// Why a file is not written. What the system says names none.
#[derive(Debug, thiserror::Error)]
#[error("'{}' cannot be written: {source}", .path.display())]
pub struct WriteFailure {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Whether a disk, or what one user may take of it, is full, which goes away.
pub fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Error {
    /// The disk on which this file of the data was to be written is full.
    pub fn full_disk(file: &Path) -> Self {
        let folder = file.parent().unwrap_or(file).display();
        Self::busy(format!("the disk that holds '{folder}' is full"))
            .with_help(FREE_SPACE_OR_VACUUM)
            .with_detail(Detail::FullDisk)
    }

    /// The same where an error says so, somewhere below, with the folder if that is named there; `None` where none does.
    pub fn of_full_disk(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut failures = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        failures.any(is_full_disk).then(|| match causes(error).find_map(|cause| cause.downcast_ref::<WriteFailure>()) {
            Some(failure) => Self::full_disk(&failure.path),
            None => Self::busy("the disk is full").with_help(FREE_SPACE).with_detail(Detail::FullDisk),
        })
    }

    /// Whether it says that a disk is full, also when it was repeated for others.
    pub fn tells_full_disk(&self) -> bool {
        self.detail == Some(Detail::FullDisk)
    }
}

#[cfg(test)]
mod tests;
