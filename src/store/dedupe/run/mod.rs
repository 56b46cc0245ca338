//! Runs: immutable objects of sorted keys, each with a filter that stays in memory.
//!
//! ```text
//! header   magic, format
//! blocks   of messages, then of batches, each with its checksum
//! tail     first key of each block, filters
//! footer   counts, hours, position, clock, place and checksum of the tail, checksum, format, magic
//! ```
//!
//! Opening reads footer and tail; verifying a key reads its block. Must not know the window nor which runs there are.

mod footer;
mod lookup;
mod scan;
mod tail;
mod upload;
mod verify;
mod writer;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use self::footer::{FOOTER_BYTES, Footer, HEADER_BYTES, tail_checksum};
use self::tail::Tail;
use super::clock::Hour;
use crate::error::{Error, Kind, Result};

pub use self::footer::Mark;
pub(super) use self::scan::{BatchScan, MessageScan};
pub use self::verify::verify_run;
pub(super) use self::writer::{Layout, RunWriter};

/// Read from the end of an object at first: footer and tail of a run of 50,000 keys.
const FIRST_READ: u64 = 64 << 10;

/// What a run holds, from its footer alone: for [`Run::open_from`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    pub path: Path,
    pub messages: u64,
    pub batches: u64,
    /// Hours of the oldest and the newest key.
    pub oldest: Hour,
    pub newest: Hour,
    pub mark: Mark,
    /// About the memory that the run takes when it is open.
    pub bytes: u64,
    footer: Footer,
    /// Where it came along with the footer.
    tail: Option<Bytes>,
}

/// An open run.
#[derive(Debug)]
pub struct Run {
    store: Arc<dyn ObjectStore>,
    path: Path,
    /// Tells the blocks of this run from others in the cache.
    number: u64,
    footer: Footer,
    tail: Tail,
}

impl Run {
    /// Opens a run: reads its footer and what is to stay in memory, about 1.2 bytes a key.
    ///
    /// # Errors
    /// `Corrupt` when the object is missing or is not what was written.
    pub async fn open(store: Arc<dyn ObjectStore>, path: Path) -> Result<Self> {
        let summary = summarize(&store, &path).await?;
        Self::open_from(store, summary).await
    }

    /// The same for one whose footer was read.
    ///
    /// # Errors
    /// As [`Run::open`].
    pub async fn open_from(store: Arc<dyn ObjectStore>, summary: RunSummary) -> Result<Self> {
        let RunSummary { path, footer, tail, .. } = summary;
        let tail_range = footer.tail_offset..footer.tail_offset + footer.tail_bytes;
        let stored = match tail {
            Some(tail) => tail,
            None => read_range(store.as_ref(), &path, tail_range).await?,
        };
        if tail_checksum(&stored) != footer.tail_checksum {
            return Err(damage(&path, "its filters fail the checksum"));
        }
        let tail = Tail::decode(stored, footer.blocks()).ok_or_else(|| damage(&path, "its filters do not parse"))?;
        Ok(Self::new(store, path, footer, tail))
    }

    fn new(store: Arc<dyn ObjectStore>, path: Path, footer: Footer, tail: Tail) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { store, path, number: NEXT.fetch_add(1, Ordering::Relaxed), footer, tail }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Messages in it.
    pub fn messages(&self) -> u64 {
        self.footer.messages
    }

    /// Batches in it.
    pub fn batches(&self) -> u64 {
        self.footer.batches
    }

    /// Hour of the oldest key.
    pub fn oldest(&self) -> Hour {
        self.footer.oldest
    }

    /// Hour of the newest key: the run is of no use once this is out of the window.
    pub fn newest(&self) -> Hour {
        self.footer.newest
    }

    pub fn mark(&self) -> Mark {
        self.footer.mark
    }

    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.path.as_ref().len() + self.tail.bytes()
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        read_range(self.store.as_ref(), &self.path, range).await
    }

    fn damage(&self, what: &str) -> Error {
        damage(&self.path, what)
    }
}

/// What a run holds, without opening it.
///
/// # Errors
/// As [`Run::open`].
pub async fn summarize(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<RunSummary> {
    let (footer, last) = read_footer(store.as_ref(), path).await?;
    // Copied: with a part of it all that was read would stay in memory.
    let tail = |start| Bytes::copy_from_slice(&last[start..last.len() - FOOTER_BYTES]);
    let tail = (last.len() - FOOTER_BYTES).checked_sub(footer.tail_bytes as usize).map(tail);
    Ok(RunSummary {
        path: path.clone(),
        messages: footer.messages,
        batches: footer.batches,
        oldest: footer.oldest,
        newest: footer.newest,
        mark: footer.mark,
        bytes: footer.tail_bytes + size_of::<Run>() as u64,
        footer,
        tail,
    })
}

/// The footer, with the last bytes of the object that came along.
async fn read_footer(store: &dyn ObjectStore, path: &Path) -> Result<(Footer, Bytes)> {
    let size = store.head(path).await.map_err(|error| read_error(path, error))?.size;
    if size < (HEADER_BYTES + FOOTER_BYTES) as u64 {
        return Err(damage(path, "it is too short for a dedupe run"));
    }
    let last = read_range(store, path, size.saturating_sub(FIRST_READ)..size).await?;
    let footer = Footer::decode(&last.slice(last.len() - FOOTER_BYTES..), size).map_err(|what| damage(path, what))?;
    Ok((footer, last))
}

async fn read_range(store: &dyn ObjectStore, path: &Path, range: Range<u64>) -> Result<Bytes> {
    let expected = range.end - range.start;
    let bytes = store.get_range(path, range).await.map_err(|error| read_error(path, error))?;
    if bytes.len() as u64 == expected { Ok(bytes) } else { Err(damage(path, "it ends too early")) }
}

/// A run that the index names must be there.
fn read_error(path: &Path, error: object_store::Error) -> Error {
    let error = Error::from(error);
    match error.kind() {
        Kind::NotFound => damage(path, "it is missing").with_source(error),
        _ => error.context(format!("reading dedupe run '{path}'")),
    }
}

fn damage(path: &Path, what: &str) -> Error {
    Error::corrupt(format!("dedupe run '{path}' is damaged: {what}"))
}
