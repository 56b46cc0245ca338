//! Reading records back, object by object: for replay, and for commands that only read.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt};

use super::folder::{Entry, Folder, LogObject, LogPlace};
use super::index::{Index, LogStatus};
use crate::error::{Error, Kind, Result};
use crate::store::wal::places::RecordPlaces;

/// How often a reader begins anew when objects are trimmed under it.
const LOOKS: u32 = 5;

/// A log as somebody sees it who does not write: the records that lay there when it was opened. The last of them may
/// not be acknowledged yet.
pub struct LogView {
    folder: Arc<Folder>,
    index: Index,
}

impl LogView {
    /// Read what a flush has published *behind* this, or what was trimmed before is missing from both.
    ///
    /// # Errors
    /// `Corrupt` for an object that is missing or damaged, `Busy` when a writer trims faster than this reads.
    pub async fn open(place: LogPlace) -> Result<Self> {
        let folder = Arc::new(Folder::new(place));
        let mut first_kept = folder.newest_mark().await?.first_kept;
        for _ in 0..LOOKS {
            let found = folder.survey(first_kept).await;
            // What was missing is the end only if nobody has trimmed as far as that.
            let newest = folder.newest_mark().await?.first_kept;
            match found {
                Ok(mut index) if newest < index.next_sequence() || newest == first_kept => {
                    index.drop_before(newest);
                    return Ok(Self { folder, index });
                }
                Err(error) if error.kind() != Kind::Corrupt || newest == first_kept => return Err(error),
                Ok(_) | Err(_) => first_kept = newest,
            }
        }
        Err(Error::busy("the log is trimmed faster than it is read: try again"))
    }

    /// The records behind `position`.
    ///
    /// # Errors
    /// `Conflict` when some of them are trimmed.
    pub fn read_after(&self, position: u64) -> Result<LogReader> {
        LogReader::new(&self.folder, &self.index, position)
    }

    pub fn status(&self) -> LogStatus {
        self.index.status()
    }
}

/// Yields the objects of a log in order.
pub struct LogReader {
    folder: Arc<Folder>,
    objects: BoxStream<'static, Result<Option<LogObject>>>,
    /// Those not yielded yet.
    entries: VecDeque<Entry>,
    /// Records up to this one are passed over.
    after: u64,
    /// First position of the next object; `None` before the first.
    expected: Option<u64>,
    /// Of the object that was yielded last.
    places: RecordPlaces,
}

impl LogReader {
    pub(super) fn new(folder: &Arc<Folder>, index: &Index, position: u64) -> Result<Self> {
        let entries = index.after(position)?;
        let source = Arc::clone(folder);
        let objects = futures::stream::iter(entries.clone())
            .map(move |entry| {
                let folder = Arc::clone(&source);
                async move { folder.read_object(entry.sequence).await }
            })
            .buffered(folder.read_ahead)
            .boxed();
        let (folder, entries, places) = (Arc::clone(folder), entries.into(), RecordPlaces::default());
        Ok(Self { folder, objects, entries, after: position, expected: None, places })
    }

    /// Where the records lie that were yielded last.
    pub fn places(&self) -> &RecordPlaces {
        &self.places
    }

    /// The next object with the records that were asked for; `None` behind the newest. Not to be called again after an
    /// error.
    ///
    /// # Errors
    /// `Corrupt` names what is damaged or missing; `Conflict` when it was trimmed meanwhile.
    pub async fn next(&mut self) -> Result<Option<LogObject>> {
        let (Some(entry), Some(object)) = (self.entries.pop_front(), self.objects.next().await) else {
            return Ok(None);
        };
        let Some(mut object) = object? else { return Err(why_missing(&self.folder, entry.sequence).await) };
        let first = object.header.first_position;
        if first != entry.first_position || self.expected.is_some_and(|expected| expected != first) {
            return Err(Error::corrupt(format!(
                "log object '{}' begins with position {first}, the one before it ends at {}",
                self.folder.paths.object(entry.sequence),
                self.expected.unwrap_or(entry.first_position) - 1
            ))
            .with_help("restore the log from a copy"));
        }
        self.expected = Some(object.next_position());
        let name = self.folder.paths.object(entry.sequence).to_string();
        self.places = RecordPlaces { name, first_position: first, offsets: object.offsets() };
        object.records.retain(|record| record.position > self.after);
        Ok(Some(object))
    }
}

/// A function of the folder alone: a reader is not to be shared.
async fn why_missing(folder: &Folder, sequence: u64) -> Error {
    match folder.newest_mark().await {
        Ok(mark) if mark.first_kept > sequence => Error::conflict(
            "the log was trimmed while it was read: read the newest state of the workspace, which holds it",
        ),
        Ok(_) => folder.missing(sequence),
        Err(error) => error,
    }
}
