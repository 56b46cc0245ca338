//! How many files this process may have open: a server has two for each workspace on a local disk, beside its connections,
//! and the limit that programs begin with is mostly 1,024.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// What macOS takes where it says that there is no limit.
const MACOS_MOST: u64 = 10_240;

/// Raises the limit as far as the process may do so by itself.
pub(super) fn raise_limit() {
    let (current, most) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => return tracing::debug!(%error, "the limit of open files is not known"),
    };
    for limit in [most, MACOS_MOST].into_iter().filter(|limit| *limit == RLIM_INFINITY || *limit > current) {
        match setrlimit(Resource::RLIMIT_NOFILE, limit, most) {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, limit, "the limit of open files is not raised to this"),
        }
    }
}

#[cfg(test)]
mod tests;
