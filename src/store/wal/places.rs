//! Where records lie, for messages about one of them.

/// Where the records that were read last lie, all in one segment or object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPlaces {
    /// As messages call it.
    pub(super) name: String,
    pub(super) first_position: u64,
    /// Where the frame of each record begins.
    pub(super) offsets: Vec<usize>,
}

impl RecordPlaces {
    /// Segment or object, and offset, of the record at `position`.
    pub fn find(&self, position: u64) -> Option<(&str, usize)> {
        let at = usize::try_from(position.checked_sub(self.first_position)?).ok()?;
        self.offsets.get(at).map(|offset| (self.name.as_str(), *offset))
    }
}
