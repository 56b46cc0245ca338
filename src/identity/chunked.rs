//! An array whose copies share what they have in common: a copy is a state that never changes, and costs nothing until
//! the array it came from changes.
//!
//! Entries lie in chunks, chunks in pages. A copy shares all pages; the first change behind it copies the page's list of
//! chunks, and stands beside the entries of its chunk. A commit so costs what it changes, however many persons there are.
//!
//! Must not know what the entries mean.

mod chunk;

use std::ops::Range;
use std::sync::Arc;

use self::chunk::Chunk;

/// Entries of a chunk. Smaller ones make pages dearer, whose chunks are counted one by one when a page is copied.
const CHUNK: usize = chunk::ENTRIES;
const CHUNK_BITS: u32 = chunk::ENTRIES_BITS;
/// Chunks of a page.
const PAGE: usize = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 9;

type Page<T> = Arc<Vec<Chunk<T>>>;

/// Grows at its end; entries change in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunked<T> {
    /// All chunks but the last are full, and all pages but the last.
    pages: Vec<Page<T>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Chunked<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `None` beyond the end.
    pub fn get(&self, index: usize) -> Option<T> {
        let page = self.pages.get(index >> (CHUNK_BITS + PAGE_BITS))?;
        page.get((index >> CHUNK_BITS) & (PAGE - 1))?.get(index & (CHUNK - 1)).cloned()
    }

    /// To change an entry; `None` beyond the end.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let page = Arc::make_mut(self.pages.get_mut(index >> (CHUNK_BITS + PAGE_BITS))?);
        page.get_mut((index >> CHUNK_BITS) & (PAGE - 1))?.get_mut(index & (CHUNK - 1))
    }

    pub fn push(&mut self, entry: T) {
        if self.len.is_multiple_of(CHUNK * PAGE) {
            self.pages.push(Arc::default());
        }
        let is_new_chunk = self.len.is_multiple_of(CHUNK);
        // A page was pushed with the first entry.
        if let Some(page) = self.pages.last_mut().map(Arc::make_mut) {
            if is_new_chunk {
                page.push(Chunk::default());
            }
            if let Some(chunk) = page.last_mut() {
                chunk.push(entry);
            }
        }
        self.len += 1;
    }

    /// All entries in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter()).flat_map(Chunk::iter)
    }

    /// The entries of a range in their order, those beyond the end left out.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = T> + '_ {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        let chunks = (start >> CHUNK_BITS)..end.div_ceil(CHUNK);
        chunks.flat_map(move |chunk| {
            let first = chunk << CHUNK_BITS;
            let chunk = &self.pages[chunk >> PAGE_BITS][chunk & (PAGE - 1)];
            chunk.range(start.saturating_sub(first), end - first).cloned()
        })
    }

    /// Bytes of entries that this one holds and `other` does not share.
    pub fn bytes_beside(&self, other: &Self) -> usize {
        let mut bytes = 0;
        for (place, page) in self.pages.iter().enumerate() {
            let beside = other.pages.get(place);
            if beside.is_some_and(|beside| Arc::ptr_eq(page, beside)) {
                continue;
            }
            let chunk_beside = |place| beside.and_then(|beside: &Page<T>| beside.get(place));
            let own = page.iter().enumerate().map(|(place, chunk)| chunk.bytes_beside(chunk_beside(place)));
            bytes += own.sum::<usize>();
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
