//! One writer per workspace. On a local disk it holds a lock file, which the kernel releases however the process ends;
//! on an object store it holds a term. A server writes there where it is reached, for those that are refused.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::durable::remove_staged;
use super::own_claim::OwnClaim;
use super::paths::WRITER_LOCK;
use super::root::Root;
use super::term::{Claim, Holder, Term};
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;

/// Addresses are shorter: what is not may be anything.
const LONGEST_ADDRESS: usize = 300;

/// Longer than it takes to ask whether a workspace is held.
const ASKING: Duration = Duration::from_millis(20);

/// Held by the process that may write to a workspace.
#[derive(Debug)]
pub struct WriterLock {
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// Locked as long as it is open.
    File(File),
    Term(Claim),
    /// A root that no second process can see.
    Alone,
}

impl WriterLock {
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn acquire(root: &Root, workspace: &WorkspaceName) -> Result<Self> {
        match hold(root, workspace).await {
            Ok(held) => Ok(Self { held }),
            Err(error) if error.kind() == Kind::Conflict => Err(advise(&error, root, workspace).await),
            Err(error) => Err(error),
        }
    }

    /// Tells others where the server of this process is reached.
    pub async fn announce(&self, address: &str) -> Result<()> {
        match &self.held {
            Held::File(file) => Ok(write_address(file, address)?),
            Held::Term(term) => term.announce(address).await,
            Held::Alone => Ok(()),
        }
    }

    /// Where the server is reached that writes to a workspace; `None` when what writes is no server, or does not say.
    pub async fn served_at(root: &Root, workspace: &WorkspaceName) -> Option<String> {
        let told = match root.local_folder() {
            _ if root.is_shared() => Self::holder(root, workspace).await.ok()??.address?,
            Some(folder) => fs::read_to_string(folder.join(workspace.as_str()).join(WRITER_LOCK)).ok()?,
            None => return None,
        };
        let told = told.trim();
        let is_address =
            !told.is_empty() && told.len() <= LONGEST_ADDRESS && told.chars().all(|c| c.is_ascii_graphic());
        is_address.then(|| told.to_owned())
    }

    /// Who writes to a workspace of an object store; `None` when nobody does, and for what the kernel locks.
    pub async fn holder(root: &Root, workspace: &WorkspaceName) -> Result<Option<Holder>> {
        match root.is_shared() {
            true => Holder::of(&root.store(), &root.paths(workspace), root.writer_stale_after()).await,
            false => Ok(None),
        }
    }

    /// Whether a process writes to a workspace, as far as can be told without being in its way.
    pub async fn is_held(root: &Root, workspace: &WorkspaceName) -> bool {
        match root.local_folder() {
            _ if root.is_shared() => Term::is_held(&root.store(), &root.paths(workspace)).await,
            Some(folder) => is_locked(&folder.join(workspace.as_str())),
            None => false,
        }
    }

    /// Gives the right to write up; a drop does so in the background.
    pub async fn release(self) {
        if let Held::Term(claim) = self.held {
            claim.give_up().await;
        }
    }

    /// The same where the workspace turned out to be dropped before: nothing is left of the lock, which would look like a
    /// workspace that was dropped in part.
    pub async fn release_of_dropped(self, root: &Root, workspace: &WorkspaceName) {
        if let (Held::File(_), Some(folder)) = (&self.held, root.local_folder()) {
            let folder = folder.join(workspace.as_str());
            // While it is locked. The folder stays where somebody makes the workspace anew.
            if let Err(error) = fs::remove_file(folder.join(WRITER_LOCK)).and_then(|()| fs::remove_dir(&folder)) {
                tracing::debug!(%workspace, %error, "the folder of a dropped workspace stays");
            }
        }
        self.release().await;
    }

    /// The number of this process's claim in an object store; `None` where there is none to number.
    pub fn term(&self) -> Option<u64> {
        self.claim().map(OwnClaim::term)
    }

    /// This process's claim in an object store; `None` where nobody can take the right to write away.
    pub fn claim(&self) -> Option<&OwnClaim> {
        match &self.held {
            Held::Term(term) => Some(term.own_claim()),
            Held::File(_) | Held::Alone => None,
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
            Held::File(_) | Held::Alone => Ok(()),
        }
    }

    /// Asks behind a commit whether the workspace that it was for was dropped meanwhile: what a process did that slept
    /// between [`Self::check`] and its commit is told to nobody then.
    ///
    /// # Errors
    /// `Conflict` when it was.
    pub async fn confirm(&self) -> Result<()> {
        match &self.held {
            Held::Term(term) => term.confirm().await,
            Held::File(_) | Held::Alone => Ok(()),
        }
    }
}

async fn hold(root: &Root, workspace: &WorkspaceName) -> Result<Held> {
    if root.is_shared() {
        let term =
            Term::claim(root.store(), root.paths(workspace), root.writer_stale_after(), root.clock().clone()).await?;
        return Ok(Held::Term(term));
    }
    let Some(folder) = root.local_folder() else { return Ok(Held::Alone) };
    let folder = folder.join(workspace.as_str());
    match lock_file(&folder) {
        // It may be one who only asks whether somebody holds it.
        Err(error) if error.kind() == Kind::Conflict => {
            tokio::time::sleep(ASKING).await;
            lock_file(&folder).map(Held::File)
        }
        locked => locked.map(Held::File),
    }
}

fn lock_file(folder: &Path) -> Result<File> {
    let failed = |error: io::Error| Error::from(error).context(format!("folder '{}'", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(WRITER_LOCK));
    let file = lock.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // What a server that has ended said.
            file.set_len(0)?;
            remove_staged(folder)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(Error::conflict("it holds the lock file")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// A lock that others may share, and that ends with this call: no system says who holds one.
fn is_locked(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(WRITER_LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn write_address(mut file: &File, address: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{address}")
}

/// The way out of a conflict.
async fn advise(error: &Error, root: &Root, workspace: &WorkspaceName) -> Error {
    let url = root.url();
    Error::conflict(match WriterLock::served_at(root, workspace).await {
        Some(address) => format!(
            "workspace '{workspace}' under {url} is served by {address}: use --connect {address}, or stop that server \
             ({error})"
        ),
        None => format!(
            "another process writes to workspace '{workspace}' under {url} ({error}): stop it, or send events through the \
             running server with --connect"
        ),
    })
}

#[cfg(test)]
mod tests;
