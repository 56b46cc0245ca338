//! Turns files of events (CSV, NDJSON, Parquet) into batches of [`super::input::schema`].
//!
//! Reading order: `options` and `mapping` say how to read, `files` finds the files, `reader` opens one and yields its
//! batches through `csv` (whose quotes `quotes` checks, and whose header `first_line`), `ndjson` or `parquet`. `layout`
//! decides which column feeds which field, `look_alike` names those that only look like one, `twins` keys that are one
//! field and differ, `decimal_marks` numbers whose marks contradict each other, `coerce` turns text into typed values, `draft` turns one row's values into an event or the reason why
//! it is none.
//! Must not know storage, workspaces, identity or any protocol; nothing here is asynchronous.

mod coerce;
mod csv;
mod decimal_marks;
mod draft;
mod field;
mod files;
mod first_line;
pub(in crate::ingest) mod json;
mod layout;
mod look_alike;
mod mapping;
mod ndjson;
mod options;
mod own_folders;
mod parquet;
mod quotes;
mod reader;
mod source;
mod twins;
mod unread_revenue;

#[cfg(test)]
mod tests;

pub(in crate::ingest) use coerce::{TimeParser, year_fault};
pub use coerce::{trim_blanks, whole_number_text};
pub(in crate::ingest) use draft::{NAMELESS_TRACK, PREVIOUS_ID, is_previous_id};
pub use field::EventKind;
pub use files::{Format, FoundFiles, expand, extension};
pub use look_alike::Notes;
pub use mapping::Mapping;
pub use options::ReadOptions;
pub(in crate::ingest) use parquet::{
    AMOUNTS, IdentifierColumns, QUANTITIES, Rejects, category_array, decimal_array, identifier_array,
    identifier_places, object_lines, time_array,
};
pub use reader::{FileHashes, FileReader, InputBatches};
pub use source::open;
