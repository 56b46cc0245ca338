//! Giving up what was flushed: a durable mark first, then the objects go.

use std::sync::Arc;

use super::marks::TrimMark;
use super::requests::Landed;
use super::{Shared, taken_over};
use crate::error::{Error, RUN_CHECK, Result};
use crate::store::paths::WalPaths;

/// Trims a log while another task appends to it.
pub struct Trimmer {
    log: Arc<Shared>,
    /// The newest mark, which is ours.
    mark: TrimMark,
    /// A mark of which nobody knows whether it landed: no other may be sent under its number.
    unresolved: Option<TrimMark>,
}

impl Trimmer {
    pub(super) fn new(log: Arc<Shared>, mark: TrimMark) -> Self {
        Self { log, mark, unresolved: None }
    }

    /// Deletes the objects whose records are all at or before `flushed`, as well as what stale writers have left before
    /// them. The newest object stays.
    ///
    /// Only positions that were acknowledged may be flushed, and the flush must be durable before this is called.
    ///
    /// # Errors
    /// `Conflict` when another writer has taken over. After any other error the call can be repeated.
    pub async fn trim(&mut self, flushed: u64) -> Result<()> {
        if let Some(mark) = self.unresolved.or_else(|| self.next_mark(flushed)) {
            self.log.confirm_term().await?;
            self.advance(mark).await?;
        }
        self.sweep().await
    }

    /// The mark that gives up what is needed no more, if that is further than the newest does.
    pub(super) fn next_mark(&self, flushed: u64) -> Option<TrimMark> {
        let first_kept = self.log.index.lock().first_needed(flushed)?;
        let further = first_kept > self.mark.first_kept;
        further.then(|| TrimMark { number: self.mark.number + 1, first_kept, ..self.mark })
    }

    pub(super) async fn advance(&mut self, mark: TrimMark) -> Result<()> {
        self.unresolved = Some(mark);
        let landed = self.log.folder.create_mark(&mark).await?;
        if let Landed::Others(other) = landed {
            if other.term <= mark.term {
                return Err(Error::internal(format!(
                    "trim mark {} of term {} stands where only term {} may write",
                    other.number, other.term, mark.term
                ))
                .with_help(RUN_CHECK));
            }
            self.log.fence(other.term);
            return Err(taken_over(other.term));
        }
        self.unresolved = None;
        self.mark = mark;
        self.log.index.lock().drop_before(mark.first_kept);
        self.log.folder.forget_marks(mark.number).await;
        Ok(())
    }

    /// By the list, which also shows what others have left: whatever lies before the mark is of no use to anybody. What
    /// a stale list hides goes next time.
    async fn sweep(&self) -> Result<()> {
        let folder = &self.log.folder;
        let mut listed = folder.requests.list(&folder.paths.objects(), None).await?;
        listed.retain(|path| WalPaths::sequence_of(path).is_some_and(|sequence| sequence < self.mark.first_kept));
        folder.requests.delete(&listed).await
    }
}
