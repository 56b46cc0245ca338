//! What all Delta tables of a workspace share: the log, its columns, the files in it with their statistics, how
//! files are written and judged, and commits.
//!
//! Minimal protocol (reader 1 / writer 2), so that every reader of Delta opens them. Knows no table by name.

mod actions;
mod columns;
mod commit_log;
mod data_file;
mod encoder;
mod file_layout;
mod layout;
mod log_objects;
mod protocol;
mod statistics;
mod table;
mod verify;

pub use columns::{Naming, storable};
pub use commit_log::TableDefinition;
pub use data_file::{DataFile, WrittenFile};
pub use encoder::{Encoded, Encoder, content_hash};
pub use file_layout::FileLayout;
pub use layout::Layout;
pub use log_objects::{LogEntry, LogObjects};
pub use statistics::FileStatistics;
pub use table::{Change, ChangeKind, DeltaTable, LiveFiles};
pub use verify::{Verified, verify};

/// A checkpoint of a table is written every so many versions: opening it reads that and the entries since.
pub const CHECKPOINT_VERSIONS: u64 = 32;
