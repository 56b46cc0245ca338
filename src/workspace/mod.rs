//! A workspace as one thing: its events, its identity graph and its user tables under one snapshot, and its single writer.
//!
//! Knows nothing of SQL or protocols.

mod checkpoint;
mod manifest;
mod registry;
mod snapshot;
mod state;
mod tables;

pub use checkpoint::{Checkpoint, checkpoint_by_time};
pub use manifest::Manifest;
pub use registry::Workspaces;
pub use snapshot::{Snapshot, SnapshotId};
pub use state::{Commit, Workspace};
pub use tables::{NewTable, TablesSnapshot};
pub(crate) use tables::{no_table, table_exists};
