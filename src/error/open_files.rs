//! Where no more files can be opened: how the system says so, and what helps.

use std::error::Error as StdError;
use std::io;

use nix::errno::Errno;

use super::Error;
use super::store_failure::causes;

/// Whether this process, or the machine, has as many files open as it may.
pub fn is_out_of_files(error: &io::Error) -> bool {
    error.raw_os_error().map(Errno::from_raw).is_some_and(|code| matches!(code, Errno::EMFILE | Errno::ENFILE))
}

impl Error {
    /// What can be done where an error says, somewhere below, that no more files can be opened; `None` where none does.
    pub fn of_open_files(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut failures = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
        failures.any(is_out_of_files).then(|| {
            Self::busy(
                "too many files are open: a server has two open for each workspace on a local disk, beside its connections; \
                 raise the limit (`ulimit -n`, LimitNOFILE= of a service), then start again",
            )
        })
    }
}

#[cfg(test)]
mod tests;
