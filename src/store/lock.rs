//! One writer per workspace: a lock file on the local disk, released by the kernel however the process ends.

use std::fs::{File, OpenOptions, TryLockError};

use super::root::Root;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;

/// Held by the process that may write to a workspace.
#[derive(Debug)]
pub struct WriterLock {
    /// Locked as long as it is open. `None` for a root that no second process can see.
    _file: Option<File>,
}

impl WriterLock {
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub fn acquire(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        let Some(folder) = root.local_folder() else {
            return Ok(Self { _file: None });
        };
        let folder = folder.join(workspace.as_str());
        std::fs::create_dir_all(&folder)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(".writer.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(Error::conflict(format!(
                "another process writes to workspace '{workspace}' under {}: stop it, or send events through the \
                 running server with --connect",
                root.url()
            ))),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
