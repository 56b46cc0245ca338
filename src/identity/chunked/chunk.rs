//! A stretch of an array that copies share, with the few entries that have changed since: a change costs those, and the
//! whole stretch only now and then. Must not know where it stands in the array.

use std::sync::Arc;

/// Entries of a full chunk; a place among them fits 16 bits.
pub(super) const ENTRIES: usize = 1 << ENTRIES_BITS;
pub(super) const ENTRIES_BITS: u32 = 12;

/// So many changes are kept beside the entries: with more of them a change copies more, with fewer the entries are copied
/// more often.
pub(super) const MOST_CHANGES: usize = 16;

#[derive(Debug, Clone)]
pub(super) struct Chunk<T> {
    entries: Arc<Vec<T>>,
    /// Those that hold in place of the entries, by their place.
    changes: Option<Arc<Vec<(u16, T)>>>,
}

impl<T> Default for Chunk<T> {
    fn default() -> Self {
        Self { entries: Arc::default(), changes: None }
    }
}

impl<T> Chunk<T> {
    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.change(place).or_else(|| self.entries.get(place))
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter().enumerate().map(|(place, entry)| self.change(place).unwrap_or(entry))
    }

    /// Entries from a place on, up to another one.
    pub(super) fn range(&self, start: usize, end: usize) -> impl Iterator<Item = &T> {
        let end = end.min(self.entries.len());
        let entries = self.entries.get(start..end).unwrap_or_default();
        (start..).zip(entries).map(|(place, entry)| self.change(place).unwrap_or(entry))
    }

    fn change(&self, place: usize) -> Option<&T> {
        let changes = self.changes.as_ref()?;
        let at = changes.binary_search_by_key(&place, |(place, _)| usize::from(*place)).ok()?;
        Some(&changes[at].1)
    }

    /// Bytes of entries that this one holds and `other` does not share.
    pub(super) fn bytes_beside(&self, other: Option<&Self>) -> usize {
        let shares_entries = other.is_some_and(|other| Arc::ptr_eq(&self.entries, &other.entries));
        let shares_changes = match (&self.changes, other.and_then(|other| other.changes.as_ref())) {
            (Some(own), Some(beside)) => Arc::ptr_eq(own, beside),
            (own, _) => own.is_none(),
        };
        let entries = if shares_entries { 0 } else { size_of_val(self.entries.as_slice()) };
        let changes = self.changes.as_ref().filter(|_| !shares_changes);
        entries + changes.map_or(0, |changes| size_of_val(changes.as_slice()))
    }
}

impl<T: Clone> Chunk<T> {
    pub(super) fn push(&mut self, entry: T) {
        Arc::make_mut(&mut self.entries).push(entry);
    }

    /// To change an entry; `None` beyond the end.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        let is_shared = Arc::get_mut(&mut self.entries).is_none();
        let is_full = self.changes.as_ref().is_some_and(|changes| changes.len() >= MOST_CHANGES);
        if !is_shared || (is_full && self.change(place).is_none()) {
            return self.settle().get_mut(place);
        }
        let entry = self.entries.get(place)?;
        let changes = Arc::make_mut(self.changes.get_or_insert_default());
        let at = match changes.binary_search_by_key(&place, |(place, _)| usize::from(*place)) {
            Ok(at) => at,
            Err(at) => {
                // Below `ENTRIES`.
                changes.insert(at, (place as u16, entry.clone()));
                at
            }
        };
        changes.get_mut(at).map(|(_, entry)| entry)
    }

    /// Puts the changes among the entries, which are its own from then on.
    fn settle(&mut self) -> &mut Vec<T> {
        let entries = Arc::make_mut(&mut self.entries);
        for (place, entry) in self.changes.take().map(Arc::unwrap_or_clone).unwrap_or_default() {
            entries[usize::from(place)] = entry;
        }
        entries
    }
}

impl<T: PartialEq> PartialEq for Chunk<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.iter().eq(other.iter())
    }
}
