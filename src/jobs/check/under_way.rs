//! Objects that a writer beside the check may have written just now: no version refers to them before it commits.

use chrono::{DateTime, TimeDelta, Utc};
use object_store::ObjectMeta;

use crate::ids::WorkspaceName;
use crate::store::{Root, WriterLock};

/// Most flushes, loads and compactions commit within so many minutes. What is older and is not referred to may still be of a
/// longer one: nothing removes it before the retention is over.
const MINUTES: i64 = 15;

/// Which objects of a workspace may be of a write under way.
pub(super) struct UnderWay {
    /// Those that were written after that; `None` where nobody writes.
    since: Option<DateTime<Utc>>,
}

impl UnderWay {
    /// `listed` are all objects of the workspace.
    pub(super) async fn beside(root: &Root, name: &WorkspaceName, listed: &[ObjectMeta]) -> Self {
        let since = root.clock().now() - TimeDelta::minutes(MINUTES);
        // The writer is asked for only where the answer counts.
        let has_new = listed.iter().any(|object| object.last_modified > since);
        Self { since: (has_new && WriterLock::is_held(root, name).await).then_some(since) }
    }

    pub(super) fn has(&self, object: &ObjectMeta) -> bool {
        self.since.is_some_and(|since| object.last_modified > since)
    }
}
