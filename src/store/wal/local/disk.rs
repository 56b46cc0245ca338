//! The few things that the local log asks of a folder, so that a test can put a disk with faults below it.
//!
//! Must not know what the files hold.

use std::fmt;
use std::io;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{is_full_disk, is_out_of_files};

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskEntry {
    pub name: String,
    /// Bytes.
    pub len: u64,
}

/// One folder of files.
#[async_trait]
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes the folder, if it is missing, durably.
    async fn create_folder(&self) -> io::Result<()>;

    /// All files, in no order; none if the folder is missing.
    async fn list(&self) -> io::Result<Vec<DiskEntry>>;

    /// A new, empty file. Its name survives a power cut only after [`Disk::sync_folder`].
    async fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// A file that is there, to be written.
    async fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// At most `len` bytes from `offset`; fewer where the file ends.
    async fn read(&self, name: &str, offset: u64, len: u64) -> io::Result<Bytes>;

    /// Cuts a file. Not synced: after a power cut it may have its old length.
    async fn truncate(&self, name: &str, len: u64) -> io::Result<()>;

    /// Removes a name. Not synced: after a power cut it may be back.
    async fn remove(&self, name: &str) -> io::Result<()>;

    async fn sync_folder(&self) -> io::Result<()>;

    /// How messages call a file.
    fn path(&self, name: &str) -> String;
}

/// A file that is open for writing.
#[async_trait]
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Writes zeros over `from..to`, so that later writes there need no more space. Not synced.
    async fn write_zeros(&self, from: u64, to: u64) -> io::Result<()>;

    /// Writes and syncs: what it wrote, and all that was written before, survives a power cut.
    async fn write(&self, offset: u64, bytes: Bytes) -> Result<(), WriteFault>;

    /// Cuts the file and syncs it.
    async fn truncate(&self, len: u64) -> io::Result<()>;
}

/// Which half of a write failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteFault {
    /// The file may hold any part of the bytes.
    #[error(transparent)]
    Write(io::Error),
    /// What the disk holds is unknown, and a second sync would not tell: the kernel forgets the pages that it failed
    /// to write.
    #[error("sync: {0}")]
    Sync(io::Error),
}

impl WriteFault {
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Write(error) if is_full_disk(error))
    }

    /// Whether the next write may go well, and nobody reads what is left of this one.
    pub(super) fn is_passing(&self) -> bool {
        self.is_full() || matches!(self, Self::Write(error) if is_out_of_files(error))
    }
}
