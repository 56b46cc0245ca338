//! A workspace as one thing: its events, its identity graph and its user tables under one snapshot, and its single writer.
//!
//! Knows nothing of SQL or protocols.

mod append;
mod base_currency;
mod checkpoint;
mod claim_watch;
mod closing;
mod flush;
pub mod hot;
mod hot_room;
mod leases;
mod load;
mod log_monitor;
mod manifest;
mod memory;
mod message_ids;
mod other_commits;
mod queue;
mod recent_failure;
mod recovery;
pub mod reference;
mod registry;
mod removal;
mod rules;
mod settings;
mod shared_budget;
mod snapshot;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use append::{BatchResults, MOST_EVENTS, NewEvents, NewRows, Rejected};
pub use base_currency::{BaseCurrency, local_day};
pub use checkpoint::{Checkpoint, checkpoint_by_time};
pub use closing::ClosedLogs;
pub use flush::flush_by_time;
pub use hot::AppendResult;
pub use hot_room::flush_for_room;
pub use leases::Leases;
pub use load::{Load, LoadedFiles};
pub use log_monitor::{LogMonitor, LogReport};
pub use manifest::{DataKind, Manifest};
pub use queue::Answer;
pub use registry::{WorkspaceEntry, WorkspaceState, Workspaces, not_found};
pub use removal::Removed;
pub use rules::{RuleChange, Rules};
pub use settings::{WorkspaceSettings, currency};
pub use snapshot::{Commits, ShapeId, Snapshot, SnapshotId};
pub use state::Workspace;
pub use tables::{NewTable, TablesSnapshot};
pub(crate) use tables::{no_table, table_exists};
pub use writer::Writer;
