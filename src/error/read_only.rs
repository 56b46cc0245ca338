//! Where nothing can be written: how the system says so, and what helps.

use std::error::Error as StdError;
use std::io;

use super::Error;
use super::store_failure::causes;

impl Error {
    /// What can be done where an error says, somewhere below, that the disk is read-only; `None` where none does.
    pub fn of_read_only(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut failures = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        failures.any(|failure| failure.kind() == io::ErrorKind::ReadOnlyFilesystem).then(|| {
            Self::forbidden(
                "the file system is read-only: mount it for writing (`mount -o remount,rw`, or the volume of a container \
                 without `:ro`); what only reads works as it is: queries by `convoke sql`, and `convoke check`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    /// Number of Linux (errno-base.h).
    const EROFS: i32 = 30;

    #[test]
    fn who_writes_to_a_read_only_disk_learns_what_helps() {
        let failure = || io::Error::from_raw_os_error(EROFS);
        let below = object_store::Error::Generic { store: "LocalFileSystem", source: Box::new(failure()) };
        for error in [Error::from(failure()), Error::from(below)] {
            assert_eq!(error.kind(), Kind::Forbidden);
            assert!(error.message().contains("read-only: mount it for writing"), "{error}");
        }
    }
}
