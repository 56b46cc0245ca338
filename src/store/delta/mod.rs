//! What all Delta tables of a workspace share: the log, its columns, and the statistics of a file in it.
//!
//! Minimal protocol (reader 1 / writer 2), so that every reader of Delta opens them. Knows no table by name.

mod actions;
mod columns;
mod commit_log;
mod log_objects;
mod statistics;

pub use actions::ActionReader;
pub use columns::{Naming, storable};
pub use commit_log::{CommitLog, DeltaCommitLog, TableDefinition};
pub use log_objects::{LogEntry, LogObjects, path_of};
pub use statistics::FileStatistics;

/// A checkpoint of a table is written every so many versions: opening it reads that and the entries since.
pub const CHECKPOINT_VERSIONS: u64 = 32;
