//! Finding the objects of a log: by reading one after another until one is missing, since a list may be stale.
//!
//! A list is asked for one thing alone: whether anything lies behind the end that was found, which must not be.

use futures::{StreamExt, TryStreamExt};

use super::folder::{Entry, Folder};
use super::index::Index;
use crate::error::{Error, Result};
use crate::store::paths::WalPaths;

/// How often a missing object is looked for when one behind it is there: another writer may just have made both.
const LOOKS: u32 = 3;

impl Folder {
    /// All objects from `first_kept` on; the newest is read whole. What is found missing may have been trimmed in the
    /// meantime: the caller looks at the newest mark again.
    ///
    /// # Errors
    /// `Corrupt` when an object is missing before another, or says something that cannot be.
    pub(super) async fn survey(&self, first_kept: u64) -> Result<Index> {
        let mut index = Index::new(first_kept);
        let mut looks = 0;
        loop {
            let found = self.headers(index.next_sequence()).await?;
            let dense = found.iter().take_while(|entry| entry.is_some()).count();
            for entry in found.iter().take(dense).flatten() {
                index.push(*entry, entry.first_position + 1)?;
            }
            if dense == found.len() {
                continue;
            }
            let end = index.next_sequence();
            if found.iter().skip(dense).all(Option::is_none) && !self.is_any_behind(end).await? {
                break;
            }
            looks = if dense == 0 { looks + 1 } else { 0 };
            if looks >= LOOKS {
                return Err(self.missing(end));
            }
        }
        if index.newest().is_none() && first_kept > 1 {
            return Err(self.missing(first_kept));
        }
        self.complete(index).await
    }

    /// Headers of the next objects, as many as may be read at once.
    async fn headers(&self, from: u64) -> Result<Vec<Option<Entry>>> {
        let sequences = from..from + self.read_ahead as u64;
        let reads = futures::stream::iter(sequences.map(|sequence| self.read_header(sequence)));
        reads.buffered(self.read_ahead).try_collect().await
    }

    /// Whether an object with a higher number is listed and there.
    async fn is_any_behind(&self, sequence: u64) -> Result<bool> {
        let listed = self.requests.list(&self.paths.objects(), Some(&self.paths.object(sequence))).await?;
        match listed.iter().filter_map(WalPaths::sequence_of).max() {
            Some(last) => Ok(self.read_header(last).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Reads the newest object for the position of its last record.
    async fn complete(&self, index: Index) -> Result<Index> {
        let Some(newest) = index.newest() else { return Ok(index) };
        match self.read_object(newest.sequence).await? {
            Some(object) => Ok(index.ending_at(object.next_position())),
            None => Err(self.missing(newest.sequence)),
        }
    }

    pub(super) fn missing(&self, sequence: u64) -> Error {
        Error::corrupt(format!("log object '{}' is missing, and the log needs it", self.paths.object(sequence)))
            .with_help("restore it from a copy")
    }
}
