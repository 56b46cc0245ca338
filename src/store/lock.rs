//! One writer per workspace. On a local disk it holds a lock file, which the kernel releases however the process ends;
//! on an object store it holds a term.

use std::fs::{File, OpenOptions, TryLockError};
use std::sync::Arc;

use super::durable::remove_staged;
use super::root::Root;
use super::term::Term;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;

/// Held by the process that may write to a workspace.
#[derive(Debug)]
pub struct WriterLock {
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// Locked as long as it is open.
    File {
        _file: File,
    },
    Term(Arc<Term>),
    /// A root that no second process can see.
    Alone,
}

impl WriterLock {
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn acquire(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        let held = if root.is_shared() {
            let (store, paths) = (root.store(), root.paths(workspace));
            let term = Term::claim(store, paths, root.writer_stale_after(), root.clock().clone()).await;
            Held::Term(term.map_err(|error| advise(error, root, workspace))?)
        } else if let Some(folder) = root.local_folder() {
            Held::File { _file: lock_file(&folder.join(workspace.as_str())).map_err(|e| advise(e, root, workspace))? }
        } else {
            Held::Alone
        };
        Ok(Self { held })
    }

    /// Gives the right to write up: what cannot be told to others they find out by waiting.
    pub async fn release(self) {
        let Held::Term(term) = &self.held else { return };
        if let Err(error) = term.give_up().await {
            tracing::warn!(%error, "the next writer must wait until this one's heartbeat is stale");
        }
    }

    /// The number of this process's claim in an object store; `None` where there is none to number.
    pub fn term(&self) -> Option<u64> {
        match &self.held {
            Held::Term(term) => Some(term.number()),
            Held::File { .. } | Held::Alone => None,
        }
    }

    /// Asks whether this process may still write: before each commit, since a process that slept for long may have been
    /// taken for dead.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over.
    pub async fn check(&self) -> Result<()> {
        match &self.held {
            Held::Term(term) => term.check().await,
            // Nobody can take these away.
            Held::File { .. } | Held::Alone => Ok(()),
        }
    }
}

fn lock_file(folder: &std::path::Path) -> Result<File> {
    std::fs::create_dir_all(folder)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(".writer.lock"))?;
    match file.try_lock() {
        Ok(()) => {
            remove_staged(folder)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(Error::conflict("it holds the lock file")),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Adds the way out to a conflict.
fn advise(error: Error, root: &Root, workspace: &WorkspaceName) -> Error {
    if error.kind() != Kind::Conflict {
        return error;
    }
    Error::conflict(format!(
        "another process writes to workspace '{workspace}' under {} ({error}): stop it, or send events through the \
         running server with --connect",
        root.url()
    ))
}

#[cfg(test)]
mod tests;
