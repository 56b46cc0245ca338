//! How a server begins where another one has just been killed: in an object store nothing tells that but silence, so the
//! new one waits until the old one counts as gone. A writer that gives a sign of life meanwhile is not waited for.
//!
//! On a local disk the kernel tells at once who holds the lock: nobody waits there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Workspaces;
use super::opening::is_held_elsewhere;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::{Holder, WriterLock};
use crate::workspace::state::Workspace;

/// Between two looks at a writer that is waited for, at most.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Looks in the time after which a writer counts as gone, at least: more than it gives signs of life.
const LEAST_LOOKS: u32 = 16;

/// The writer that a server which starts waits for.
#[derive(Debug, Clone)]
pub(super) struct Predecessor {
    address: Option<String>,
    /// Unless it gives a sign of life before.
    gone_at: Instant,
}

impl Predecessor {
    fn of(holder: &Holder) -> Self {
        Self { address: holder.address.clone(), gone_at: Instant::now() + holder.gone_in }
    }

    /// What is waited for, and how long yet.
    fn wait(&self) -> String {
        let seconds = self.gone_at.saturating_duration_since(Instant::now()).as_secs() + 1;
        let writer =
            self.address.as_ref().map_or_else(|| "another writer".to_owned(), |at| format!("the writer at {at}"));
        format!("waiting up to {seconds} s for {writer} to count as gone")
    }
}

impl Workspaces {
    /// [`Self::get`] for a server that starts: waits for a writer in an object store that may have been killed.
    ///
    /// # Errors
    /// Those of [`Self::get`]; `Busy` as soon as that writer gives a sign of life.
    pub async fn get_after_predecessor(&self, name: &WorkspaceName) -> Result<Arc<Workspace>> {
        let outcome = self.wait_and_get(name).await;
        *self.predecessor.lock() = None;
        outcome
    }

    async fn wait_and_get(&self, name: &WorkspaceName) -> Result<Arc<Workspace>> {
        let pause = (self.root.writer_stale_after() / LEAST_LOOKS).min(LOOKED_AT_EVERY);
        let (begun, mut first) = (Instant::now(), None::<Holder>);
        loop {
            // Whatever else is in the way does not go away by waiting longer than for that.
            let may_wait = self.root.is_shared() && begun.elapsed() < 2 * self.root.writer_stale_after();
            let refusal = match self.get(name).await {
                Err(error) if may_wait && is_held_elsewhere(&error) => error,
                outcome => return outcome,
            };
            // One that has ended in between is no longer in the way.
            if let Some(holder) = WriterLock::holder(&self.root, name).await? {
                let predecessor = Predecessor::of(&holder);
                match &first {
                    Some(first) if first.lives_by(&holder) => return Err(self.refused_by(name, &holder, refusal)),
                    Some(_) => {}
                    None => tracing::warn!(workspace = %name, "{}", predecessor.wait()),
                }
                *self.predecessor.lock() = Some(predecessor);
                first.get_or_insert(holder);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// The refusal by a writer that lives. One that says to be where this server is cannot be reached there.
    fn refused_by(&self, name: &WorkspaceName, holder: &Holder, refusal: Error) -> Error {
        if holder.address.is_none() || holder.address.as_ref() != self.server.get() {
            return refusal;
        }
        Error::busy(format!(
            "workspace '{name}' is being written to by a server on another machine that has the same address there: \
             stop that one"
        ))
    }

    /// What a server that starts still has to do, in words.
    pub fn start_report(&self) -> String {
        if let Some(predecessor) = self.predecessor.lock().as_ref() {
            return predecessor.wait();
        }
        match self.to_open() {
            0 => "the stored state is being read".to_owned(),
            1 => "the stored state of 1 workspace is being read".to_owned(),
            count => format!("the stored state of the first of {count} workspaces is being read"),
        }
    }
}

#[cfg(test)]
mod tests;
