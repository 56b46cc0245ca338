//! A statement that runs once, however often it is asked for.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// The count that a change came to. Clones are the same execution: the second asker waits for the first, and gets its
/// count; if the first gave up before its commit, the second runs the statement.
#[derive(Debug, Clone, Default)]
pub struct Once {
    outcome: Arc<Mutex<Option<u64>>>,
}

/// Held by the one who runs the statement, through to the end of the commit.
pub(super) type Turn = OwnedMutexGuard<Option<u64>>;

impl Once {
    pub(super) async fn turn(&self) -> Turn {
        Arc::clone(&self.outcome).lock_owned().await
    }
}
