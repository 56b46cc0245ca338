//! Taking a log over for writing. The order of the steps is the protocol; none may be left out or moved.
//!
//! 1. The term is claimed, before all this: from here on no older writer acknowledges anything that lands.
//! 2. A trim mark of ours takes the next number: no older trimmer deletes anything that is not given up already.
//! 3. The end is looked for, by reading object after object until one is missing. It is behind all that was flushed.
//! 4. A fence is created there: no older writer's object lands in the log any more, whether acknowledged or not.
//! 5. The term is still the newest and the mark still ours: nobody newer has trimmed so far that the fence stands where
//!    others have passed long ago.
//!
//! Only then is the log replayed, and only then written.

use std::sync::Arc;

use bytes::Bytes;

use super::claims::TermCheck;
use super::folder::{Entry, Folder, encode};
use super::index::Index;
use super::marks::TrimMark;
use super::requests::Landed;
use super::{LogWriter, taken_over};
use crate::error::{Error, Result};
use crate::store::wal::record::{Record, RecordKind};

/// Steps 2 to 5: the objects of the log with the fence as the newest, and our mark.
pub(super) async fn take_over(
    folder: &Folder,
    writer: &LogWriter,
    claims: &Arc<dyn TermCheck>,
    flushed_to: u64,
) -> Result<(Index, TrimMark)> {
    let outcome = hold_and_fence(folder, writer, flushed_to).await;
    let newest = claims.newest().await?;
    if newest > writer.term {
        // Also when that failed: what looked damaged or missing may only have been trimmed by the newer writer.
        return Err(taken_over(newest));
    }
    let (index, mark) = outcome?;
    if let Some(newer) = folder.read_mark(mark.number + 1).await? {
        return Err(taken_over(newer.term));
    }
    Ok((index, mark))
}

async fn hold_and_fence(folder: &Folder, writer: &LogWriter, flushed_to: u64) -> Result<(Index, TrimMark)> {
    let mark = hold_trims(folder, writer).await?;
    let index = folder.survey(mark.first_kept).await?;
    // Before the fence: each would be one more position, until the log seems to be long enough.
    let last = index.next_position() - 1;
    if last < flushed_to {
        return Err(Error::corrupt(format!(
            "the log in '{}' ends at position {last}, and records up to position {flushed_to} were flushed from it",
            folder.paths.objects()
        ))
        .with_help("restore the folder"));
    }
    Ok((fence(folder, writer, index).await?, mark))
}

/// Takes the number of the next trim mark, and leaves the log's beginning where it is.
pub(super) async fn hold_trims(folder: &Folder, writer: &LogWriter) -> Result<TrimMark> {
    loop {
        let newest = folder.newest_mark().await?;
        if newest.term > writer.term {
            return Err(taken_over(newest.term));
        }
        if newest.term == writer.term {
            return Err(Error::conflict(format!(
                "the log was opened with term {} already: claim a new term for each opening",
                writer.term
            )));
        }
        let mark = TrimMark { number: newest.number + 1, term: writer.term, writer: writer.id, ..newest };
        // Else an older trimmer was quicker, and the log may begin later now.
        if let Landed::Ours = folder.create_mark(&mark).await? {
            return Ok(mark);
        }
    }
}

/// Creates a fence behind the newest object, stepping over what older writers still get there before it.
pub(super) async fn fence(folder: &Folder, writer: &LogWriter, mut index: Index) -> Result<Index> {
    if let Some(newest) = index.newest().filter(|newest| newest.term >= writer.term) {
        // Behind an object of a newer term nothing of ours may come, not even for a moment.
        return Err(taken_over(newest.term));
    }
    loop {
        let (sequence, position) = (index.next_sequence(), index.next_position());
        let header = writer.header(folder.workspace, sequence, position);
        let record = Record { position, kind: RecordKind::Fence, flags: 0, payload: Bytes::new() };
        let bytes = encode(&header, &[record], position - 1);
        let object = match folder.create_object(sequence, &bytes).await? {
            Landed::Ours => {
                index.push(Entry::new(&header, bytes.len() as u64), position + 1)?;
                return Ok(index);
            }
            Landed::Others(object) => object,
        };
        if object.header.term >= writer.term {
            return Err(taken_over(object.header.term));
        }
        if object.header.first_position != position {
            return Err(Error::corrupt(format!(
                "log object '{}' begins with position {}, the one before it ends at {}",
                folder.paths.object(sequence),
                object.header.first_position,
                position - 1
            ))
            .with_help("restore the log from a copy"));
        }
        index.push(Entry::new(&object.header, object.bytes()), object.next_position())?;
    }
}
